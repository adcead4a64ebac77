// SPDX-License-Identifier: BSD-2-Clause-Patent
#include "card.h"
#include "engine.h"

namespace espalier::test {
namespace {

class Native : public Backend {
 public:
  void step(hls::stream<Job>& jobs, hls::stream<Beat>& in, hls::stream<Result>& results,
            hls::stream<Beat>& out) override {
    engine(*engine_, jobs, in, results, out);
  }

  void reset() override { engine_.reset(new Engine{}); }

 private:
  std::unique_ptr<Engine> engine_{new Engine{}};
};

}  // namespace

std::unique_ptr<Backend> make_backend() {
  return std::make_unique<Native>();
}

}  // namespace espalier::test

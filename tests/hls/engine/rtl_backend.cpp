// SPDX-License-Identifier: BSD-2-Clause-Patent
#include <verilated.h>

#include <cstring>

#include "Vengine.h"
#include "card.h"

namespace espalier::test {
namespace {

/// One AXI4-Stream input: offers a stream's words one after another.
template <class T>
class Source {
 public:
  template <class Port>
  void offer(hls::stream<T>& stream, bool pause, CData& valid, Port& data) {
    if (!held_ && !pause && !stream.empty()) {
      const auto word = hls::pack(stream.read());
      for (int i = 0; i < hls::width_of<T>; i += 32) {
        data[i / 32] = ap_uint<32>(word >> i).to_uint();
      }
      held_ = true;
    }
    valid = held_;
  }
  void advance(bool ready) { held_ = held_ && !ready; }

 private:
  bool held_ = false;
};

class Rtl : public Backend {
 public:
  Rtl() { reset(); }

  void reset() override {
    jobs_ = {};
    in_ = {};
    model_.jobs_tvalid = model_.in_tvalid = 0;
    model_.rst_i = 1;
    model_.results_tready = model_.out_tready = 1;
    for (int i = 0; i < 4; ++i) clock();
    model_.rst_i = 0;
  }

  void step(hls::stream<Job>& jobs, hls::stream<Beat>& in, hls::stream<Result>& results,
            hls::stream<Beat>& out) override {
    jobs_.offer(jobs, pause(), model_.jobs_tvalid, model_.jobs_tdata);
    in_.offer(in, pause(), model_.in_tvalid, model_.in_tdata);
    model_.results_tready = !pause();
    model_.out_tready = !pause();
    model_.eval();
    jobs_.advance(model_.jobs_tready);
    in_.advance(model_.in_tready);
    if (model_.results_tvalid && model_.results_tready) {
      results.write(hls::unpack<Result>(ap_uint<64>(model_.results_tdata)));
    }
    if (model_.out_tvalid && model_.out_tready) {
      Beat beat;
      beat.data = 0;
      for (int i = 0; i < 16; ++i) beat.data |= BeatData(model_.out_tdata[i]) << (32 * i);
      beat.last = model_.out_tdata[16] & 1;
      out.write(beat);
    }
    clock();
  }
  void disturb(std::uint64_t seed) override {
    random_.seed(seed);
    disturbed_ = true;
  }

 private:
  /// The odds of a pause change every 256 clocks or so: four ports ask in each.
  bool pause() {
    if (!disturbed_) return false;
    if (random_() % 1024 == 0) odds_ = random_() % 8;
    return random_() % 8 < odds_;
  }
  void clock() {
    model_.clk_i = 0;
    model_.eval();
    model_.clk_i = 1;
    model_.eval();
  }

  VerilatedContext context_;
  Vengine model_{&context_};
  Source<Job> jobs_;
  Source<Beat> in_;
  Random random_;
  bool disturbed_ = false;
  unsigned odds_ = 2;
};

}  // namespace

std::unique_ptr<Backend> make_backend() {
  return std::make_unique<Rtl>();
}

}  // namespace espalier::test

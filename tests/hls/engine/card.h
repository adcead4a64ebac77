// SPDX-License-Identifier: BSD-2-Clause-Patent
// An engine with its four streams, driven as the shell drives it: the native one (csim), or the
// Verilated RTL, as the program is linked.
#ifndef ESPALIER_TESTS_HLS_ENGINE_CARD_H
#define ESPALIER_TESTS_HLS_ENGINE_CARD_H

#include <memory>

#include <hls_stream.h>

#include "esp_reference.h"
#include "types.h"

namespace espalier::test {

/// An engine in reset, or just out of it.  Results and beats out are taken at once.
class Backend {
 public:
  virtual ~Backend() = default;
  /// One clock.
  virtual void step(hls::stream<Job>& jobs, hls::stream<Beat>& in, hls::stream<Result>& results,
                    hls::stream<Beat>& out) = 0;
  virtual void reset() = 0;
  /// From now on holds words back at random before every port.  The native engine has no ports that
  /// could wait.
  virtual void disturb(std::uint64_t) {}
};
std::unique_ptr<Backend> make_backend();

/// A job's result and octets.
struct Answer {
  unsigned ticket = 0;
  spec::Status status = spec::Status::internal_error;
  unsigned next_header = 0, tos = 0;
  Bytes data;
};

class Card {
 public:
  /// Out of reset, slots wiped.
  Card();

  /// Offers a job with its source; returns the ticket.  Octets after the source's end are not zero.
  unsigned submit(const spec::Descriptor& descriptor, const Bytes& source);
  unsigned install(unsigned slot, const spec::SaRecord& record);
  unsigned remove(unsigned slot);
  unsigned nop();

  /// Everything in flight and unanswered is gone; the engine will wipe its slots.
  void reset();
  void disturb(std::uint64_t seed) { backend_->disturb(seed); }
  void step() { backend_->step(jobs, in, results, out); }
  /// Steps until every job is answered; returns the steps.
  std::size_t run();

  /// The next answer; checks the ports' contract (docs/architecture.md): beats, `last`, zeros after
  /// the end.
  Answer take();
  bool has_answer() const { return !results.empty(); }

  /// max(beats in, beats out) of a job: no engine with 64-octet ports is faster.
  static std::size_t bound(std::size_t octets_in, std::size_t octets_out);

  hls::stream<Job> jobs;
  hls::stream<Beat> in, out;
  hls::stream<Result> results;

 private:
  std::unique_ptr<Backend> backend_ = make_backend();
  Random junk_{1};
  unsigned submitted_ = 0;
  std::size_t taken_ = 0;
};

}  // namespace espalier::test

#endif

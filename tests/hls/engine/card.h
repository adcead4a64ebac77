// SPDX-License-Identifier: BSD-2-Clause-Patent
// The native engine (csim) with its four streams, driven as the shell drives it.
#ifndef ESPALIER_TESTS_HLS_ENGINE_CARD_H
#define ESPALIER_TESTS_HLS_ENGINE_CARD_H

#include <deque>
#include <memory>

#include "engine.h"
#include "esp_reference.h"

namespace espalier::test {

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

  void step() { engine(*engine_, jobs, in, results, out); }
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
  std::unique_ptr<Engine> engine_;
  Random junk_{1};
  unsigned submitted_ = 0;
  std::size_t taken_ = 0;
};

}  // namespace espalier::test

#endif

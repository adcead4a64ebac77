// SPDX-License-Identifier: BSD-2-Clause-Patent
// The engine's own C++ behind the port.
#include <openssl/crypto.h>

#include <new>

#include "engine.h"
#include "engine_port.hpp"

namespace espalier::driver::stream {
namespace {

ap_uint<512> to_word(const std::array<std::uint8_t, kBeat>& octets) {
  ap_uint<512> word = 0;
  for (unsigned i = 0; i < 8; ++i) {
    std::uint64_t part = 0;
    for (unsigned k = 0; k < 8; ++k) part |= std::uint64_t{octets[8 * i + k]} << (8 * k);
    word.range(static_cast<int>(64 * i + 63), static_cast<int>(64 * i)) = ap_uint<64>(part);
  }
  return word;
}

void from_word(const ap_uint<512>& word, std::array<std::uint8_t, kBeat>& octets) {
  for (unsigned i = 0; i < 8; ++i) {
    const ap_uint<64> part = word.range(static_cast<int>(64 * i + 63), static_cast<int>(64 * i));
    const std::uint64_t number = part.to_uint64();
    for (unsigned k = 0; k < 8; ++k)
      octets[8 * i + k] = static_cast<std::uint8_t>(number >> (8 * k));
  }
}

class Csim final : public EnginePort {
 public:
  Csim() : state_(make_state()) {}

  void step(Clock& clock) noexcept override {
    State& s = *state_;
    if (clock.job != nullptr && s.jobs.empty()) {
      espalier::Job job;
      job.descriptor = to_word(clock.job->descriptor);
      job.ticket = clock.job->ticket;
      s.jobs.write(job);
      clock.job_taken = true;
    }
    if (clock.in != nullptr && s.in.empty()) {
      Beat beat;
      beat.data = to_word(clock.in->data);
      beat.last = clock.in->last;
      s.in.write(beat);
      clock.in_taken = true;
    }
    engine(s.engine, s.jobs, s.in, s.results, s.out);
    if (!s.results.empty()) {
      const espalier::Result r = s.results.read();
      clock.result_given = true;
      clock.result = {static_cast<std::uint16_t>(r.ticket.to_uint()),
                      static_cast<std::uint16_t>(r.status.to_uint()),
                      static_cast<std::uint16_t>(r.length.to_uint()),
                      static_cast<std::uint8_t>(r.next_header.to_uint()),
                      static_cast<std::uint8_t>(r.tos.to_uint())};
    }
    if (!s.out.empty()) {
      const Beat beat = s.out.read();
      clock.out_given = true;
      from_word(beat.data, clock.out.data);
      clock.out.last = beat.last != 0;
    }
  }

  void reset() noexcept override { state_ = make_state(); }

 private:
  struct State {
    Engine engine{};
    hls::stream<espalier::Job> jobs;
    hls::stream<Beat> in;
    hls::stream<espalier::Result> results;
    hls::stream<Beat> out;
  };
  /// Leaves no key in freed memory.
  struct WipingDelete {
    void operator()(State* state) const noexcept {
      state->~State();
      OPENSSL_cleanse(state, sizeof(State));
      ::operator delete(state, std::align_val_t(alignof(State)));
    }
  };
  using StatePointer = std::unique_ptr<State, WipingDelete>;
  static StatePointer make_state() {
    void* memory = ::operator new(sizeof(State), std::align_val_t(alignof(State)));
    return StatePointer(new (memory) State());
  }

  StatePointer state_;
};

}  // namespace
}  // namespace espalier::driver::stream

namespace espalier::driver {

std::unique_ptr<Device> make_csim(const StreamOptions& options) {
  try {
    return stream::make_stream_device("csim", std::make_unique<stream::Csim>(),
                                      {espalier::kSlots, espalier::kMaxPacket}, options);
  } catch (const std::bad_alloc&) {
    return nullptr;
  }
}

}  // namespace espalier::driver

// SPDX-License-Identifier: BSD-2-Clause-Patent
// The engine's RTL behind the port.
//
// Words are those of hls/types.h, fields packed from bit 0 on in the order they are listed.  A
// clock is two evaluations: with the clock low the new inputs settle and the handshakes are read,
// then the rising edge.
#include <Vengine.h>
#include <verilated.h>
#ifdef ESPALIER_WAVES
#include <verilated_fst_c.h>
#endif

#include <cstring>
#include <new>

#include "engine_port.hpp"
#include "types.h"

namespace espalier::driver::stream {
namespace {

constexpr unsigned kResetClocks = 8;
constexpr unsigned kLastWord = kBeat / 4;  ///< 32-bit word that holds what follows 512 bits.

class RtlEngine final : public EnginePort {
 public:
  explicit RtlEngine(const StreamOptions& options) {
    context_.randReset(0);
    model_ = std::make_unique<Vengine>(&context_);
#ifdef ESPALIER_WAVES
    if (!options.trace_file.empty()) {
      context_.traceEverOn(true);
      waves_ = std::make_unique<VerilatedFstC>();
      model_->trace(waves_.get(), 99);
      waves_->open(options.trace_file.c_str());
    }
#else
    static_cast<void>(options);
#endif
    model_->results_tready = 1;
    model_->out_tready = 1;
    reset();
  }
  ~RtlEngine() override {
    model_->final();
#ifdef ESPALIER_WAVES
    if (waves_) waves_->close();
#endif
  }

  void step(Clock& clock) noexcept override {
    Vengine& m = *model_;
    m.jobs_tvalid = clock.job != nullptr;
    if (clock.job != nullptr) {
      std::memcpy(m.jobs_tdata.data(), clock.job->descriptor.data(), kBeat);
      m.jobs_tdata[kLastWord] = clock.job->ticket;
    }
    m.in_tvalid = clock.in != nullptr;
    if (clock.in != nullptr) {
      std::memcpy(m.in_tdata.data(), clock.in->data.data(), kBeat);
      m.in_tdata[kLastWord] = clock.in->last;
    }
    edge(0);
    clock.job_taken = clock.job != nullptr && m.jobs_tready;
    clock.in_taken = clock.in != nullptr && m.in_tready;
    clock.result_given = m.results_tvalid;
    if (clock.result_given) {
      const std::uint64_t word = m.results_tdata;
      clock.result = {static_cast<std::uint16_t>(word), static_cast<std::uint16_t>(word >> 16),
                      static_cast<std::uint16_t>(word >> 32), static_cast<std::uint8_t>(word >> 48),
                      static_cast<std::uint8_t>(word >> 56)};
    }
    clock.out_given = m.out_tvalid;
    if (clock.out_given) {
      std::memcpy(clock.out.data.data(), m.out_tdata.data(), kBeat);
      clock.out.last = m.out_tdata[kLastWord] & 1;
    }
    edge(1);
  }

  void reset() noexcept override {
    model_->rst_i = 1;
    model_->jobs_tvalid = 0;
    model_->in_tvalid = 0;
    for (unsigned i = 0; i < kResetClocks; ++i) {
      edge(0);
      edge(1);
    }
    model_->rst_i = 0;
  }

 private:
  void edge(unsigned clock) noexcept {
    model_->clk_i = static_cast<CData>(clock);
    model_->eval();
#ifdef ESPALIER_WAVES
    if (waves_) waves_->dump(context_.time());
    context_.timeInc(1);
#endif
  }

  VerilatedContext context_;
  std::unique_ptr<Vengine> model_;
#ifdef ESPALIER_WAVES
  std::unique_ptr<VerilatedFstC> waves_;
#endif
};

}  // namespace
}  // namespace espalier::driver::stream

namespace espalier::driver {

std::unique_ptr<Device> make_engine(const StreamOptions& options) {
  try {
    return stream::make_stream_device("engine", std::make_unique<stream::RtlEngine>(options),
                                      {espalier::kSlots, espalier::kMaxPacket}, options);
  } catch (const std::bad_alloc&) {
    return nullptr;
  }
}

}  // namespace espalier::driver

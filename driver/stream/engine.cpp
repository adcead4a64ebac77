// SPDX-License-Identifier: BSD-2-Clause-Patent
// The engine's RTL behind the port.
//
// Words are those of hls/types.h, fields packed from bit 0 on in the order they are listed.  A
// clock is two evaluations: with the clock low the new inputs settle and the handshakes are read,
// then the rising edge.
#include <Vengine.h>
#include <Vengine___024root.h>
#include <verilated.h>
#ifdef ESPALIER_WAVES
#include <verilated_fst_c.h>
#endif

#include <cstring>
#include <iterator>
#include <new>
#include <string_view>

#include "engine_port.hpp"
#include "types.h"

namespace espalier::driver::stream {
namespace {

constexpr unsigned kResetClocks = 8;
constexpr unsigned kLastWord = kBeat / 4;  ///< 32-bit word that holds what follows 512 bits.

constexpr std::string_view kStages[] = {
#define STAGE(name) #name,
#define STREAM(name, from, to)
#define OUTPUT(name, from)
#include <engine_streams.inc>
#undef STAGE
#undef STREAM
#undef OUTPUT
};
constexpr unsigned kFirstStage = 0;  ///< It takes jobs and in.

class RtlEngine final : public EnginePort {
 public:
  explicit RtlEngine(const StreamOptions& options) : occupancy_(options.occupancy) {
    if (occupancy_ != nullptr) occupancy_->stages.assign(std::begin(kStages), std::end(kStages));
    context_.randReset(0);
    model_ = std::make_unique<Vengine>(&context_);
#ifdef ESPALIER_WAVES
    if (!options.trace_file.empty()) {
      context_.traceEverOn(true);
      waves_ = std::make_unique<VerilatedFstC>();
      model_->trace(waves_.get(), 99);
      waves_->open(options.trace_file.c_str());
    }
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
    if (occupancy_ != nullptr && occupancy_->left != 0) record();
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
  /// What each stage does in this clock, by the handshakes of the streams around it.
  void record() noexcept {
    const Vengine___024root& m = *model_->rootp;
    unsigned busy = 0, full = 0;  // a bit a stage
    busy |= ((m.engine__DOT__jobs_valid & m.engine__DOT__jobs_ready) |
             (m.engine__DOT__in_valid & m.engine__DOT__in_ready))
            << kFirstStage;
#define STAGE(name)
#define OUTPUT(name, from)                      \
  busy |= m.engine__DOT__##name##_push << from; \
  full |= (m.engine__DOT__##name##_room ^ 1u) << from;
#define STREAM(name, from, to) \
  OUTPUT(name, from)           \
  busy |= (m.engine__DOT__##name##_valid & m.engine__DOT__##name##_ready) << to;
#include <engine_streams.inc>
#undef STAGE
#undef STREAM
#undef OUTPUT
    for (unsigned i = 0; i < std::size(kStages); ++i)
      occupancy_->work.push_back((busy >> i & 1) != 0   ? StageWork::busy
                                 : (full >> i & 1) != 0 ? StageWork::waiting
                                                        : StageWork::starved);
    --occupancy_->left;
  }

  void edge(unsigned clock) noexcept {
    model_->clk_i = static_cast<CData>(clock);
    model_->eval();
#ifdef ESPALIER_WAVES
    if (waves_) waves_->dump(context_.time());
    context_.timeInc(1);
#endif
  }

  Occupancy* occupancy_;
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
#ifndef ESPALIER_WAVES
  if (!options.trace_file.empty()) return nullptr;
#endif
  try {
    return stream::make_stream_device("engine", std::make_unique<stream::RtlEngine>(options),
                                      {espalier::kSlots, espalier::kMaxPacket}, options);
  } catch (const std::bad_alloc&) {
    return nullptr;
  }
}

}  // namespace espalier::driver

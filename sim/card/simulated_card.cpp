// SPDX-License-Identifier: BSD-2-Clause-Patent
#include "card/simulated_card.hpp"

#include <Vespalier_kernel.h>
#include <verilated.h>
#ifdef ESPALIER_WAVES
#include <verilated_fst_c.h>
#endif

#include <algorithm>
#include <cstdlib>
#include <cstring>
#include <new>
#include <stdexcept>

#include "card/axi_port.hpp"
#include "espalier/spec/registers.h"

namespace espalier::sim {

namespace {
constexpr unsigned kPowerCycleCycles = 8;
constexpr unsigned kRegisterPatience = 1000;  // cycles a register access may take

struct Free {
  void operator()(std::uint8_t* p) const { std::free(p); }
};

// The model's ports of one master, by name; the only place where they are spelt.
#define ESPALIER_FROM_CARD(s, m)                              \
  s.ar = {m##_arvalid != 0, m##_araddr, m##_arid, m##_arlen}; \
  s.aw = {m##_awvalid != 0, m##_awaddr, m##_awid, m##_awlen}; \
  s.w_valid = m##_wvalid;                                     \
  s.w_last = m##_wlast;                                       \
  s.w_strb = m##_wstrb;                                       \
  s.w_data = m##_wdata.data()
#define ESPALIER_TO_CARD(s, m)                             \
  m##_arready = s.ar_ready;                                \
  m##_awready = s.aw_ready;                                \
  m##_wready = s.w_ready;                                  \
  m##_rvalid = s.r_valid;                                  \
  if (s.r_valid) {                                         \
    m##_rlast = s.r_last;                                  \
    m##_rid = s.r_id;                                      \
    m##_rresp = s.r_resp;                                  \
    std::memcpy(m##_rdata.data(), s.r_data.data(), kBeat); \
  }                                                        \
  m##_bvalid = s.b_valid;                                  \
  m##_bresp = s.b_resp;                                    \
  m##_bid = s.b_id
}  // namespace

struct SimulatedCard::Impl {
  explicit Impl(const CardOptions& o)
      : options(o),
        memory_storage(static_cast<std::uint8_t*>(std::aligned_alloc(4096, o.memory_bytes))),
        link(o.link),
        ring(AxiPort::Kind::ring, memory(), kIoBase, link, o.faults, o.seed ^ 0x72696e67),
        data(AxiPort::Kind::data, memory(), kIoBase, link, o.faults, o.seed ^ 0x64617461),
        random(o.seed) {
    if (!memory_storage) throw std::bad_alloc();
    std::memset(memory_storage.get(), 0, o.memory_bytes);
    context.randReset(0);
    model = std::make_unique<Vespalier_kernel>(&context);
    if (!o.waves.empty()) {
#ifdef ESPALIER_WAVES
      context.traceEverOn(true);
      waves = std::make_unique<VerilatedFstC>();
      model->trace(waves.get(), 99);
      waves->open(o.waves.c_str());
#else
      throw std::runtime_error("waveforms are not built in: configure with -DESPALIER_WAVES=ON");
#endif
    }
    power_cycle();
  }
  ~Impl() {
#ifdef ESPALIER_WAVES
    if (waves) waves->close();
#endif
    model->final();
  }

  std::span<std::uint8_t> memory() {
    return {memory_storage.get(), options.memory_bytes};
  }

  void power_cycle() {
    model->ap_rst_n = 0;
    for (unsigned i = 0; i < kPowerCycleCycles; ++i) cycle();
    model->ap_rst_n = 1;
  }

  void eval(int edge) {
    model->ap_clk = edge;
    model->eval();
#ifdef ESPALIER_WAVES
    if (waves) waves->dump(2 * activity.cycles + static_cast<unsigned>(edge));
#endif
  }

  /// One clock cycle.  Inputs are set and the model settles before the edge; what is handed over at
  /// the edge is sampled from the settled outputs.
  void cycle() {
    const std::uint64_t now = activity.cycles;
    if (options.faults.reset_at != 0 && now == options.faults.reset_at) foreign_reset = 2;
    link.tick();
    ring.drive(ring_signals, now);
    data.drive(data_signals, now);
    ESPALIER_TO_CARD(ring_signals, model->m_axi_ring);
    ESPALIER_TO_CARD(data_signals, model->m_axi_data);
    eval(0);
    ESPALIER_FROM_CARD(ring_signals, model->m_axi_ring);
    ESPALIER_FROM_CARD(data_signals, model->m_axi_data);
    if (model->ap_rst_n != 0) {  // in reset neither side means what it says
      ring.sample(ring_signals, now);
      data.sample(data_signals, now);
      count();
    }
    write_taken = model->s_axi_control_awvalid && model->s_axi_control_awready;
    read_taken = model->s_axi_control_arvalid && model->s_axi_control_arready;
    eval(1);
    ++activity.cycles;
  }

  void count() {
    const AxiSignals &r = ring_signals, &d = data_signals;
    activity.data_reads += d.r_valid;
    activity.ring_reads += r.r_valid;
    activity.data_writes += d.w_valid && d.w_ready;
    activity.ring_writes += r.w_valid && r.w_ready;
    activity.read_wait += d.ar.valid && !d.ar_ready;
    activity.write_wait += d.w_valid && !d.w_ready;
    activity.most_reads_in_flight = std::max(activity.most_reads_in_flight, data.reads_in_flight());
  }

  void write(std::uint32_t offset, std::uint32_t value) {
    model->s_axi_control_awaddr = static_cast<std::uint16_t>(offset);
    model->s_axi_control_wdata = value;
    model->s_axi_control_wstrb = 0xf;
    model->s_axi_control_awvalid = model->s_axi_control_wvalid = 1;
    model->s_axi_control_bready = 1;
    write_taken = false;
    for (unsigned i = 0; i < kRegisterPatience && !write_taken; ++i) cycle();
    model->s_axi_control_awvalid = model->s_axi_control_wvalid = 0;
    cycle();
  }

  std::uint32_t read(std::uint32_t offset) {
    model->s_axi_control_araddr = static_cast<std::uint16_t>(offset);
    model->s_axi_control_arvalid = 1;
    model->s_axi_control_rready = 0;
    read_taken = false;
    for (unsigned i = 0; i < kRegisterPatience && !read_taken; ++i) cycle();
    model->s_axi_control_arvalid = 0;
    for (unsigned i = 0; i < kRegisterPatience && !model->s_axi_control_rvalid; ++i) cycle();
    const std::uint32_t value = model->s_axi_control_rvalid ? model->s_axi_control_rdata : ~0u;
    model->s_axi_control_rready = 1;
    cycle();
    model->s_axi_control_rready = 0;
    return value;
  }

  /// The fault `reset_at`: another process writes the control register.
  void serve_foreign_reset() {
    if (foreign_reset == 0) return;
    foreign_reset = 0;
    write(spec::reg::control, spec::kControlReset);
    for (unsigned i = 0; i < 100 && (read(spec::reg::state) & spec::kStateReset) == 0; ++i)
      for (unsigned k = 0; k < 64; ++k) cycle();
    write(spec::reg::control, 0);
  }

  CardOptions options;
  std::unique_ptr<std::uint8_t, Free> memory_storage;
  Link link;
  AxiPort ring, data;
  Random random;
  VerilatedContext context;
  std::unique_ptr<Vespalier_kernel> model;
#ifdef ESPALIER_WAVES
  std::unique_ptr<VerilatedFstC> waves;
#endif
  AxiSignals ring_signals, data_signals;
  CardActivity activity;
  bool write_taken = false, read_taken = false;
  int foreign_reset = 0;
};

SimulatedCard::SimulatedCard(const CardOptions& options) : impl_(std::make_unique<Impl>(options)) {}
SimulatedCard::~SimulatedCard() = default;

const CardOptions& SimulatedCard::options() const {
  return impl_->options;
}
std::span<std::uint8_t> SimulatedCard::memory() {
  return impl_->memory();
}

void SimulatedCard::run(std::uint64_t cycles) {
  for (std::uint64_t i = 0; i < cycles; ++i) {
    impl_->cycle();
    impl_->serve_foreign_reset();
  }
}

std::uint32_t SimulatedCard::read_register(std::uint32_t offset) {
  ++impl_->activity.register_reads;
  return impl_->read(offset);
}

void SimulatedCard::write_register(std::uint32_t offset, std::uint32_t value) {
  ++impl_->activity.register_writes;
  const bool doorbell = offset >= spec::kQueueBlock &&
                        (offset - spec::kQueueBlock) % spec::kQueueStride == spec::reg::doorbell;
  if (doorbell && impl_->random.chance(impl_->options.faults.lost_doorbell)) return;
  impl_->write(offset, value);
}

void SimulatedCard::power_cycle() {
  impl_->power_cycle();
}

void SimulatedCard::set_faults(const Faults& faults) {
  impl_->options.faults = faults;
  impl_->ring.set_faults(faults);
  impl_->data.set_faults(faults);
}

std::uint64_t SimulatedCard::cycles() const {
  return impl_->activity.cycles;
}

CardActivity SimulatedCard::activity() const {
  CardActivity a = impl_->activity;
  a.stray_accesses = impl_->ring.stray_accesses() + impl_->data.stray_accesses();
  return a;
}

}  // namespace espalier::sim

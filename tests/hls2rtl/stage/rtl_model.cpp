// SPDX-License-Identifier: BSD-2-Clause-Patent
/// The bench that verilate_stages.py wrote, behind rtl_api.hpp.  Compiled once with each bench:
/// Vbench.h is Verilator's, bench_ports.hpp lists its ports.
#include <verilated.h>

#include "Vbench.h"
#include "bench_ports.hpp"
#include "rtl_api.hpp"

namespace espalier::stagecheck {
namespace {

template <class Wide>
void setBit(Wide& wide, unsigned i, bool value) {
  wide[i / 32] = (wide[i / 32] & ~(1u << i % 32)) | uint32_t(value) << i % 32;
}
template <class Wide>
bool bit(const Wide& wide, unsigned i) {
  return wide[i / 32] >> i % 32 & 1;
}

class Verilated : public Rtl {
 public:
  Verilated() : ports_(std::begin(kPorts), std::end(kPorts)), bench_(&context_) {
    bench_.clk_i = 0;
    bench_.rst_i = 1;
  }
  ~Verilated() override { bench_.final(); }

  const std::vector<RtlPort>& ports() const override { return ports_; }
  void reset(bool asserted) override { bench_.rst_i = asserted; }
  void offer(const RtlPort& input, const Words* element) override {
    setBit(bench_.in_valid_i, input.index, element != nullptr);
    if (!element) return;
    for (unsigned i = 0; i < element->size(); ++i) bench_.in_data_i[input.word + i] = (*element)[i];
  }
  void room(const RtlPort& output, bool room) override {
    setBit(bench_.out_room_i, output.index, room);
  }
  void settle() override { bench_.eval(); }
  bool ready(const RtlPort& input) const override { return bit(bench_.in_ready_o, input.index); }
  bool valid(const RtlPort& output) const override { return bit(bench_.out_valid_o, output.index); }
  Words element(const RtlPort& output) const override {
    const unsigned words = (output.width + 31) / 32;
    Words element(words);
    for (unsigned i = 0; i < words; ++i) element[i] = bench_.out_data_o[output.word + i];
    return element;
  }
  void tick() override {
    bench_.clk_i = 1;
    bench_.eval();
    bench_.clk_i = 0;
    bench_.eval();
  }

 private:
  std::vector<RtlPort> ports_;
  VerilatedContext context_;
  mutable Vbench bench_;
};

}  // namespace
}  // namespace espalier::stagecheck

extern "C" espalier::stagecheck::Rtl* espalier_make_rtl() {
  return new espalier::stagecheck::Verilated();
}

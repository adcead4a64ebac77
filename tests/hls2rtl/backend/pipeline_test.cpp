// SPDX-License-Identifier: BSD-2-Clause-Patent
/// A scheduled step function, run stage by stage as the RTL does, gives what the interpreter gives:
/// random step functions with state, memories under every hazard policy, and bubbles.
#include <gtest/gtest.h>

#include <random>

#include "backend/stage.hpp"
#include "hwir/interpreter.hpp"
#include "random_step.hpp"

namespace espalier::backend {
namespace {

using hwir::Bits;
using hwir::Hazard;
using hwir::Module;
using hwir::Node;
using hwir::NodeId;
using hwir::Op;
using hwir::Value;

/// The pipeline: a step enters stage 0 whenever `fire` says so.
class Pipeline {
 public:
  explicit Pipeline(const Stage& stage) : m_(stage.module), s_(stage.schedule) {
    for (const auto& r : m_.registers) registers_.emplace_back(r.width);
    for (const auto& x : m_.memories) memories_.emplace_back(x.depth, Bits(x.width));
    steps_.resize(s_.stages);
    inputs.resize(m_.inputs.size());
    outputs.resize(m_.outputs.size());
  }

  void cycle(bool fire) {
    for (int s = s_.stages - 1; s > 0; s--) steps_[s] = std::move(steps_[s - 1]);
    steps_[0].valid = fire;
    steps_[0].nodes.assign(m_.nodes.size(), Bits());
    steps_[0].read.assign(m_.memories.size(), Bits());
    auto registers = registers_;
    auto memories = memories_;
    for (int s = 0; s < s_.stages; s++) {
      if (steps_[s].valid) run(steps_[s], s, registers, memories);
    }
    registers_ = std::move(registers);
    memories_ = std::move(memories);
  }

  std::vector<std::deque<Bits>> inputs, outputs;

 private:
  struct Step {
    bool valid = false;
    std::vector<Bits> nodes;
    std::vector<Bits> read;  ///< memory data under way
  };

  void run(Step& step, int stage, std::vector<Bits>& registers,
           std::vector<std::vector<Bits>>& memories) {
    const auto value = [&](const Value& v) { return gather(v, step.nodes); };
    for (NodeId id = 0; id < m_.nodes.size(); id++) {
      if (s_.node[id] == stage) step.nodes[id] = compute(m_.nodes[id], step);
    }
    for (size_t i = 0; i < m_.memories.size(); i++) {
      const auto& x = m_.memories[i];
      if (s_.mem_read[i] == stage) step.read[i] = memories_[i][value(x.read_addr).low64()];
      if (s_.mem_write[i] == stage && !value(x.write_enable).isZero()) {
        memories[i][value(x.write_addr).low64()] = value(x.write_data);
      }
    }
    for (size_t i = 0; i < m_.registers.size(); i++) {
      if (s_.reg[i] == stage) registers[i] = value(m_.registers[i].next);
    }
    for (size_t i = 0; stage == 0 && i < m_.inputs.size(); i++) {
      if (!value(m_.inputs[i].pop).isZero()) inputs[i].pop_front();
    }
    for (size_t i = 0; i < m_.outputs.size(); i++) {
      const auto& x = m_.outputs[i];
      if (s_.push[i] == stage && !value(x.push).isZero()) outputs[i].push_back(value(x.data));
    }
  }

  Bits compute(const Node& n, const Step& step) const {
    switch (n.op) {
      case Op::kRegister:
        return registers_[n.index];
      case Op::kEmpty:
        return Bits(1, inputs[n.index].empty());
      case Op::kStreamRead:
        return inputs[n.index].empty() ? Bits(n.width) : inputs[n.index].front();
      case Op::kMemRead:
        return step.read[n.index];
      default:
        break;
    }
    std::vector<Bits> operands;
    for (const Value& v : n.operands) {
      for (const auto& seg : v.segs()) {
        if (!seg.isConstant())
          EXPECT_GT(step.nodes[seg.node].width(), 0U) << "used before computed";
      }
      operands.push_back(gather(v, step.nodes));
    }
    return apply(m_, n, operands);
  }

  const Module& m_;
  const Schedule& s_;
  std::vector<Bits> registers_;
  std::vector<std::vector<Bits>> memories_;
  std::vector<Step> steps_;
};

TEST(Pipeline, DoesWhatTheStepsDo) {
  for (unsigned seed = 1; seed <= 300 && !::testing::Test::HasFailure(); seed++) {
    SCOPED_TRACE("seed " + std::to_string(seed));
    std::mt19937 rng(seed);
    const Hazard hazard = seed % 2 ? Hazard::kForbid : Hazard::kForward;
    const Module m = randomStep(rng, hazard);
    const Stage stage = makeStage(m, {});
    hwir::Interpreter reference(m);
    Pipeline pipeline(stage);
    for (int i = 0; i < 60; i++) {
      const Bits word(40, (uint64_t{rng()} << 32) | rng());
      reference.input(0).push_back(word);
      pipeline.inputs[0].push_back(word);
    }
    for (int i = 0; i < 60; i++) reference.step();
    for (int i = 0; i < 200; i++) pipeline.cycle(rng() % 4 != 0);
    for (int i = 0; i < stage.schedule.stages; i++) pipeline.cycle(false);
    for (unsigned i = 0; i < m.outputs.size(); i++) {
      ASSERT_EQ(pipeline.outputs[i].size(), reference.output(i).size());
      for (size_t k = 0; k < reference.output(i).size(); k++) {
        ASSERT_EQ(pipeline.outputs[i][k].hex(), reference.output(i)[k].hex())
            << m.outputs[i].name << " " << k << "\n"
            << dump(stage.module);
      }
    }
  }
}

}  // namespace
}  // namespace espalier::backend

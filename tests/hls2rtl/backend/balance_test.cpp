// SPDX-License-Identifier: BSD-2-Clause-Patent
#include "backend/balance.hpp"

#include <gtest/gtest.h>

#include "backend/schedule.hpp"
#include "hwir/builder.hpp"
#include "hwir/interpreter.hpp"

namespace espalier::backend {
namespace {

using hwir::Bits;
using hwir::Builder;
using hwir::Module;
using hwir::Value;

/// out = the XOR of n words of the input, one after the other; with a register in the middle.
Module chain(unsigned n, bool looped) {
  Builder b("m");
  const auto in = b.addInput("in", 32 * n);
  const auto out = b.addOutput("out", 32);
  const auto sum = b.addRegister("sum", 32);
  const Value go = b.notOf(b.empty(in));
  const Value x = b.read(in, go);
  Value all = looped ? b.reg(sum) : x.slice(0, 32);
  for (unsigned i = 1; i < n; i++) all = b.xorOf(all, x.slice(32 * i, 32));
  b.setNext(sum, b.mux(go, all, b.reg(sum)));
  b.write(out, go, looped ? b.reg(sum) : all);
  return b.finish();
}

TEST(Balance, AChainBecomesATree) {
  const Module m = chain(36, false);
  EXPECT_EQ(schedule(balance(m), {}).levels, std::vector<int>{2});
}

TEST(Balance, WhatComesFromTheLoopJoinsLast) {
  const Module m = chain(36, true);
  const Schedule s = schedule(balance(m), {});
  ASSERT_EQ(s.recurrences.size(), 1U);
  const Module tree = balance(m);
  unsigned in_loop = 0;
  for (const auto& n : tree.nodes) {
    bool reads = false;
    for (const Value& v : n.operands) {
      for (const auto& seg : v.segs()) {
        reads |= !seg.isConstant() && tree.nodes[seg.node].op == hwir::Op::kRegister;
      }
    }
    in_loop += reads && n.op == hwir::Op::kXor;
  }
  EXPECT_EQ(in_loop, 1U);
}

TEST(Balance, KeepsTheMeaning) {
  for (const bool looped : {false, true}) {
    const Module before = chain(20, looped);
    const Module after = balance(before);
    hwir::Interpreter a(before), b(after);
    for (uint64_t i = 1; i < 9; i++) {
      Bits word(32 * 20, i * 0x9e3779b97f4a7c15U);
      word = word ^ word.shl(91 * i) ^ word.shl(200);
      a.input(0).push_back(word);
      b.input(0).push_back(word);
      a.step();
      b.step();
    }
    ASSERT_EQ(a.output(0).size(), 8U);
    EXPECT_EQ(a.output(0), b.output(0));
  }
}

}  // namespace
}  // namespace espalier::backend

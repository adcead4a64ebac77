// SPDX-License-Identifier: BSD-2-Clause-Patent
#pragma once
#include <random>
#include <vector>

#include "hwir/builder.hpp"

namespace espalier::backend {

/// A random step function: one input, accumulators, a memory that is updated by what it holds.
inline hwir::Module randomStep(std::mt19937& rng, hwir::Hazard hazard) {
  using hwir::Value;
  hwir::Builder b("random");
  const auto in = b.addInput("in", 40);
  const auto out = b.addOutput("out", 32);
  const auto side = b.addOutput("side", 16);
  const Value go = b.notOf(b.empty(in));
  const Value x = b.read(in, go);
  const Value key = x.slice(0, 3);
  std::vector<Value> pool{x.slice(3, 16), x.slice(19, 16), Value::constant(16, 0x1234)};
  const auto pick = [&] { return pool[rng() % pool.size()]; };
  const auto grow = [&](int n) {
    for (int i = 0; i < n; i++) {
      switch (rng() % 6) {
        case 0:
          pool.push_back(b.add(pick(), pick()));
          break;
        case 1:
          pool.push_back(b.xorOf(pick(), pick().shlConst(rng() % 16)));
          break;
        case 2:
          pool.push_back(b.mux(b.ult(pick(), pick()), pick(), pick()));
          break;
        case 3:
          pool.push_back(b.sub(pick(), pick()));
          break;
        case 4:
          pool.push_back(b.lshr(pick(), pick().slice(0, 4)));
          break;
        default:
          pool.push_back(b.mul(pick().slice(0, 8).zext(16), pick()));
          break;
      }
    }
  };
  grow(8);
  const auto table = b.addMemory("table", 16, 8, 1 + rng() % 3, hazard);
  const bool reads = rng() % 4 != 0;
  const Value old = b.memRead(table, b.andOf(go, Value::constant(1, reads)), key);
  const auto sum = b.addRegister("sum", 16);
  b.setNext(sum, b.mux(go, b.add(b.reg(sum), pick()), b.reg(sum)));
  const Value update = hazard == hwir::Hazard::kForward ? b.add(old, pick()) : pick();
  b.memWrite(table, b.andOf(go, x.bit(35)), rng() % 2 ? key : x.slice(36, 3), update);
  pool = {old, b.reg(sum), pick()};
  grow(6);
  b.write(out, go, pick().append(pick()));
  b.write(side, b.andOf(go, x.bit(39)), pool.back());
  return b.finish();
}

}  // namespace espalier::backend

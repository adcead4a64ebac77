// SPDX-License-Identifier: BSD-2-Clause-Patent
/// Stages that do nothing but take time, for tests of the stage graph.
#pragma once
#include <string>
#include <vector>

#include "backend/engine.hpp"
#include "hwir/builder.hpp"

namespace espalier::backend {

/// A stage that forwards each input to the output of the same index after `depth` stages.
inline Stage pass(const std::string& name, std::vector<std::string> ins,
                  std::vector<std::string> outs, unsigned depth) {
  hwir::Builder b(name);
  hwir::Value all;
  hwir::Value go = hwir::Value::constant(1, 1);
  std::vector<hwir::InputId> ids;
  for (const auto& port : ins) {
    ids.push_back(b.addInput(port, 8));
    go = b.andOf(go, b.notOf(b.empty(ids.back())));
  }
  for (auto id : ids) all = all.append(b.read(id, go));
  if (depth) {
    const auto mem = b.addMemory("delay", 8, 256, depth, hwir::Hazard::kForbid);
    all = b.memRead(mem, go, all.slice(0, 8));
  }
  for (const auto& port : outs) b.write(b.addOutput(port, 8), go, all.slice(0, 8));
  hwir::Module m = b.finish();
  Schedule s = schedule(m, {});
  return {std::move(m), std::move(s)};
}

}  // namespace espalier::backend

// SPDX-License-Identifier: BSD-2-Clause-Patent
#include <fmt/format.h>

#include <algorithm>
#include <nlohmann/json.hpp>

#include "backend/emit.hpp"
#include "backend/engine.hpp"

namespace espalier::backend {

using nlohmann::ordered_json;

namespace {

int deepest(const Schedule& s) {
  return *std::max_element(s.levels.begin(), s.levels.end());
}

ordered_json where(const hwir::SourceLoc& loc) {
  return {{"file", loc.file}, {"line", loc.line}};
}

ordered_json memoryReport(const hwir::Memory& m, const Schedule& s, unsigned i) {
  return {{"name", m.name},
          {"width", m.width},
          {"depth", m.depth},
          {"latency", m.latency},
          {"bits", uint64_t{m.width} * m.depth},
          {"stage", s.mem_read[i]},
          {"write_stage", s.mem_write[i]},
          {"source", where(m.loc)}};
}

ordered_json stageReport(const Stage& stage) {
  const hwir::Module& m = stage.module;
  const Schedule& s = stage.schedule;
  const FlipFlops ff = flipFlops(m, s);
  ordered_json r{
      {"name", m.name},           {"source", where(m.loc)},
      {"depth", s.stages},        {"flip_flops", {{"state", ff.state}, {"pipeline", ff.pipeline}}},
      {"levels_max", deepest(s)}, {"levels", s.levels}};
  r["memories"] = ordered_json::array();
  for (unsigned i = 0; i < m.memories.size(); i++) {
    r["memories"].push_back(memoryReport(m.memories[i], s, i));
  }
  r["recurrences"] = ordered_json::array();
  for (const Recurrence& x : s.recurrences) {
    r["recurrences"].push_back({{"registers", x.registers},
                                {"stage", x.stage},
                                {"levels", x.levels},
                                {"source", where(x.loc)}});
  }
  r["outputs"] = ordered_json::array();
  for (unsigned i = 0; i < m.outputs.size(); i++) {
    r["outputs"].push_back(
        {{"name", m.outputs[i].name}, {"width", m.outputs[i].width}, {"margin", margin(s, i)}});
  }
  return r;
}

}  // namespace

std::string report(const Engine& e, const FifoPlan& plan) {
  ordered_json r{{"engine", e.name}, {"source", where(e.loc)}, {"latency", plan.latency}};
  r["stages"] = ordered_json::array();
  for (const Stage& stage : e.stages) r["stages"].push_back(stageReport(stage));
  r["fifos"] = ordered_json::array();
  for (size_t i = 0; i < e.streams.size(); i++) {
    const Fifo& f = plan.fifos[i];
    if (f.writer < 0) continue;
    const Stream& s = e.streams[i];
    r["fifos"].push_back({{"name", s.name},
                          {"from", e.calls[f.writer].instance},
                          {"to", f.reader < 0 ? "" : e.calls[f.reader].instance},
                          {"width", s.width},
                          {"depth", f.depth},
                          {"minimum", f.minimum},
                          {"margin", f.margin},
                          {"wait", f.wait},
                          {"refill", f.refill - 1},
                          {"source", where(s.loc)}});
  }
  return r.dump(2) + "\n";
}

std::string summary(const Engine& e, const FifoPlan& plan) {
  std::string r = fmt::format("{:<16} {:>6} {:>8} {:>9} {:>10} {:>7} {:>12}\n", "stage", "depth",
                              "state", "pipeline", "mem bits", "levels", "recurrences");
  for (const Stage& stage : e.stages) {
    const FlipFlops ff = flipFlops(stage.module, stage.schedule);
    uint64_t bits = 0;
    for (const auto& m : stage.module.memories) bits += uint64_t{m.width} * m.depth;
    r += fmt::format("{:<16} {:>6} {:>8} {:>9} {:>10} {:>7} {:>12}\n", stage.module.name,
                     stage.schedule.stages, ff.state, ff.pipeline, bits, deepest(stage.schedule),
                     stage.schedule.recurrences.size());
  }
  for (size_t i = 0; i < e.streams.size(); i++) {
    const Fifo& f = plan.fifos[i];
    if (f.writer < 0) continue;
    r += fmt::format("fifo {:<24} {:>5} x {:<5} needs {}\n", e.streams[i].name, e.streams[i].width,
                     f.depth, f.minimum);
  }
  return r + fmt::format("{} cycles from the inputs to the last output\n", plan.latency);
}

}  // namespace espalier::backend

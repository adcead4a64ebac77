// SPDX-License-Identifier: BSD-2-Clause-Patent
#include <fmt/format.h>

#include <algorithm>

#include "backend/engine.hpp"

namespace espalier::backend {

namespace {

class TopEmitter {
 public:
  TopEmitter(const Engine& e, const FifoPlan& plan) : e_(e), plan_(plan) {}

  std::string run() {
    header();
    for (size_t i = 0; i < e_.streams.size(); i++) stream(i);
    for (const StageCall& call : e_.calls) instance(call);
    line("endmodule");
    return std::move(out_);
  }

 private:
  void line(const std::string& text) { out_ += text + "\n"; }

  bool isInput(size_t i) const { return plan_.fifos[i].writer < 0; }

  void header() {
    line("// SPDX-License-Identifier: BSD-2-Clause-Patent");
    line(fmt::format("// Made by hls2rtl from {}; do not edit.", e_.loc.str()));
    line(
        fmt::format("// {} stages; {} cycles from the inputs to the last output, if nothing waits.",
                    e_.calls.size(), plan_.latency));
    line(fmt::format("module {} (", e_.name));
    std::string ports = "  input  logic clk_i,\n  input  logic rst_i";
    for (size_t i = 0; i < e_.streams.size(); i++) {
      const Stream& s = e_.streams[i];
      if (!s.external) continue;
      const bool in = isInput(i);
      ports += fmt::format(
          ",\n\n  {} logic {}_tvalid,\n  {} logic [{}:0] {}_tdata,\n  {} logic {}_tready",
          in ? "input " : "output", s.name, in ? "input " : "output", s.width - 1, s.name,
          in ? "output" : "input ", s.name);
    }
    line(ports + "\n);");
  }

  void stream(size_t i) {
    const Stream& s = e_.streams[i];
    const Fifo& f = plan_.fifos[i];
    line("");
    if (isInput(i)) {
      line(fmt::format("  logic {0}_valid, {0}_ready;\n  logic [{1}:0] {0}_data;", s.name,
                       s.width - 1));
      line(
          fmt::format("  esp_skid #(.Width({0})) u_{1}_skid (\n"
                      "    .clk_i, .rst_i,\n"
                      "    .valid_i({1}_tvalid), .data_i({1}_tdata), .ready_o({1}_tready),\n"
                      "    .valid_o({1}_valid), .data_o({1}_data), .ready_i({1}_ready)\n  );",
                      s.width, s.name));
      return;
    }
    const std::string reader = f.reader < 0 ? "outside" : e_.calls[f.reader].instance;
    line(fmt::format(
        "  // {} -> {}: {} under way, {} in the FIFO, {} for slower ways, {} to refill",
        e_.calls[f.writer].instance, reader, f.margin, fifoLatency(f.depth), f.wait, f.refill - 1));
    line(
        fmt::format("  logic {0}_push, {0}_room;\n  logic [{1}:0] {0}_word;", s.name, s.width - 1));
    const bool out = f.reader < 0;
    if (!out) {
      line(fmt::format("  logic {0}_valid, {0}_ready;\n  logic [{1}:0] {0}_data;", s.name,
                       s.width - 1));
    }
    const std::string prefix = out ? s.name + "_t" : s.name + "_";
    line(fmt::format(
        "  esp_fifo #(.Width({0}), .Depth({1}), .Margin({2}), .BlockRam({3})) u_{4}_fifo (\n"
        "    .clk_i, .rst_i,\n"
        "    .valid_i({4}_push), .data_i({4}_word), .room_o({4}_room),\n"
        "    .valid_o({5}valid), .data_o({5}data), .ready_i({5}ready)\n  );",
        s.width, f.depth, f.margin, f.depth > kDistributedDepth ? "1'b1" : "1'b0", s.name, prefix));
  }

  void instance(const StageCall& call) {
    const hwir::Module& m = e_.stages[call.stage].module;
    line(fmt::format("\n  {} u_{} (", m.name, call.instance));
    std::string ports = "    .clk_i, .rst_i";
    for (const Connection& k : call.connections) {
      const std::string& s = e_.streams[k.stream].name;
      const bool reads = std::any_of(m.inputs.begin(), m.inputs.end(),
                                     [&](const auto& x) { return x.name == k.port; });
      ports += reads ? fmt::format(
                           ",\n    .{0}_valid_i({1}_valid), .{0}_data_i({1}_data), "
                           ".{0}_ready_o({1}_ready)",
                           k.port, s)
                     : fmt::format(
                           ",\n    .{0}_valid_o({1}_push), .{0}_data_o({1}_word), "
                           ".{0}_room_i({1}_room)",
                           k.port, s);
    }
    line(ports + "\n  );");
  }

  const Engine& e_;
  const FifoPlan& plan_;
  std::string out_;
};

}  // namespace

std::string emitTop(const Engine& engine, const FifoPlan& plan) {
  return TopEmitter(engine, plan).run();
}

}  // namespace espalier::backend

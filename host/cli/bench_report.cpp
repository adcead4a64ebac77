// SPDX-License-Identifier: BSD-2-Clause-Patent
#include "cli/bench_report.hpp"

#include <fmt/core.h>

#include <nlohmann/json.hpp>

#include "cli/capture.hpp"
#include "cli/occupancy.hpp"
#include "cli/plot.hpp"
#include "cli/workload.hpp"

namespace espalier::cli {
namespace {

std::string latency(const driver::LatencyCycles& l) {
  return l.jobs == 0 ? "-" : fmt::format("{}/{}/{}", l.minimum, l.median, l.maximum);
}

}  // namespace

void print_json(const BenchOptions& o, const std::string& device, const Figures& f) {
  nlohmann::json line = {{"device", device},
                         {"suite", o.suite},
                         {"mode", o.mode},
                         {"direction", o.direction},
                         {"size", f.size},
                         {"packets", f.packets},
                         {"inner_bytes", f.inner_bytes},
                         {"wall_ns", static_cast<std::uint64_t>(f.wall_ns)},
                         {"ns_per_packet", f.ns_per_packet()},
                         {"batch", o.batch},
                         {"sas", o.sas},
                         {"seed", o.seed}};
  if (f.simulated) {
    line["cycles"] = f.cycles;
    line["bytes_per_cycle"] = f.bytes_per_cycle();
    line["ceiling_bytes_per_cycle"] = f.ceiling();
    if (f.has_link()) {
      line["skew"] = o.skew;
      line["bound_bytes_per_cycle"] = f.bound();
      line["engine_in_cycles"] = f.where.engine_in;
      line["engine_out_cycles"] = f.where.engine_out;
      line["starved_cycles"] = f.where.starved;
      line["blocked_cycles"] = f.where.blocked;
    }
    line["of_ceiling"] = f.of_ceiling();
    line["port_busy"] = f.port_busy();
    line["latency_cycles_min"] = f.last.minimum;
    line["latency_cycles_p50"] = f.last.median;
    line["latency_cycles_max"] = f.last.maximum;
    if (f.first.jobs != 0) {
      line["first_beat_cycles_min"] = f.first.minimum;
      line["first_beat_cycles_p50"] = f.first.median;
      line["first_beat_cycles_max"] = f.first.maximum;
    }
    line["cycles_per_second"] = f.cycles_per_second();
  } else {
    line["gbit_s"] = f.gbit_s();
    line["rounds"] = o.rounds;
  }
  fmt::print("{}\n", line.dump());
}

void print_text(const Figures& f) {
  if (f.simulated)
    fmt::print(
        "{:>7} {:>8} {:>11} {:>10} {:>8.2f} {:>8.2f} {:>6.1f}% {:>5.1f}% {:>11} {:>11} {:>7.0f}\n",
        f.size, f.packets, f.inner_bytes, f.cycles, f.bytes_per_cycle(), f.ceiling(),
        100 * f.of_ceiling(), 100 * f.port_busy(), latency(f.first), latency(f.last),
        f.cycles_per_second() / 1000);
  if (f.has_link())
    fmt::print(
        "        bound {:.2f} by link and beats, {:.1f}% of it reached; of all cycles: beat in "
        "{:.1f}%, "
        "beat out {:.1f}%, starved {:.1f}%, blocked {:.1f}%\n",
        f.bound(), 100 * f.bytes_per_cycle() / f.bound(), f.share(f.where.engine_in),
        f.share(f.where.engine_out), f.share(f.where.starved), f.share(f.where.blocked));
  if (!f.simulated)
    fmt::print("{:>7} {:>8} {:>11} {:>12.1f} {:>8.2f}\n", f.size, f.packets, f.inner_bytes,
               f.ns_per_packet(), f.gbit_s());
}

void print_head(const BenchOptions& o, const std::string& device, bool simulated) {
  fmt::print("{} {} {} {}, batch {}, {} SA{} a direction\n", device, o.suite, o.mode, o.direction,
             o.batch, o.sas, o.sas == 1 ? "" : "s");
  if (simulated)
    fmt::print(
        "latency of lone packets in cycles, min/p50/max; kHz: simulated cycles a wall second\n"
        "{:>7} {:>8} {:>11} {:>10} {:>8} {:>8} {:>7} {:>6} {:>11} {:>11} {:>7}\n",
        "size", "packets", "bytes", "cycles", "B/cycle", "ceiling", "of it", "port", "first out",
        "last out", "kHz");
  else
    fmt::print("{:>7} {:>8} {:>11} {:>12} {:>8}\n", "size", "packets", "bytes", "ns/packet",
               "Gbit/s");
}

void write_plot(const BenchOptions& o, const std::string& device, const std::vector<Figures>& all) {
  const bool simulated = !all.empty() && all.front().simulated;
  Curve got{device, {}, Curve::Style::points};
  for (const Figures& f : all) {
    if (f.size == "imix" || f.size == "random") continue;
    const double size = std::stod(f.size);
    got.points.emplace_back(size, simulated ? f.bytes_per_cycle() : f.ns_per_packet());
  }
  std::sort(got.points.begin(), got.points.end());
  std::vector<Curve> curves;
  if (simulated) {
    WorkloadOptions workload;
    workload.suite = o.suite;
    workload.mode = parse_mode(o.mode);
    curves.push_back({"ceiling: one 64-octet beat a cycle",
                      ceiling_curve(workload, static_cast<std::uint32_t>(got.points.front().first),
                                    static_cast<std::uint32_t>(got.points.back().first)),
                      Curve::Style::thin});
  }
  curves.push_back(got);
  write_text(o.plot, plot_svg(fmt::format("{} {} {} {}", device, o.suite, o.mode, o.direction),
                              simulated ? "clear octets a cycle" : "ns a packet", curves));
}

void write_occupancy(const BenchOptions& o, const std::string& device, const std::string& size,
                     const driver::Occupancy& occupancy) {
  write_text(o.occupancy, occupancy_svg(fmt::format("{} {} {} {}, {} octets", device, o.suite,
                                                    o.mode, o.direction, size),
                                        occupancy));
}

}  // namespace espalier::cli

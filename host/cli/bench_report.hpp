// SPDX-License-Identifier: BSD-2-Clause-Patent
// What espalier bench was asked and what it found: as a table, as JSON, as pictures.
#pragma once

#include <algorithm>
#include <cstdint>
#include <string>
#include <vector>

#include "espalier/driver/device.hpp"
#include "espalier/driver/occupancy.hpp"

namespace espalier::cli {

struct BenchOptions {
  std::string device = "auto";
  std::string suite = "aes256gcm16";
  std::string mode = "tunnel4";
  std::string direction = "seal";
  std::string sizes = "64,imix,1500,9000";
  std::size_t packets = 0;
  std::uint32_t batch = 64;
  std::uint32_t sas = 1;
  unsigned rounds = 15;
  std::uint32_t skew = 0;
  std::uint64_t seed = 1;
  bool json = false;
  std::string plot, occupancy, waves;
};

struct Figures {
  std::string size;
  std::size_t packets = 0;
  std::uint64_t inner_bytes = 0;
  double wall_ns = 0;
  std::uint64_t cycles = 0;
  std::uint64_t beats_in = 0, beats_out = 0, beats = 0;  ///< As the workload has them.
  driver::LatencyCycles last, first;  ///< Lone packets: to the last and to the first beat out.
  driver::LinkCycles link;            // all packets'
  driver::CycleCounters where;        // the cycles went
  bool simulated = false;

  double ns_per_packet() const { return wall_ns / static_cast<double>(packets); }
  double gbit_s() const { return 8.0 * static_cast<double>(inner_bytes) / wall_ns; }
  double bytes_per_cycle() const {
    return cycles == 0 ? 0 : static_cast<double>(inner_bytes) / static_cast<double>(cycles);
  }
  /// One packet after the other, none can pass faster than its longer side's 64-octet beats.
  double ceiling() const {
    return beats == 0 ? 0 : static_cast<double>(inner_bytes) / static_cast<double>(beats);
  }
  /// What the link and the ceiling allow.
  double bound() const {
    return static_cast<double>(inner_bytes) /
           std::max({static_cast<double>(beats), link.up, link.down});
  }
  bool has_link() const { return link.up != 0; }
  double of_ceiling() const { return ratio(beats); }
  /// The share of cycles in which the busier port moves a beat.  Packets may overlap, one that
  /// grows with one that shrinks: this can't exceed 1, of_ceiling() can.
  double port_busy() const { return ratio(std::max(beats_in, beats_out)); }
  double cycles_per_second() const { return 1e9 * static_cast<double>(cycles) / wall_ns; }
  double share(std::uint64_t of) const { return 100 * ratio(of); }

 private:
  double ratio(std::uint64_t of) const {
    return cycles == 0 ? 0 : static_cast<double>(of) / static_cast<double>(cycles);
  }
};

/// The line over a table of text.
void print_head(const BenchOptions& options, const std::string& device, bool simulated);
void print_text(const Figures& figures);
/// One object a line.
void print_json(const BenchOptions& options, const std::string& device, const Figures& figures);
/// To options.plot: figures over sizes, those that are numbers.
void write_plot(const BenchOptions& options, const std::string& device,
                const std::vector<Figures>& all);
/// To options.occupancy: what the engine's stages did.
void write_occupancy(const BenchOptions& options, const std::string& device,
                     const std::string& size, const driver::Occupancy& occupancy);

}  // namespace espalier::cli

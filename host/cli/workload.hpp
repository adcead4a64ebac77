// SPDX-License-Identifier: BSD-2-Clause-Patent
// Traffic to measure with: SAs of one suite and mode, and the packets for them.
#pragma once

#include <cstdint>
#include <random>
#include <string>
#include <utility>
#include <vector>

#include "cli/rig.hpp"
#include "espalier/context.hpp"

namespace espalier::cli {

/// A mode by its name on the command line: tunnel4, tunnel6, transport4, transport6, each with
/// -natt if wanted.
struct ModeName {
  driver::Mode mode = driver::Mode::tunnel;
  Family family = Family::ipv4;
  bool natt = false;
};
ModeName parse_mode(const std::string& name);  ///< Throws Failure.

enum class Mix : std::uint8_t {
  seal,
  open,
  both,          ///< Seal and open in turn.
  mixed_random,  ///< Each packet a random SA, hence a random direction.
};
Mix parse_mix(const std::string& name);  ///< Throws Failure.

/// Sizes of clear packets in octets, by name: a number, `imix` (40, 576 and 1500, 7:4:1, shuffled),
/// or `random` (40 to 1500, even).  Throws Failure if it is neither or does not suit the family.
std::vector<std::uint32_t> packet_sizes(const std::string& name, Family family, std::size_t count,
                                        std::mt19937_64& random);

/// A sound SA with random keys; `index` keeps SPIs apart.
SaConfig make_sa(const std::string& suite, const ModeName& mode, driver::Direction direction,
                 std::uint32_t index, std::mt19937_64& random);

/// A UDP packet of `octets` octets with a right header and random payload.
Octets make_packet(Family family, std::uint32_t octets, std::mt19937_64& random);

/// One packet of a run.
struct Item {
  std::uint32_t sa = 0;  ///< Index into the SAs.
  std::uint32_t clear_size = 0;
  Octets source;
  std::uint32_t result_size = 0;
};

/// A run's SAs and packets.  What is opened was sealed by the software device, with numbers from 1
/// on for each SA.
struct Workload {
  std::vector<SaConfig> sas;
  std::vector<Item> items;
  std::uint64_t clear_bytes = 0;
  // Sums over packets of 64-octet beats: sources, results, and the longer of the two.
  std::uint64_t beats_in = 0, beats_out = 0, beats = 0;
};

struct WorkloadOptions {
  std::string suite = "aes256gcm16";  ///< Or several, comma-separated: the SAs' in turn.
  ModeName mode;
  Mix mix = Mix::seal;
  std::string size = "1500";
  std::size_t packets = 2048;
  std::uint32_t sas = 1;  ///< SAs in each direction the mix has.
  std::uint64_t seed = 1;
};
Workload make_workload(const WorkloadOptions& options);

/// Clear octets a cycle at most, over clear sizes `low` to `high`: one 64-octet beat a cycle of the
/// longer, sealed packet.  The corners of the curve and points between, by rising size.
std::vector<std::pair<double, double>> ceiling_curve(const WorkloadOptions& options,
                                                     std::uint32_t low, std::uint32_t high);

}  // namespace espalier::cli

// SPDX-License-Identifier: BSD-2-Clause-Patent
/// Arrival times in LUT6 levels, bit by bit.
///
/// Each bit remembers the LUT it would come out of: its level and that LUT's inputs.  A consumer
/// either merges its own function into that LUT (if six inputs suffice) or starts the next level.
/// So 3 AND-XOR pairs, a 4:1 mux or any function of six bits is one level, as a mapper would have
/// it.  Adders and comparisons of more than three bits are carry chains: one level, and nothing
/// merges into it.
#pragma once
#include <array>
#include <cstdint>
#include <vector>

#include "hwir/hwir.hpp"

namespace espalier::backend {

inline constexpr unsigned kLutInputs = 6;

/// Where a bit comes from: `level` LUTs after a register, the last of them with these inputs.
struct Arrival {
  uint8_t level = 0;
  uint8_t inputs = 0;
  bool opaque = false;  ///< a carry chain, ROM or DSP: nothing can be merged into it
  uint32_t id = 0;      ///< the bit itself
  std::array<uint32_t, kLutInputs> input{};

  bool isConstant() const { return level == 0 && inputs == 0; }
};

/// The stage each node is computed in; a value from an earlier stage comes out of a register.
using Stages = std::vector<int>;

class Timing {
 public:
  Timing(const hwir::Module& module, const Stages& stages);

  /// Arrival of all bits of a node in its stage, from its operands' in theirs.
  void compute(hwir::NodeId id);
  /// Deepest bit of a node in its own stage.
  int level(hwir::NodeId id) const;
  /// Deepest bit of a value as it is seen in `stage`.
  int level(const hwir::Value& value, int stage) const;
  /// Deepest bit and largest number of LUT inputs among bits of that depth.
  std::pair<int, int> cost(const hwir::Value& value, int stage) const;

 private:
  Arrival seen(const hwir::Seg& seg, unsigned bit, int stage) const;
  std::vector<Arrival> seen(const hwir::Value& value, int stage) const;
  Arrival merge(std::vector<Arrival> from, uint32_t id) const;
  Arrival reduce(std::vector<Arrival> from, uint32_t id);
  Arrival opaque(int level, uint32_t id) const;
  Arrival shifted(const std::vector<Arrival>& data, const hwir::Node& n,
                  const std::vector<Arrival>& amount, unsigned bit, uint32_t id) const;
  void computeBits(const hwir::Node& n, uint32_t base, int stage);

  const hwir::Module& m_;
  const Stages& stages_;
  std::vector<uint32_t> base_;  ///< first bit of each node in arrivals_
  std::vector<Arrival> arrivals_;
  uint32_t next_id_;  ///< for LUTs inside one node
};

}  // namespace espalier::backend

// SPDX-License-Identifier: BSD-2-Clause-Patent
// The one source of chance in a simulation: splitmix64, reproducible from its seed (D9).
#pragma once

#include <cstdint>

namespace espalier::sim {

class Random {
 public:
  explicit Random(std::uint64_t seed) : state_(seed) {}
  std::uint64_t next() {
    std::uint64_t z = state_ += 0x9e3779b97f4a7c15ull;
    z = (z ^ (z >> 30)) * 0xbf58476d1ce4e5b9ull;
    z = (z ^ (z >> 27)) * 0x94d049bb133111ebull;
    return z ^ (z >> 31);
  }
  /// 0 to n - 1; n > 0.
  std::uint64_t below(std::uint64_t n) { return next() % n; }
  /// True with this probability.  Draws nothing for 0, so that switched-off faults cost nothing.
  bool chance(double probability) {
    return probability > 0 && static_cast<double>(next() >> 11) * 0x1.0p-53 < probability;
  }

 private:
  std::uint64_t state_;
};

}  // namespace espalier::sim

// SPDX-License-Identifier: BSD-2-Clause-Patent
// The SAs the library and a Linux kernel share, and how each of the two is told of them.
#pragma once

#include <string>
#include <vector>

#include "espalier/address.hpp"
#include "espalier/driver/suite.hpp"
#include "espalier/sa.hpp"

namespace espalier::interop {

/// One suite in one mode: a pair of SAs, told apart by the case's own addresses and SPIs.
struct Case {
  unsigned index = 0;
  driver::Suite suite;
  driver::Mode mode = driver::Mode::tunnel;
  driver::Family outer = driver::Family::ipv4;
  driver::Family inner = driver::Family::ipv4;
  bool esn = false;  ///< Its numbers begin just below a wrap of the low half.
  bool natt = false;

  std::string name() const;  ///< As the command line spells it: aes256gcm16_tunnel4_esn.
  std::uint32_t spi(driver::Direction direction) const;  ///< As the library sees the direction.

  /// The clear packet's ends: the library's, the kernel's.
  Address near() const;
  Address far() const;
  /// The protected packet's ends.
  Address outer_near() const;
  Address outer_far() const;

  /// The library's SA.
  SaConfig config(driver::Direction direction) const;
  /// Lines for `ip -batch`: the kernel's two states and two policies.
  std::string states() const;
};

/// Every suite that Linux has too, in every mode.
const std::vector<Case>& all_cases();

}  // namespace espalier::interop

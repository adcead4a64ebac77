// SPDX-License-Identifier: BSD-2-Clause-Patent
// An IP address of either family.
#pragma once

#include <algorithm>
#include <array>
#include <cstdint>
#include <optional>
#include <string>
#include <string_view>

#include "espalier/driver/sa_parameters.hpp"

namespace espalier {

using driver::Family;

/// IPv4 (first four octets) or IPv6, wire order.  Octets past the family's length are zero, so that
/// equality is equality of all members.
struct Address {
  Family family = Family::ipv4;
  std::array<std::uint8_t, 16> octets{};

  unsigned size() const { return family == Family::ipv4 ? 4 : 16; }
  bool is_multicast() const {
    return family == Family::ipv4 ? (octets[0] & 0xf0) == 0xe0 : octets[0] == 0xff;
  }
  bool operator==(const Address&) const = default;

  static Address from(Family family, const std::uint8_t* wire) {
    Address a;
    a.family = family;
    std::copy(wire, wire + a.size(), a.octets.begin());
    return a;
  }
  /// Text of either family; empty if it is neither.
  static std::optional<Address> parse(const std::string& text);
  std::string text() const;
};

/// An address and how many leading bits count, as in 10.0.0.0/8.
struct Prefix {
  Address address;
  unsigned bits = 0;

  bool contains(const Address& a) const;
  /// "address" or "address/bits"; empty if malformed.
  static std::optional<Prefix> parse(const std::string& text);
};

}  // namespace espalier

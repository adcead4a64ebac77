// SPDX-License-Identifier: BSD-2-Clause-Patent
// L2: which packets a policy or an SA is for (RFC 4301 4.4.1.1).
#pragma once

#include <cstdint>
#include <optional>
#include <string>
#include <vector>

#include "espalier/address.hpp"

namespace espalier {

/// Addresses of one family from `first` to `last`, both included.
struct AddressRange {
  Address first, last;

  static AddressRange of(const Prefix& prefix);
  /// "10.0.0.0/8", "10.0.0.1" or "10.0.0.1-10.0.0.9"; empty if malformed or backwards.
  static std::optional<AddressRange> parse(const std::string& text);
};

/// Numbers from `first` to `last`, both included.
struct ValueRange {
  std::uint16_t first = 0;
  std::uint16_t last = 0xffff;
};

/// One selector with 16-bit values.  ANY matches always, OPAQUE when the packet does not show the
/// value (a later fragment, a protocol that has none), ranges when it shows one of them.
struct ValueSet {
  bool any = true;
  bool opaque = false;  ///< With any false.
  std::vector<ValueRange> ranges;

  static ValueSet of(std::vector<ValueRange> ranges) { return {false, false, std::move(ranges)}; }
  static ValueSet one(std::uint16_t value) { return of({{value, value}}); }
  static ValueSet hidden() { return {false, true, {}}; }
};

/// All of its members must match; an empty list of addresses or protocols matches everything.
/// Local is the protected side: the source of outbound packets, the destination of others.
struct Selector {
  std::vector<AddressRange> local, remote;
  std::vector<ValueRange> protocols;  ///< Next layer protocols, 0 to 255.
  ValueSet local_ports, remote_ports;
  /// Of ICMP and ICMPv6: type in the high octet, code in the low one.  Of Mobility Headers: the MH
  /// type in the high octet.
  ValueSet types;
};

}  // namespace espalier

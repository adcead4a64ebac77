// SPDX-License-Identifier: BSD-2-Clause-Patent
#include "policy/flow.hpp"

#include "packet/octets.hpp"

namespace espalier {

WideAddress wide(const Address& address) noexcept {
  return wide(address.family, address.octets.data());
}
Address narrow(Family family, const WideAddress& address) noexcept {
  Address out;
  out.family = family;
  if (family == Family::ipv4) {
    store_be32(out.octets.data(), static_cast<std::uint32_t>(address[1]));
  } else {
    store_be64(out.octets.data(), address[0]);
    store_be64(out.octets.data() + 8, address[1]);
  }
  return out;
}

WideAddress Flow::address(bool source) const noexcept {
  std::uint8_t octets[sizeof addresses];
  std::memcpy(octets, addresses, sizeof octets);
  return wide(family(), octets + (source ? 0 : family() == Family::ipv4 ? 4 : 16));
}

Fragment fragment_of(const std::uint8_t* packet, const IpHeader& ip) noexcept {
  Fragment out;
  out.protocol = ip.protocol;
  out.offset = fragment_offset(packet, ip.family, ip.header_length);
  if (ip.family == Family::ipv4) {
    out.more = (packet[6] & 0x20) != 0;
    out.id = ip.identity;
    return out;
  }
  out.header = ip.header_length - 8;
  out.more = (packet[out.header + 3] & 1) != 0;
  out.id = load_be32(packet + out.header + 4);
  return out;
}

}  // namespace espalier

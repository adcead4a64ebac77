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

std::uint32_t Flow::port(bool source) const noexcept {
  if (shows() != Shows::ports) return kHidden;
  const auto both = static_cast<std::uint32_t>(meta >> 32);
  std::uint8_t octets[sizeof both];
  std::memcpy(octets, &both, sizeof octets);
  return load_be16(octets + (source ? 0 : 2));
}

Fragment fragment_of(const std::uint8_t* packet, const IpHeader& ip) noexcept {
  Fragment out;
  out.protocol = ip.protocol;
  if (ip.family == Family::ipv4) {
    const std::uint16_t word = load_be16(packet + 6);
    out.more = (word & 0x2000) != 0;
    out.offset = (word & 0x1fffu) * 8;
    out.id = ip.identity;
    return out;
  }
  out.header = ip.header_length - 8;  // parse_ip() stops behind the fragment header
  const std::uint16_t word = load_be16(packet + out.header + 2);
  out.more = (word & 1) != 0;
  out.offset = word & 0xfff8u;
  out.id = load_be32(packet + out.header + 4);
  return out;
}

}  // namespace espalier

// SPDX-License-Identifier: BSD-2-Clause-Patent
#include "policy/flow.hpp"

#include "packet/octets.hpp"

namespace espalier {
namespace {

enum : std::uint8_t {
  kIcmp = 1,
  kTcp = 6,
  kUdp = 17,
  kDccp = 33,
  kIcmp6 = 58,
  kSctp = 132,
  kMobility = 135,
  kUdpLite = 136,
};

std::uint64_t load_be64(const std::uint8_t* p) {
  return static_cast<std::uint64_t>(load_be32(p)) << 32 | load_be32(p + 4);
}

}  // namespace

WideAddress wide(Family family, const std::uint8_t* octets) noexcept {
  if (family == Family::ipv4) return {0, load_be32(octets)};
  return {load_be64(octets), load_be64(octets + 8)};
}
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

Flow flow_of(Way way, std::span<const std::uint8_t> packet, const IpHeader& ip) noexcept {
  std::uint32_t source_port = Flow::kHidden, destination_port = Flow::kHidden, type = Flow::kHidden;
  const bool first = !ip.fragment || fragment_of(packet.data(), ip).offset == 0;
  if (first && ip.length >= ip.header_length + 4) {
    const std::uint8_t* p = packet.data() + ip.header_length;
    switch (ip.protocol) {
      case kTcp:
      case kUdp:
      case kUdpLite:
      case kSctp:
      case kDccp:
        source_port = load_be16(p);
        destination_port = load_be16(p + 2);
        break;
      case kIcmp:
      case kIcmp6:
        type = load_be16(p);
        break;
      case kMobility:  // RFC 6275 6.1.1: next header, length, MH type
        type = static_cast<std::uint32_t>(p[2]) << 8;
        break;
      default:
        break;
    }
  }
  Flow flow;
  const WideAddress source = wide(ip.family, ip.source);
  const WideAddress destination = wide(ip.family, ip.destination);
  if (way == Way::out) {
    flow.local = source;
    flow.remote = destination;
    flow.meta = Flow::make_meta(way, ip.family, ip.protocol, source_port, destination_port, type);
  } else {
    flow.local = destination;
    flow.remote = source;
    flow.meta = Flow::make_meta(way, ip.family, ip.protocol, destination_port, source_port, type);
  }
  return flow;
}

}  // namespace espalier

// SPDX-License-Identifier: BSD-2-Clause-Patent
// Inbound (RFC 4303 3.4): finds ESP or AH in a packet, infers the 64-bit number, checks the replay
// window, and fixes the job's inputs (D2) before a device is chosen.
//
// The way of most packets, one segment of IPv4, is inlined into Queue::submit(); the rest is in
// open.cpp.
#pragma once

#include "freeze/source.hpp"
#include "packet/octets.hpp"
#include "sa/sa.hpp"

namespace espalier::freeze {

inline constexpr std::uint32_t kNumbersEnd =
    12;  // SPI and sequence number end here at the latest: AH

/// Octets to ESP or AH; 0 if the packet carries neither, in the way this SA has it.
[[gnu::always_inline]] inline std::uint32_t find_esp(const SaPlan& plan,
                                                     const IpHeader& ip) noexcept {
  if (plan.udp) return ip.protocol == kProtocolUdp ? ip.header_length + kUdpHeader : 0;
  return ip.protocol == (plan.ah ? kProtocolAh : kProtocolEsp) ? ip.header_length : 0;
}

/// The packet's 64-bit number, as far as the SA can tell (RFC 4303 3.4.3).
[[gnu::always_inline]] inline std::uint64_t number_of(const Sa& sa, std::uint32_t low) noexcept {
  if (!sa.plan.esn) return low;
  return infer_number(low, sa.window.highest(), sa.window.size());
}

/// With the header parsed; `head`: the packet's first `have` octets, of `total`.  Inlined, so that
/// what was parsed stays in registers.
[[gnu::always_inline]] inline Drop open_parsed(const Sa& sa, const Job& in, const IpHeader& ip,
                                               const std::uint8_t* head, std::size_t have,
                                               std::uint32_t total, Pending& out) noexcept {
  const SaPlan& plan = sa.plan;
  if (ip.fragment) return Drop::fragment;
  const std::uint32_t at = find_esp(plan, ip);
  if (at == 0) return Drop::no_sa;
  if (ip.length < at + plan.least || have < at + kNumbersEnd) return Drop::bad_length;
  const std::uint8_t* esp = head + at;
  if (load_be32(esp + plan.spi_offset) != sa.spi) return Drop::spi_mismatch;

  const std::uint64_t number = number_of(sa, load_be32(esp + plan.sequence_offset));
  out.result.number = number;
  if (sa.window.on() && !sa.window.check(number)) return Drop::replayed;

  driver::Job& job = out.job;
  job.direction = driver::Direction::open;
  job.parsed = ip.family == sa.outer;  // else not what the SA is for: the device will say so
  job.sequence_number = number;
  job.header_length = static_cast<std::uint16_t>(at);
  out.body = plan.ah ? ip.length : ip.length - at - plan.least + 2;
  out.octets = ip.length;
  if (in.destination.empty()) {
    const std::uint32_t kept = plan.tunnel ? at : plan.udp ? kUdpHeader : 0;
    if (!place(in, kept + plan.front - plan.head, out)) return Drop::no_room;
  }
  if (total != ip.length) cut_source(ip.length, out);
  return Drop::none;
}

/// A packet whose first octets have to be gathered, or that is not IPv4.
Drop open_other(const Sa& sa, const Job& in, std::uint32_t total, Pending& out) noexcept;

/// Returns Drop::none or why the packet can't be opened.
[[gnu::always_inline]] inline Drop open(const Sa& sa, const Job& in, Pending& out) noexcept {
  if (!plain(in)) [[unlikely]]
    return open_other(sa, in, take_lists(in, out), out);
  const Segment packet = take_plain(in, out);
  if (packet.length == 0 || packet.data[0] >> 4 != 4) [[unlikely]]
    return open_other(sa, in, packet.length, out);
  IpHeader ip;
  const std::uint32_t length = packet.length;
  const Drop drop = parse_ipv4({packet.data, length}, length, ip);
  return drop != Drop::none ? drop : open_parsed(sa, in, ip, packet.data, length, length, out);
}

}  // namespace espalier::freeze

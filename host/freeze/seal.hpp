// SPDX-License-Identifier: BSD-2-Clause-Patent
// Outbound (RFC 4303 3.3): turns a packet and its SA into a job with every input fixed (D2), before
// a device is chosen: placement, padding, outer header fields.  Number and IV come later, when a
// device has been found.
//
// The way of most packets, one segment of IPv4, is inlined into Queue::submit(); the rest is in
// seal.cpp.
#pragma once

#include <cstring>

#include "freeze/source.hpp"
#include "packet/octets.hpp"
#include "sa/sa.hpp"

namespace espalier::freeze {

/// The outer header of a tunnel, as far as it does not depend on the number.
[[gnu::always_inline]] inline void resolve_outer(const Sa& sa, const IpHeader& inner,
                                                 driver::Job& job) noexcept {
  const OuterPlan& plan = sa.head;
  const unsigned mapped = plan.map_dscp ? (*sa.config.dscp_map)[inner.tos >> 2] << 2 : 0;
  job.tos = static_cast<std::uint8_t>((inner.tos & plan.tos_keep) | plan.tos_set | mapped);
  job.ttl = plan.ttl;
  const bool v4 = inner.family == Family::ipv4;
  job.dont_fragment = plan.df_set | (plan.df_keep & (v4 && inner.dont_fragment));
  job.identity = plan.flow_set | (v4 ? 0 : inner.identity & plan.flow_keep);
}

/// Padding and lengths of a packet of `clear` octets, TFC padding included.
[[gnu::always_inline]] inline Drop size_seal(const SaPlan& plan, std::uint32_t clear,
                                             Pending& out) noexcept {
  std::uint32_t result = clear + plan.fixed;
  if (plan.ah) {
    out.job.pad_length = 0;
    out.body = result;
  } else {
    const std::uint32_t body = clear - out.job.header_length + 2;
    out.job.pad_length = static_cast<std::uint8_t>((0u - body) & (plan.alignment - 1u));
    out.body = body + out.job.pad_length;
    result += out.job.pad_length;
  }
  if (result > driver::kMaxPacket) return Drop::too_long;
  if (out.destination_room < result) return Drop::no_room;
  out.octets = result;
  return Drop::none;
}

/// With the header parsed.  Inlined, so that what was parsed stays in registers.
[[gnu::always_inline]] inline Drop seal_parsed(const Sa& sa, const Job& in, const IpHeader& ip,
                                               std::uint32_t total, Pending& out) noexcept {
  const SaPlan& plan = sa.plan;
  driver::Job& job = out.job;
  job.direction = driver::Direction::seal;
  job.parsed = true;
  job.tfc_length = 0;
  job.header_length = 0;
  job.identity = 0;
  if (plan.tunnel) {
    resolve_outer(sa, ip, job);
    if (!plan.ah) job.tfc_length = in.tfc_length;
  } else {
    if (ip.fragment) return Drop::fragment;
    if (ip.family != sa.outer) return Drop::bad_argument;
    job.header_length = static_cast<std::uint16_t>(ip.header_length);
  }
  if (in.destination.empty() && !place(in, -std::int64_t{plan.front}, out)) return Drop::no_room;
  if (const Drop drop = size_seal(plan, ip.length + job.tfc_length, out); drop != Drop::none)
    return drop;
  if (total != ip.length) cut_source(ip.length, out);
  if (plan.iv == IvKind::caller) [[unlikely]] {
    if (in.iv == nullptr) return Drop::bad_argument;
    std::memcpy(job.iv.data(), in.iv, plan.iv_length);
  }
  return Drop::none;
}

/// A dummy packet (RFC 4303 2.6): nothing but TFC padding.
Drop seal_dummy(const Sa& sa, const Job& in, Pending& out) noexcept;
/// A packet whose first octets have to be gathered, or that is not IPv4.
Drop seal_other(const Sa& sa, const Job& in, std::uint32_t total, Pending& out) noexcept;

/// Returns Drop::none or why the packet can't be sealed.
[[gnu::always_inline]] inline Drop seal(const Sa& sa, const Job& in, Pending& out) noexcept {
  if (in.dummy) [[unlikely]]
    return seal_dummy(sa, in, out);
  if (!plain(in)) [[unlikely]]
    return seal_other(sa, in, take_lists(in, out), out);
  const Segment packet = take_plain(in, out);
  if (packet.length == 0 || packet.data[0] >> 4 != 4) [[unlikely]]
    return seal_other(sa, in, packet.length, out);
  IpHeader ip;
  const Drop drop = parse_ipv4({packet.data, packet.length}, packet.length, ip);
  return drop != Drop::none ? drop : seal_parsed(sa, in, ip, packet.length, out);
}

/// Gives a frozen outbound job its number, and what follows from it: counter IV, identification.
[[gnu::always_inline]] inline void number(const Sa& sa, std::uint64_t number,
                                          Pending& pending) noexcept {
  driver::Job& job = pending.job;
  job.sequence_number = number;
  pending.result.number = number;
  if (sa.plan.iv == IvKind::counter) store_be64(job.iv.data(), sa.sender | number);
  job.identity |= number & sa.head.number_keep;
}

}  // namespace espalier::freeze

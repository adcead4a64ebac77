// SPDX-License-Identifier: BSD-2-Clause-Patent
#include "freeze/freeze.hpp"
#include "freeze/source.hpp"
#include "packet/octets.hpp"

namespace espalier {
namespace {

constexpr std::uint8_t kEcn = 3;
constexpr std::uint32_t kFlowLabel = 0xfffff;

/// The outer header of a tunnel (RFC 4301 5.1.2.1, RFC 6040 4.1).
void resolve_outer(const Sa& sa, const IpHeader& inner, driver::Job& job) noexcept {
  const unsigned dscp = sa.map_dscp    ? sa.dscp_map[inner.tos >> 2]
                        : sa.copy_dscp ? inner.tos >> 2
                                       : sa.dscp;
  job.tos = static_cast<std::uint8_t>(dscp << 2 | (sa.copy_ecn ? inner.tos & kEcn : 0));
  job.ttl = sa.ttl;
  job.dont_fragment = sa.dont_fragment == DontFragment::set ||
                      (sa.dont_fragment == DontFragment::copy && inner.family == Family::ipv4 &&
                       inner.dont_fragment);
  job.identity = 0;
  if (sa.outer == Family::ipv6)
    job.identity = !sa.copy_flow_label            ? sa.flow_label
                   : inner.family == Family::ipv6 ? inner.identity & kFlowLabel
                                                  : 0;
}

/// Padding and lengths of a packet of `clear` octets, TFC padding included.
Drop size(const SaPlan& plan, std::uint32_t clear, Pending& out) noexcept {
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

/// A dummy packet (RFC 4303 2.6): nothing but TFC padding.
Drop freeze_dummy(const Sa& sa, const Job& in, Pending& out) noexcept {
  const SaPlan& plan = sa.plan;
  if (!plan.tunnel || plan.ah || plan.iv == IvKind::caller || !take_destinations(in, out))
    return Drop::bad_argument;
  driver::Job& job = out.job;
  job.direction = driver::Direction::seal;
  job.header_length = 0;
  IpHeader none;
  none.family = sa.outer;
  resolve_outer(sa, none, job);
  job.tfc_length = in.tfc_length;
  return size(plan, in.tfc_length, out);
}

/// With the header parsed.  Inlined for each family, so that what was parsed stays in registers.
[[gnu::always_inline]] inline Drop freeze_parsed(const Sa& sa, const Job& in, const IpHeader& ip,
                                                 std::uint32_t total, Pending& out) noexcept {
  const SaPlan& plan = sa.plan;
  driver::Job& job = out.job;
  job.direction = driver::Direction::seal;
  job.tfc_length = 0;
  job.header_length = 0;
  if (plan.tunnel) {
    resolve_outer(sa, ip, job);
    if (!plan.ah) job.tfc_length = in.tfc_length;
  } else {
    if (ip.fragment) return Drop::fragment;
    if (ip.family != sa.outer) return Drop::bad_argument;
    job.header_length = static_cast<std::uint16_t>(ip.header_length);
  }
  if (in.destination.empty() && !place(in, -std::int64_t{plan.front}, out)) return Drop::no_room;
  if (const Drop drop = size(plan, ip.length + job.tfc_length, out); drop != Drop::none)
    return drop;
  if (total != ip.length) cut_source(ip.length, out);
  if (plan.iv == IvKind::caller) std::memcpy(job.iv.data(), in.iv, plan.iv_length);
  return Drop::none;
}

[[gnu::noinline]] Drop freeze_other(const Sa& sa, const Job& in, std::span<const std::uint8_t> head,
                                    std::uint32_t total, Pending& out) noexcept {
  IpHeader ip;
  const Drop drop = parse_ip(head, total, ip);
  return drop != Drop::none ? drop : freeze_parsed(sa, in, ip, total, out);
}

}  // namespace

Drop freeze_seal(const Sa& sa, const Job& in, Pending& out) noexcept {
  if (in.dummy) return freeze_dummy(sa, in, out);
  const std::uint32_t total = take_segments(in, out);
  if (total == 0 || (sa.plan.iv == IvKind::caller && in.iv == nullptr)) return Drop::bad_argument;
  HeadCopy copy;
  const std::span head = head_of(out.job.source, total, copy);
  if (head[0] >> 4 != 4) return freeze_other(sa, in, head, total, out);
  IpHeader ip;
  const Drop drop = parse_ipv4(head, total, ip);
  return drop != Drop::none ? drop : freeze_parsed(sa, in, ip, total, out);
}

}  // namespace espalier

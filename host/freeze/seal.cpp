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
  const std::uint8_t dscp = sa.copy_dscp ? inner.tos & static_cast<std::uint8_t>(~kEcn)
                                         : static_cast<std::uint8_t>(sa.dscp << 2);
  job.tos = static_cast<std::uint8_t>(dscp | (sa.copy_ecn ? inner.tos & kEcn : 0));
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

}  // namespace

Drop freeze_seal(const Sa& sa, const Job& in, Pending& out) noexcept {
  const SaPlan& plan = sa.plan;
  const std::uint32_t total = take_segments(in, out);
  if (total == 0 || (plan.iv == IvKind::caller && in.iv == nullptr)) return Drop::bad_argument;
  Head head;
  head.read(out.job.source, total);
  IpHeader ip;
  if (const Drop drop = parse_ip(head.octets(), total, ip); drop != Drop::none) return drop;

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
  std::uint32_t result = ip.length + plan.fixed;
  if (plan.ah) {
    job.pad_length = 0;
    out.body = result;
  } else {
    const std::uint32_t clear = ip.length - job.header_length + job.tfc_length + 2;
    job.pad_length = static_cast<std::uint8_t>((0u - clear) & (plan.alignment - 1u));
    out.body = clear + job.pad_length;
    result += job.tfc_length + job.pad_length;
  }
  if (result > driver::kMaxPacket) return Drop::too_long;
  if (out.destination_room < result) return Drop::no_room;
  out.octets = result;
  cut_source(total, ip.length, out);
  if (plan.iv == IvKind::caller) std::memcpy(job.iv.data(), in.iv, plan.iv_length);
  return Drop::none;
}

void number_seal(const Sa& sa, std::uint64_t number, Pending& pending) noexcept {
  driver::Job& job = pending.job;
  job.sequence_number = number;
  pending.result.number = number;
  if (sa.plan.iv == IvKind::counter) store_be64(job.iv.data(), sa.sender | number);
  if (sa.plan.tunnel && sa.outer == Family::ipv4) job.identity = number & 0xffff;
}

}  // namespace espalier

// SPDX-License-Identifier: BSD-2-Clause-Patent
#include "freeze/freeze.hpp"
#include "freeze/source.hpp"
#include "packet/octets.hpp"

namespace espalier {
namespace {

constexpr std::uint32_t kUdpHeader = 8;
constexpr std::uint32_t kNumbersEnd = 12;  // SPI and sequence number end here at the latest: AH

/// Octets to ESP or AH; 0 if the packet carries neither, in the way this SA has it.
std::uint32_t find_esp(const SaPlan& plan, const IpHeader& ip) noexcept {
  if (plan.udp) return ip.protocol == kProtocolUdp ? ip.header_length + kUdpHeader : 0;
  return ip.protocol == (plan.ah ? kProtocolAh : kProtocolEsp) ? ip.header_length : 0;
}

/// The packet's 64-bit number, as far as the SA can tell (RFC 4303 3.4.3).
std::uint64_t number_of(const Sa& sa, std::uint32_t low) noexcept {
  if (!sa.plan.esn) return low;
  return infer_number(low, sa.window->highest(), sa.window->size());
}

}  // namespace

Drop freeze_open(const Sa& sa, const Job& in, Pending& out) noexcept {
  const SaPlan& plan = sa.plan;
  const std::uint32_t total = take_segments(in, out);
  if (total == 0) return Drop::bad_argument;
  HeadCopy copy;
  const std::span head = head_of(out.job.source, total, copy);
  IpHeader ip;
  if (const Drop drop = parse_ip(head, total, ip); drop != Drop::none) return drop;
  if (ip.fragment) return Drop::fragment;
  const std::uint32_t at = find_esp(plan, ip);
  if (at == 0) return Drop::no_sa;
  if (ip.length < at + plan.least || head.size() < at + kNumbersEnd) return Drop::bad_length;
  const std::uint8_t* esp = head.data() + at;
  if (load_be32(esp + plan.spi_offset) != sa.spi) return Drop::spi_mismatch;

  const std::uint64_t number = number_of(sa, load_be32(esp + plan.sequence_offset));
  out.result.number = number;
  if (sa.window && !sa.window->check(number)) return Drop::replayed;

  driver::Job& job = out.job;
  job.direction = driver::Direction::open;
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

}  // namespace espalier

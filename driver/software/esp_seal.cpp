// SPDX-License-Identifier: BSD-2-Clause-Patent
// Sealing: RFC 4303 3.3, in the order in which the octets stand on the wire.
#include <algorithm>
#include <cstring>

#include "bytes.hpp"
#include "esp.hpp"
#include "ip.hpp"

namespace espalier::driver::software {
namespace {

/// From here on encrypting straight from source to destination beats copying first and encrypting
/// in place: it saves the copy and costs one more update call.
constexpr std::size_t kBulkFrom = 512;
constexpr std::size_t kBulkGrain = 64;

struct Plan {
  Status status = Status::ok;
  IpHeader header;              ///< Transport mode: of the packet itself.
  std::uint8_t next = 0;        ///< Next Header of the trailer.
  std::size_t head = 0;         ///< Octets before ESP in the result.
  std::size_t text_offset = 0;  ///< Where the payload starts in the source.
  std::size_t text = 0, body = 0, total = 0;
};

Plan make_plan(const SaShape& sa, const Job& job, const Linear& io) noexcept {
  Plan plan;
  if (sa.mode == Mode::tunnel) {
    plan.next = tunnel_next_header(io.source);
    if (plan.next == 0) plan.status = Status::bad_header;
    plan.head = sa.header_length;
  } else {
    plan.header = parse_header(io.source, sa.outer, job.header_length);
    plan.status = plan.header.status;
    plan.next = plan.header.next;
    plan.head = job.header_length + std::size_t{sa.header_length};
    plan.text_offset = job.header_length;
    if (plan.status != Status::bad_header && plan.header.total != io.source.size())
      plan.status = Status::bad_header;
    if (plan.status == Status::ok && job.tfc_length != 0) plan.status = Status::bad_descriptor;
  }
  if (plan.status != Status::ok) return plan;
  plan.text = io.source.size() - plan.text_offset;
  plan.body = plan.text + job.tfc_length + job.pad_length + kEspTrailer;
  plan.total = plan.head + kEspHeader + sa.iv_length + plan.body + sa.icv_length;
  if (plan.body % sa.block_length != 0)
    plan.status = Status::bad_length;
  else if (plan.total > kMaxPacket)
    plan.status = Status::too_long;
  else if (plan.total > io.destination.size())
    plan.status = Status::no_room;
  return plan;
}

void write_head(const SaShape& sa, const Job& job, const Plan& plan, const Linear& io) noexcept {
  std::uint8_t* out = io.destination.data();
  if (sa.mode == Mode::tunnel) {
    write_outer(sa, job, plan.total, out);
    return;
  }
  std::memmove(out, io.source.data(), plan.text_offset);
  rewrite_header(out, sa.outer, plan.text_offset, plan.total, plan.header.next_offset,
                 sa.udp ? kUdp : kEsp);
  if (sa.udp) write_udp(sa, plan.total - plan.text_offset - kUdpHeader, out + plan.text_offset);
}

/// TFC padding, padding 1, 2, 3 ..., Pad Length, Next Header (RFC 4303 2.4 to 2.7).
void write_trailer(const Job& job, std::uint8_t next, std::uint8_t* at) noexcept {
  std::memset(at, 0, job.tfc_length);
  at += job.tfc_length;
  for (unsigned i = 0; i < job.pad_length; ++i) *at++ = static_cast<std::uint8_t>(i + 1);
  *at++ = job.pad_length;
  *at = next;
}

}  // namespace

Status begin_seal(const SaShape& sa, bool takes_bulk, const Job& job, const Linear& io,
                  SealWork& work) noexcept {
  const Plan plan = make_plan(sa, job, io);
  if (plan.status != Status::ok) return plan.status;
  write_head(sa, job, plan, io);
  work.head = plan.head;
  work.total = plan.total;

  SealFrame& frame = work.frame;
  frame.esp = io.destination.data() + plan.head;
  frame.text = io.source.data() + plan.text_offset;
  frame.body = frame.esp + kEspHeader + sa.iv_length;
  frame.length = static_cast<std::uint32_t>(plan.body);
  frame.sequence_high = sa.sequence_high(job);
  frame.bulk = 0;
  if (frame.text != frame.body) {
    if (plan.text >= kBulkFrom && takes_bulk)
      frame.bulk = static_cast<std::uint32_t>(plan.text / kBulkGrain * kBulkGrain);
    std::memcpy(frame.body + frame.bulk, frame.text + frame.bulk, plan.text - frame.bulk);
  }
  write_trailer(job, plan.next, frame.body + plan.text);
  store64(frame.esp, std::uint64_t{sa.spi} << 32 | (job.sequence_number & 0xffffffff));
  std::memcpy(frame.esp + kEspHeader, job.iv.data(), sa.iv_length);
  frame.iv = job.iv.data();
  if (sa.implicit_iv) {  // RFC 8750 4: the 64-bit number, high half zero without ESN
    store32(work.implicit, frame.sequence_high);
    store32(work.implicit + 4, static_cast<std::uint32_t>(job.sequence_number));
    frame.iv = work.implicit;
  }
  return Status::ok;
}

Answer finish_seal(const SaShape& sa, const Linear& io, const SealWork& work,
                   bool sealed) noexcept {
  if (!sealed) {
    std::memset(io.destination.data(), 0, work.total);
    return {Status::internal_error};
  }
  if (sa.udp && sa.outer == Family::ipv6)
    write_udp_checksum6(io.destination.first(work.total), work.head - kUdpHeader);
  return {Status::ok, static_cast<std::uint32_t>(work.total), kEsp};
}

}  // namespace espalier::driver::software

// SPDX-License-Identifier: BSD-2-Clause-Patent
// Opening: RFC 4303 3.4.  Nothing behind the ICV is acted on before the ICV is right.
#include <algorithm>
#include <cstring>

#include "bytes.hpp"
#include "esp.hpp"
#include "ip.hpp"

namespace espalier::driver::software {
namespace {

struct Plan {
  Status status = Status::ok;
  IpHeader header;
  std::size_t ip = 0;  ///< Octets of IP header, extension headers included, UDP header not.
  std::size_t body_offset = 0, body = 0;
};

/// RFC 3948: a UDP header of the packet's length between IP and ESP.
bool udp_is_sound(const Linear& io, const IpHeader& header, std::size_t at) noexcept {
  return load16(&io.source[at + 4]) == header.total - at;
}

/// SPI and number, then what the lengths say.
Status check_esp(const SaShape& sa, const Job& job, const Plan& plan,
                 const std::uint8_t* esp) noexcept {
  if (load32(esp) != sa.spi) return Status::spi_mismatch;
  if (load32(esp + 4) != static_cast<std::uint32_t>(job.sequence_number)) return Status::bad_header;
  const std::size_t least = plan.body_offset + sa.block_length + sa.icv_length;
  if (plan.header.total < least || plan.body % sa.block_length != 0) return Status::bad_length;
  return Status::ok;
}

Plan make_plan(const SaShape& sa, const Job& job, const Linear& io) noexcept {
  Plan plan;
  const std::size_t udp = sa.udp ? kUdpHeader : 0;
  plan.status = Status::bad_header;
  if (job.header_length < udp) return plan;
  plan.ip = job.header_length - udp;
  plan.header = parse_header(io.source, sa.outer, plan.ip);
  plan.status = plan.header.status;
  if (plan.status == Status::bad_header) return plan;
  const bool ours = plan.header.next == (sa.udp ? kUdp : kEsp);
  if (!ours || plan.header.total < job.header_length ||
      (sa.udp && !udp_is_sound(io, plan.header, plan.ip)))
    plan.status = Status::bad_header;
  if (plan.status != Status::ok) return plan;
  plan.body_offset = job.header_length + kEspHeader + std::size_t{sa.iv_length};
  plan.body = plan.header.total - sa.icv_length - plan.body_offset;
  plan.status = plan.header.total < job.header_length + kEspHeader
                    ? Status::bad_length
                    : check_esp(sa, job, plan, &io.source[job.header_length]);
  return plan;
}

/// Checks padding against 1, 2, 3 ... without a branch per octet (RFC 4303 2.4).
bool padding_is_sound(const std::uint8_t* body, std::size_t length, unsigned pad) noexcept {
  if (pad + kEspTrailer > length) return false;
  const std::uint8_t* at = body + length - kEspTrailer - pad;
  unsigned wrong = 0;
  for (unsigned i = 0; i < pad; ++i) wrong |= at[i] ^ (i + 1);
  return wrong == 0;
}

/// Trailer and inner packet of an authenticated body in clear.
[[gnu::always_inline]] inline Status examine(const SaShape& sa, std::uint8_t outer_class,
                                             std::span<std::uint8_t> body, std::uint8_t& next,
                                             std::uint32_t& length) noexcept {
  const unsigned pad = body[body.size() - 2];
  next = body[body.size() - 1];
  if (!padding_is_sound(body.data(), body.size(), pad)) return Status::bad_padding;
  if (next == kNoNext) return Status::dummy;
  length = static_cast<std::uint32_t>(body.size() - kEspTrailer - pad);
  return sa.mode == Mode::tunnel ? leave_tunnel(sa, next, outer_class, body.first(length), length)
                                 : Status::ok;
}

/// The result's header in transport mode: the packet's own, as it was before ESP (RFC 4303 3.4.4).
void restore_header(const SaShape& sa, const Linear& io, const OpenWork& work, std::uint32_t length,
                    std::uint8_t next) noexcept {
  std::uint8_t* out = io.destination.data();
  std::memmove(out, io.source.data(), work.ip);
  rewrite_header(out, sa.outer, work.ip, length, work.header.next_offset, next);
}

}  // namespace

Status begin_open(const SaShape& sa, const Job& job, const Linear& io, const Scratch& scratch,
                  OpenWork& work) noexcept {
  const Plan plan = make_plan(sa, job, io);
  if (plan.status != Status::ok) return plan.status;
  const std::size_t head = sa.mode == Mode::tunnel ? 0 : plan.ip;
  work.header = plan.header;
  work.ip = plan.ip;
  work.direct = io.destination.size() >= head + plan.body;
  OpenFrame& frame = work.frame;
  frame.esp = io.source.data() + job.header_length;
  frame.body = io.source.data() + plan.body_offset;
  frame.length = static_cast<std::uint32_t>(plan.body);
  frame.sequence_high = sa.sequence_high(job);
  frame.out = work.direct ? io.destination.data() + head : scratch.destination.data();
  frame.iv = frame.esp + kEspHeader;
  if (sa.implicit_iv) {
    store32(work.implicit, frame.sequence_high);
    std::memcpy(work.implicit + 4, frame.esp + 4, 4);
    frame.iv = work.implicit;
  }
  work.outer_class = traffic_class(io.source.data(), sa.outer);
  return Status::ok;
}

Answer finish_open(const SaShape& sa, const Linear& io, const OpenWork& work,
                   bool opened) noexcept {
  const std::size_t head = sa.mode == Mode::tunnel ? 0 : work.ip;
  const OpenFrame& frame = work.frame;
  const std::span<std::uint8_t> destination = io.destination;
  Status status = Status::icv_mismatch;
  std::uint8_t next = 0;
  std::uint32_t length = 0;
  if (opened) status = examine(sa, work.outer_class, {frame.out, frame.length}, next, length);
  if (status == Status::ok) {
    length += static_cast<std::uint32_t>(head);
    if (length > destination.size()) status = Status::no_room;
  }
  if (status != Status::ok) {
    std::memset(frame.out, 0, frame.length);  // D3: plaintext that is not the caller's yet
    return {status};
  }
  if (!work.direct) std::memcpy(destination.data() + head, frame.out, length - head);
  if (head != 0) restore_header(sa, io, work, length, next);
  return {status, length, next};
}

}  // namespace espalier::driver::software

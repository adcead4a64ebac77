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
Answer examine(const SaShape& sa, std::uint8_t outer_class, std::span<std::uint8_t> body) noexcept {
  Answer answer;
  const unsigned pad = body[body.size() - 2];
  answer.next_header = body[body.size() - 1];
  if (!padding_is_sound(body.data(), body.size(), pad)) {
    answer.status = Status::bad_padding;
  } else if (answer.next_header == kNoNext) {
    answer.status = Status::dummy;
  } else {
    answer.length = static_cast<std::uint32_t>(body.size() - kEspTrailer - pad);
    answer.status = Status::ok;
    if (sa.mode == Mode::tunnel)
      answer.status = leave_tunnel(sa, answer.next_header, outer_class, body.first(answer.length),
                                   answer.length);
  }
  return answer;
}

/// The result's header in transport mode: the packet's own, as it was before ESP (RFC 4303 3.4.4).
void restore_header(const SaShape& sa, const OpenWork& work, const Answer& answer) noexcept {
  std::uint8_t* out = work.io.destination.data();
  std::memmove(out, work.io.source.data(), work.ip);
  rewrite_header(out, sa.outer, work.ip, answer.length, work.header.next_offset,
                 answer.next_header);
}

}  // namespace

Status begin_open(const SaShape& sa, const Job& job, Linear io, const Scratch& scratch,
                  OpenWork& work) noexcept {
  const Plan plan = make_plan(sa, job, io);
  if (plan.status != Status::ok) return plan.status;
  const std::size_t head = sa.mode == Mode::tunnel ? 0 : plan.ip;
  work.io = io;
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

Answer finish_open(const SaShape& sa, const OpenWork& work, bool opened) noexcept {
  const std::size_t head = sa.mode == Mode::tunnel ? 0 : work.ip;
  const OpenFrame& frame = work.frame;
  const std::span<std::uint8_t> destination = work.io.destination;
  Answer answer{Status::icv_mismatch};
  if (opened) answer = examine(sa, work.outer_class, {frame.out, frame.length});
  if (answer.status == Status::ok) {
    answer.length += static_cast<std::uint32_t>(head);
    if (answer.length > destination.size()) answer.status = Status::no_room;
  }
  if (answer.status != Status::ok) {
    std::memset(frame.out, 0, frame.length);  // D3: plaintext that is not the caller's yet
    return {answer.status};
  }
  if (!work.direct) std::memcpy(destination.data() + head, frame.out, answer.length - head);
  if (head != 0) restore_header(sa, work, answer);
  return answer;
}

}  // namespace espalier::driver::software

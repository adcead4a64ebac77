// SPDX-License-Identifier: BSD-2-Clause-Patent
// Opening: RFC 4303 3.4.  Nothing behind the ICV is acted on before the ICV is right.
#pragma once

#include <cstring>

#include "tunnel.hpp"

namespace espalier::driver::software {

/// A packet whose crypto is still to come.  Stays where it is: the frame points into it.
struct OpenWork {
  OpenFrame frame;
  std::uint32_t ip = 0;           ///< Octets of IP header, UDP header not included.
  std::uint16_t next_offset = 0;  ///< Octet of it that names what follows.
  std::uint8_t outer_class = 0;
  bool direct = true;  ///< frame.out is the destination itself.
  std::uint8_t implicit[8];
};

/// RFC 3948: a UDP header of the packet's length between IP and ESP.
inline bool udp_is_sound(Octets packet, const IpHeader& header, std::size_t at) noexcept {
  return load16(&packet[at + 4]) == header.total - at;
}

/// What a caller promises who has parsed the packet: SPI and number.
inline Status check_numbers(const SaShape& sa, const Job& job, std::size_t total,
                            const std::uint8_t* esp) noexcept {
  if (total < job.header_length + std::size_t{kEspHeader}) return Status::bad_length;
  if (load32(esp) != sa.spi) return Status::spi_mismatch;
  if (load32(esp + 4) != static_cast<std::uint32_t>(job.sequence_number)) return Status::bad_header;
  return Status::ok;
}

/// Checks padding against 1, 2, 3 ... without a branch per octet (RFC 4303 2.4).
inline bool padding_is_sound(const std::uint8_t* body, std::size_t length, unsigned pad) noexcept {
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
inline void restore_header(const SaShape& sa, const Linear& io, const OpenWork& work,
                           std::uint32_t length, std::uint8_t next) noexcept {
  std::uint8_t* out = io.destination.data();
  std::memmove(out, io.source.data(), work.ip);
  rewrite_header(out, sa.outer, work.ip, length, work.next_offset, next);
}

/// Anything but ok ends the job; nothing has been written.
[[gnu::always_inline]] inline Status begin_open(const SaShape& sa, const Job& job, const Linear& io,
                                                const Scratch& scratch, OpenWork& work) noexcept {
  const std::size_t udp = sa.udp ? kUdpHeader : 0;
  if (job.header_length < udp) return Status::bad_header;
  const std::size_t ip = job.header_length - udp;
  const IpHeader header = header_of(job, io.source, sa.outer, ip);
  if (header.status == Status::bad_header || header.next != (sa.udp ? kUdp : kEsp) ||
      header.total < job.header_length || (sa.udp && !udp_is_sound(io.source, header, ip)))
    return Status::bad_header;
  if (header.status != Status::ok) return header.status;
  const std::uint8_t* esp = io.source.data() + job.header_length;
  if (!job.parsed)
    if (const Status status = check_numbers(sa, job, header.total, esp); status != Status::ok)
      return status;
  const std::size_t front = job.header_length + kEspHeader + std::size_t{sa.iv_length};
  if (header.total < front + sa.block_length + sa.icv_length) return Status::bad_length;
  const std::size_t body = header.total - front - sa.icv_length;
  if ((body & (sa.block_length - 1u)) != 0) return Status::bad_length;

  const std::size_t head = sa.mode == Mode::tunnel ? 0 : ip;
  work.ip = static_cast<std::uint32_t>(ip);
  work.next_offset = header.next_offset;
  work.direct = io.destination.size() >= head + body;
  work.outer_class = traffic_class(io.source.data(), sa.outer);
  OpenFrame& frame = work.frame;
  frame.esp = esp;
  frame.body = io.source.data() + front;
  frame.length = static_cast<std::uint32_t>(body);
  frame.sequence_high = sa.sequence_high(job);
  frame.out = work.direct ? io.destination.data() + head : scratch.destination.data();
  frame.iv = esp + kEspHeader;
  if (sa.implicit_iv) [[unlikely]] {
    store32(work.implicit, frame.sequence_high);
    std::memcpy(work.implicit + 4, esp + 4, 4);
    frame.iv = work.implicit;
  }
  return Status::ok;
}

/// `opened`: the ICV was right.  On any status but ok the destination holds no plaintext.
[[gnu::always_inline]] inline Answer finish_open(const SaShape& sa, const Linear& io,
                                                 const OpenWork& work, bool opened) noexcept {
  const std::uint32_t head = sa.mode == Mode::tunnel ? 0 : work.ip;
  const OpenFrame& frame = work.frame;
  Status status = Status::icv_mismatch;
  std::uint8_t next = 0;
  std::uint32_t length = 0;
  if (opened) status = examine(sa, work.outer_class, {frame.out, frame.length}, next, length);
  length += head;
  if (status == Status::ok && length > io.destination.size()) status = Status::no_room;
  if (status != Status::ok) {
    std::memset(frame.out, 0, frame.length);  // D3: plaintext that is not the caller's yet
    return {status};
  }
  if (!work.direct) std::memcpy(io.destination.data() + head, frame.out, length - head);
  if (head != 0) restore_header(sa, io, work, length, next);
  return {status, length, next};
}

}  // namespace espalier::driver::software

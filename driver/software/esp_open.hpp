// SPDX-License-Identifier: BSD-2-Clause-Patent
// Opening: RFC 4303 3.4.  Nothing behind the ICV is acted on before the ICV is right.
#pragma once

#include <cstring>

#include "tunnel.hpp"

namespace espalier::driver::software {

/// A packet whose crypto is still to come.  Stays where it is: the frame points into it.
struct OpenWork {
  OpenFrame frame;
  std::uint32_t ip;           ///< Octets of IP header, UDP header not included.
  std::uint16_t next_offset;  ///< Octet of it that names what follows.
  std::uint8_t outer_class;
  bool direct;  ///< frame.out is the destination itself.
  std::uint8_t implicit[8];
};

/// What stands before ESP.
struct Front {
  Status status = Status::bad_header;
  std::uint32_t ip = 0;           ///< Octets of IP header, UDP header not included.
  std::uint16_t next_offset = 0;  ///< Octet of it that names what follows.
  std::size_t total = 0;          ///< Octets of the packet by its length field.
};

/// Looks at all of it, and at SPI and number.
Front parse_front(const SaShape& sa, const Job& job, Octets packet) noexcept;

/// The same without a second look at what the caller has parsed and there is nothing to follow.
inline Front front_of(const SaShape& sa, const Job& job, Octets packet) noexcept {
  if (job.parsed && sa.bare4 && job.header_length == kHeader4 && packet.size() >= kHeader4)
      [[likely]]
    return {Status::ok, kHeader4, kProtocol4, packet.size()};
  return parse_front(sa, job, packet);
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
void restore_header(const SaShape& sa, const Linear& io, const OpenWork& work, std::uint32_t length,
                    std::uint8_t next) noexcept;

/// Anything but ok ends the job; nothing has been written.
[[gnu::always_inline]] inline Status begin_open(const SaShape& sa, const Job& job, const Linear& io,
                                                const Scratch& scratch, OpenWork& work) noexcept {
  const Front found = front_of(sa, job, io.source);
  if (found.status != Status::ok) return found.status;
  const std::uint8_t* esp = io.source.data() + job.header_length;
  const std::size_t front = job.header_length + kEspHeader + std::size_t{sa.iv_length};
  if (found.total < front + sa.block_length + sa.icv_length) return Status::bad_length;
  const std::size_t body = found.total - front - sa.icv_length;
  if ((body & (sa.block_length - 1u)) != 0) return Status::bad_length;

  const std::size_t head = sa.mode == Mode::tunnel ? 0 : found.ip;
  work.ip = found.ip;
  work.next_offset = found.next_offset;
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
  return {status, next, length};
}

}  // namespace espalier::driver::software

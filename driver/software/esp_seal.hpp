// SPDX-License-Identifier: BSD-2-Clause-Patent
// Sealing: RFC 4303 3.3, in the order in which the octets stand on the wire.  Inline, so that a
// cipher family's process() is one function from header to ICV.
#pragma once

#include <cstring>

#include "tunnel.hpp"

namespace espalier::driver::software {

/// A packet laid out, its crypto still to come.  Stays where it is: the frame points into it.
struct SealWork {
  SealFrame frame;
  std::uint32_t head, total;
  std::uint8_t implicit[8];  ///< The IV of RFC 8750.
};

/// From here on encrypting straight from source to destination beats copying first and encrypting
/// in place: it saves the copy and costs one more update call.  Both calls together cost least if
/// the first ends where OpenSSL's widest AES-GCM code would end: it takes six blocks at a time.
inline constexpr std::size_t kBulkFrom = 2048;
inline constexpr std::size_t kBulkGrain = 96;

struct Payload {
  Status status = Status::ok;
  std::uint8_t next = 0;          ///< Next Header of the trailer.
  std::uint16_t next_offset = 0;  ///< Transport mode: the octet that names it.
  std::uint32_t offset = 0;       ///< Where it starts in the source.
};

/// In transport mode.
Payload transport_payload(const SaShape& sa, const Job& job, Octets source) noexcept;

inline Payload find_payload(const SaShape& sa, const Job& job, Octets source) noexcept {
  if (sa.mode != Mode::tunnel) return transport_payload(sa, job, source);
  const std::uint8_t next = tunnel_next_header(source, job.parsed);
  return {next == 0 ? Status::bad_header : Status::ok, next, 0, 0};
}

/// Anything but a tunnel's bare IPv4 header.
void write_other_head(const SaShape& sa, const Job& job, const Payload& payload, std::size_t total,
                      const Linear& io) noexcept;

/// TFC padding, padding 1, 2, 3 ..., Pad Length, Next Header (RFC 4303 2.4 to 2.7).
[[gnu::always_inline]] inline void write_trailer(const Job& job, std::uint8_t next,
                                                 std::uint8_t* at) noexcept {
  constexpr unsigned kInOneWord = 6;
  if (job.pad_length <= kInOneWord && job.tfc_length == 0) [[likely]] {
    // One store; what it writes behind the trailer is the ICV's, of 8 octets at least.
    constexpr std::uint64_t kCount = 0x0807060504030201;
    const unsigned pad = 8u * job.pad_length;
    const std::uint64_t last = std::uint64_t{next} << 8 | job.pad_length;
    const std::uint64_t word = (kCount & ((std::uint64_t{1} << pad) - 1)) | last << pad;
    store(at, swapped(word));
    return;
  }
  std::memset(at, 0, job.tfc_length);
  at += job.tfc_length;
  for (unsigned i = 0; i < job.pad_length; ++i) *at++ = static_cast<std::uint8_t>(i + 1);
  *at++ = job.pad_length;
  *at = next;
}

/// Writes all of the result but ciphertext and ICV.  Anything but ok ends the job.
[[gnu::always_inline]] inline Status begin_seal(const SaShape& sa, bool takes_bulk, const Job& job,
                                                const Linear& io, SealWork& work) noexcept {
  const Payload payload = find_payload(sa, job, io.source);
  if (payload.status != Status::ok) return payload.status;
  const std::size_t text = io.source.size() - payload.offset;
  const std::size_t body = text + job.tfc_length + job.pad_length + kEspTrailer;
  const std::size_t head = std::size_t{sa.header_length} + payload.offset;
  const std::size_t total = head + kEspHeader + sa.iv_length + body + sa.icv_length;
  if ((body & (sa.block_length - 1u)) != 0) return Status::bad_length;
  if (total > kMaxPacket) return Status::too_long;
  if (total > io.destination.size()) return Status::no_room;

  if (sa.bare4 && sa.mode == Mode::tunnel) [[likely]]
    write_outer4(sa, job, total, io.destination.data());
  else
    write_other_head(sa, job, payload, total, io);
  work.head = static_cast<std::uint32_t>(head);
  work.total = static_cast<std::uint32_t>(total);
  SealFrame& frame = work.frame;
  frame.esp = io.destination.data() + head;
  frame.text = io.source.data() + payload.offset;
  frame.body = frame.esp + kEspHeader + sa.iv_length;
  frame.length = static_cast<std::uint32_t>(body);
  frame.sequence_high = sa.sequence_high(job);
  frame.bulk = 0;
  if (frame.text != frame.body && text != 0) {  // a dummy packet has no source
    if (text >= kBulkFrom && takes_bulk)
      frame.bulk = static_cast<std::uint32_t>(text / kBulkGrain * kBulkGrain);
    std::memcpy(frame.body + frame.bulk, frame.text + frame.bulk, text - frame.bulk);
  }
  write_trailer(job, payload.next, frame.body + text);
  store64(frame.esp, std::uint64_t{sa.spi} << 32 | (job.sequence_number & 0xffffffff));
  constexpr unsigned kUsualIv = 8;
  if (sa.iv_length == kUsualIv) [[likely]]
    std::memcpy(frame.esp + kEspHeader, job.iv.data(), kUsualIv);
  else
    std::memcpy(frame.esp + kEspHeader, job.iv.data(), sa.iv_length);
  frame.iv = job.iv.data();
  if (sa.implicit_iv) [[unlikely]] {  // RFC 8750 4: the 64-bit number, high half zero without ESN
    store32(work.implicit, frame.sequence_high);
    store32(work.implicit + 4, static_cast<std::uint32_t>(job.sequence_number));
    frame.iv = work.implicit;
  }
  return Status::ok;
}

[[gnu::always_inline]] inline Answer finish_seal(const SaShape& sa, const Linear& io,
                                                 const SealWork& work, bool sealed) noexcept {
  if (!sealed) [[unlikely]] {
    std::memset(io.destination.data(), 0, work.total);
    return {Status::internal_error};
  }
  if (sa.udp && sa.outer == Family::ipv6) [[unlikely]]
    write_udp_checksum6(io.destination.first(work.total), work.head - kUdpHeader);
  return {Status::ok, kEsp, work.total};
}

}  // namespace espalier::driver::software

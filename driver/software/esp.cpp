// SPDX-License-Identifier: BSD-2-Clause-Patent
// Framing that few packets need: transport mode, IPv6 outside, UDP encapsulation, packets that
// nobody has parsed.
#include "esp.hpp"

namespace espalier::driver::software {
namespace {

/// RFC 3948: a UDP header of the packet's length between IP and ESP.
bool udp_is_sound(Octets packet, const IpHeader& header, std::size_t at) noexcept {
  return load16(&packet[at + 4]) == header.total - at;
}

Status check_numbers(const SaShape& sa, const Job& job, std::size_t total,
                     const std::uint8_t* esp) noexcept {
  if (total < job.header_length + std::size_t{kEspHeader}) return Status::bad_length;
  if (load32(esp) != sa.spi) return Status::spi_mismatch;
  if (load32(esp + 4) != static_cast<std::uint32_t>(job.sequence_number)) return Status::bad_header;
  return Status::ok;
}

}  // namespace

Payload transport_payload(const SaShape& sa, const Job& job, Octets source) noexcept {
  const IpHeader header = header_of(job, source, sa.outer, job.header_length);
  Status status = header.status;
  if (status != Status::bad_header && header.total != source.size()) status = Status::bad_header;
  if (status == Status::ok && job.tfc_length != 0) status = Status::bad_descriptor;
  return {status, header.next, header.next_offset, job.header_length};
}

void write_other_head(const SaShape& sa, const Job& job, const Payload& payload, std::size_t total,
                      const Linear& io) noexcept {
  std::uint8_t* out = io.destination.data();
  if (sa.mode == Mode::tunnel) {
    write_outer(sa, job, total, out);
    return;
  }
  std::memmove(out, io.source.data(), payload.offset);
  rewrite_header(out, sa.outer, payload.offset, total, payload.next_offset, sa.udp ? kUdp : kEsp);
  if (sa.udp) write_udp(sa, total - payload.offset - kUdpHeader, out + payload.offset);
}

Front parse_front(const SaShape& sa, const Job& job, Octets packet) noexcept {
  Front out;
  const unsigned udp = sa.udp ? kUdpHeader : 0;
  if (job.header_length < udp) return out;
  out.ip = job.header_length - udp;
  const IpHeader header = header_of(job, packet, sa.outer, out.ip);
  if (header.status == Status::bad_header || header.next != (sa.udp ? kUdp : kEsp) ||
      header.total < job.header_length || (sa.udp && !udp_is_sound(packet, header, out.ip)))
    return out;
  out.status = header.status;
  out.next_offset = header.next_offset;
  out.total = header.total;
  if (out.status == Status::ok)
    out.status = check_numbers(sa, job, header.total, packet.data() + job.header_length);
  return out;
}

void restore_header(const SaShape& sa, const Linear& io, const OpenWork& work, std::uint32_t length,
                    std::uint8_t next) noexcept {
  std::uint8_t* out = io.destination.data();
  std::memmove(out, io.source.data(), work.ip);
  rewrite_header(out, sa.outer, work.ip, length, work.next_offset, next);
}

}  // namespace espalier::driver::software

// SPDX-License-Identifier: BSD-2-Clause-Patent
// Clear packets, and jobs that fit them.
#pragma once

#include <algorithm>

#include "espalier/driver/job.hpp"
#include "support.hpp"

namespace espalier::driver::test {

/// A UDP-like packet of the family with `payload` octets behind a bare IP header of right length
/// and checksum; random content.
inline Bytes make_packet(Family family, std::size_t payload, Random& random) {
  const std::size_t header = family == Family::ipv4 ? 20 : 40;
  Bytes packet = random.bytes(header + payload);
  const auto put16 = [&](std::size_t at, std::size_t value) {
    packet[at] = static_cast<std::uint8_t>(value >> 8);
    packet[at + 1] = static_cast<std::uint8_t>(value);
  };
  if (family == Family::ipv6) {
    packet[0] = 0x60;
    packet[1] &= 0xcf;  // Not-ECT
    put16(4, payload);
    packet[6] = 17;
    return packet;
  }
  packet[0] = 0x45;
  packet[1] &= 0xfc;
  put16(2, packet.size());
  put16(6, 0);
  packet[9] = 17;
  put16(10, 0);
  unsigned sum = 0;
  for (std::size_t i = 0; i < 20; i += 2)
    sum += static_cast<unsigned>(packet[i] << 8 | packet[i + 1]);
  sum = (sum & 0xffff) + (sum >> 16);
  put16(10, ~((sum & 0xffff) + (sum >> 16)) & 0xffff);
  return packet;
}

/// A job that seals `clear` under `sa`, with the least padding and random outer fields.
inline Job seal_job(const SaParameters& sa, const Bytes& clear, Random& random) {
  Job job;
  job.cookie = random.below(~0ull);
  job.direction = Direction::seal;
  job.sequence_number = 1 + random.below(sa.esn ? 1ull << 40 : 0xffffffffull);
  for (auto& octet : job.iv) octet = static_cast<std::uint8_t>(random.below(256));
  const bool tunnel = sa.mode == Mode::tunnel;
  if (!tunnel) job.header_length = sa.outer == Family::ipv4 ? 20 : 40;
  if (sa.protocol == Protocol::esp) {
    const std::size_t block = suite_of(sa)->block_length;
    const std::size_t body = clear.size() - job.header_length + 2;
    job.pad_length = static_cast<std::uint8_t>((block - body % block) % block);
  }
  if (tunnel) {
    job.tos = static_cast<std::uint8_t>(random.below(64) << 2);
    job.ttl = static_cast<std::uint8_t>(1 + random.below(255));
    job.identity = static_cast<std::uint32_t>(random.below(0x10000));
    job.dont_fragment = random.below(2) != 0;
  }
  return job;
}

/// The job that opens what `sealed_by` made, in the same slot until the caller sets another.
inline Job open_job(const SaParameters& sa, const Job& sealed_by) {
  Job job;
  job.cookie = ~sealed_by.cookie;
  job.direction = Direction::open;
  job.slot = sealed_by.slot;
  job.generation = sealed_by.generation;
  job.sequence_number = sealed_by.sequence_number;
  const std::size_t ip = sa.outer == Family::ipv4 ? 20 : 40;
  job.header_length = static_cast<std::uint16_t>(ip + (sa.udp_encapsulation ? 8 : 0));
  return job;
}

}  // namespace espalier::driver::test

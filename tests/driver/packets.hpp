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

/// True if Job::parsed would be no lie for this job with this source.
inline bool may_promise(const SaParameters& sa, const Job& job, const Bytes& source) {
  const auto get16 = [&](std::size_t at) { return unsigned{source[at]} << 8 | source[at + 1]; };
  const auto get32 = [&](std::size_t at) { return get16(at) << 16 | get16(at + 2); };
  const bool into_tunnel = job.direction == Direction::seal && sa.mode == Mode::tunnel;
  if (source.empty()) return into_tunnel;
  const bool v4 = source[0] >> 4 == 4;
  const std::size_t bare = v4 ? 20 : 40;
  if ((!v4 && source[0] >> 4 != 6) || source.size() < bare) return false;
  const std::size_t own = v4 ? 4u * (source[0] & 15) : 40;
  if (own < bare || own > source.size() || source.size() != (v4 ? get16(2) : 40 + get16(4)))
    return false;
  if (into_tunnel) return true;
  const std::size_t udp = job.direction == Direction::open && sa.udp_encapsulation ? 8 : 0;
  // Packets with IPv6 extension headers are not promised here.
  if (v4 != (sa.outer == Family::ipv4) || job.header_length != own + udp ||
      (v4 && (get16(6) & 0x3fff) != 0))
    return false;
  if (job.direction == Direction::seal) return true;
  const std::size_t numbers = job.header_length + (sa.protocol == Protocol::ah ? 4u : 0u);
  const auto protocol = udp != 0 ? 17 : static_cast<std::uint8_t>(sa.protocol);
  return source.size() >= numbers + 8 && source[v4 ? 9 : 6] == protocol &&
         (udp == 0 || get16(own + 4) == source.size() - own) && get32(numbers) == sa.spi &&
         get32(numbers + 4) == static_cast<std::uint32_t>(job.sequence_number);
}

}  // namespace espalier::driver::test

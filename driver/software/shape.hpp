// SPDX-License-Identifier: BSD-2-Clause-Patent
// What framing needs of an SA: everything but keys.
#pragma once

#include <algorithm>
#include <array>
#include <cstddef>
#include <cstdint>
#include <span>

#include "espalier/driver/job.hpp"
#include "espalier/driver/suite.hpp"

namespace espalier::driver::software {

inline constexpr unsigned kEspHeader = 8;   ///< SPI and sequence number.
inline constexpr unsigned kEspTrailer = 2;  ///< Pad Length and Next Header.
inline constexpr unsigned kAhHeader = 12;
inline constexpr unsigned kUdpHeader = 8;
inline constexpr unsigned kMaxIv = 16;
inline constexpr unsigned kMaxIcv = 32;
inline constexpr unsigned kMaxOuter = 48;  ///< An IPv6 header and a UDP header.

enum IpProtocol : std::uint8_t {
  kHopByHop = 0,
  kIpv4 = 4,
  kUdp = 17,
  kIpv6 = 41,
  kRouting = 43,
  kFragment = 44,
  kEsp = 50,
  kAh = 51,
  kNoNext = 59,
  kDestinationOptions = 60,
  kMobility = 135,
};

/// In the order of use: what most packets need of it lies in one cache line.
struct SaShape {
  Generation generation{};
  Direction direction = Direction::seal;
  Protocol protocol = Protocol::esp;
  Mode mode = Mode::tunnel;
  Family outer = Family::ipv4;
  bool esn = false;
  bool implicit_iv = false;
  bool udp = false;
  bool bare4 = false;  ///< The outer header is IPv4 and no UDP header follows.
  bool copy_ecn = true;
  std::uint8_t iv_length = 0;  ///< On the wire.
  std::uint8_t icv_length = 0;
  std::uint8_t block_length = 4;
  std::uint8_t ah_length = 0;
  std::uint8_t header_length = 0;  ///< Of header_template.
  std::uint32_t spi = 0;
  std::uint32_t template_sum = 0;  ///< Of an IPv4 template's 16-bit words, for its checksum.
  std::array<std::uint8_t, kMaxOuter> header_template{};

  SaShape(const SaParameters& sa, const Suite& suite, Generation of)
      : generation(of),
        direction(sa.direction),
        protocol(sa.protocol),
        mode(sa.mode),
        outer(sa.outer),
        esn(sa.esn),
        implicit_iv(sa.implicit_iv),
        udp(sa.udp_encapsulation),
        bare4(sa.outer == Family::ipv4 && !sa.udp_encapsulation),
        copy_ecn(sa.copy_ecn),
        iv_length(suite.iv_length),
        icv_length(suite.icv_length),
        block_length(suite.block_length),
        ah_length(static_cast<std::uint8_t>(driver::ah_length(sa))),
        header_length(sa.header_length),
        spi(sa.spi) {
    std::copy_n(sa.header_template.begin(), header_template.size(), header_template.begin());
    constexpr unsigned kHeader4 = 20;
    for (unsigned i = 0; i < kHeader4; i += 2)
      template_sum += static_cast<std::uint32_t>(header_template[i] << 8 | header_template[i + 1]);
  }

  /// The ICV's share of the number that does not travel; 0 without ESN.
  std::uint32_t sequence_high(const Job& job) const noexcept {
    return esn ? static_cast<std::uint32_t>(job.sequence_number >> 32) : 0;
  }

  /// Where the destination must start, relative to the source, for the payload to keep its place
  /// in memory (see Linear): before the source when sealing, behind it when opening.
  std::ptrdiff_t in_place_shift(const Job& job) const noexcept {
    const int own = protocol == Protocol::ah ? ah_length : int{kEspHeader} + iv_length;
    if (direction == Direction::seal) return -(own + header_length);
    return own + (mode == Mode::tunnel ? job.header_length : udp ? int{kUdpHeader} : 0);
  }
};

/// Memory of one queue for what cannot be done where it stands.
struct Scratch {
  std::span<std::uint8_t> source;       ///< A gathered or overlapping source.
  std::span<std::uint8_t> destination;  ///< A result before it is scattered.
  std::span<std::uint8_t> header;       ///< AH: the header with mutable fields as zero.
};

/// The memory of a job of one segment each way.  `destination` overlaps `source` not at all, or so
/// that the payload keeps its place.
struct Linear {
  Linear() = default;
  explicit Linear(const Job& job) noexcept
      : source(job.source[0].data, job.source[0].length),
        destination(job.destination[0].data, job.destination[0].length) {}
  Linear(std::span<const std::uint8_t> from, std::span<std::uint8_t> to) noexcept
      : source(from), destination(to) {}

  std::span<const std::uint8_t> source;
  std::span<std::uint8_t> destination;
};

/// What the framing found, in one register.  Length and next header are 0 unless ok.
struct Answer {
  Status status = Status::internal_error;
  std::uint8_t next_header = 0;
  std::uint32_t length = 0;
};

}  // namespace espalier::driver::software

// SPDX-License-Identifier: BSD-2-Clause-Patent
// L1: a security association as its owner describes it, and its handle.
#pragma once

#include <array>
#include <cstdint>
#include <limits>
#include <optional>
#include <string>

#include "espalier/address.hpp"
#include "espalier/driver/device.hpp"
#include "espalier/driver/suite.hpp"
#include "espalier/spec/drop.h"

namespace espalier {

using driver::Time;

/// Names an SA of a context for as long as it lives; never reused by a later SA.  0 is none.
enum class SaHandle : std::uint64_t { none = 0 };

inline constexpr std::uint64_t kNoLimit = std::numeric_limits<std::uint64_t>::max();

/// Packets under one AES key where its owner sets no limit.  Of the longest packets that is 2^52
/// blocks: below the 2^61 of RFC 4309 and well below the 2^64 at which 128-bit blocks begin to
/// repeat (RFC 3602, RFC 4106).  Without ESN the numbers end before.
inline constexpr std::uint64_t kKeyUseLimit = std::uint64_t{1} << 40;

/// A lifetime (RFC 4301 4.4.2.1): whichever is reached first ends it.  Bytes are those given to the
/// algorithm: payload, TFC padding and trailer in ESP, the whole packet in AH.
struct Lifetime {
  std::uint64_t bytes = kNoLimit;
  std::uint64_t packets = kNoLimit;
  Time time = Time::max();  ///< Since the SA was added.
};

enum class DontFragment : std::uint8_t { copy, set, clear };

/// Where the IVs of an outbound SA come from.
enum class IvSource : std::uint8_t {
  automatic,  ///< The library's counter or generator: the only safe choice with real keys.
  caller,     ///< Each job brings its own; the caller answers for their uniqueness.
};

struct SaConfig {
  /// Algorithms, keys, SPI, mode.  The header template is the library's to write.
  driver::SaParameters transform;
  /// Tunnel end points; ports of UDP encapsulation.
  driver::Endpoints ends;

  /// Inbound: numbers the anti-replay window spans, 32 to 65,536; 0 turns it off, which ESN forbids
  /// (the window is what the high half is inferred from).
  std::uint32_t replay_window = 64;
  /// Outbound: the last number already used.  Inbound: the highest number already accepted.
  std::uint64_t last_number = 0;
  /// Outbound: numbers end here at the latest, whatever the algorithm would allow.  If neither this
  /// nor a hard lifetime in bytes or packets is set, AES suites with ESN end at kKeyUseLimit.
  std::uint64_t number_limit = kNoLimit;
  IvSource iv_source = IvSource::automatic;
  /// Several senders under one key (RFC 6054): the counter IV's top `sender_bits` (0 to 16) are
  /// `sender_id`.
  std::uint8_t sender_bits = 0;
  std::uint16_t sender_id = 0;

  Lifetime soft;
  Lifetime hard;

  // The outer header of a tunnel (RFC 4301 5.1.2.1).
  std::optional<std::uint8_t> dscp;  ///< 0 to 63; empty copies or maps the inner DSCP.
  /// The outer DSCP of each inner one, where `dscp` is empty; empty copies.
  std::optional<std::array<std::uint8_t, 64>> dscp_map;
  bool ecn = true;        ///< Copies the inner ECN at ingress; false sends Not-ECT.
  std::uint8_t ttl = 64;  ///< TTL or hop limit.
  DontFragment dont_fragment = DontFragment::copy;
  std::optional<std::uint32_t> flow_label;  ///< 20 bits; empty copies an IPv6 inner label.
};

/// A change of a live SA; what is empty stays as it is.
struct SaUpdate {
  std::optional<driver::Endpoints> ends;  ///< MOBIKE, a NAT that moved.
  std::optional<bool> udp_encapsulation;
  /// The whole lifetime, counted from when the SA was added.
  std::optional<Lifetime> soft, hard;
};

/// What an SA adds to a packet, in octets: `head` before its first octet (tunnel mode and UDP),
/// `total` altogether at most, longest padding included, TFC padding not.
struct Overhead {
  std::uint32_t head = 0;
  std::uint32_t total = 0;
  std::uint32_t in_place = 0;   ///< Before the payload; what sealing in place needs before it.
  std::uint32_t fixed = 0;      ///< Of the total, what does not depend on the length.
  std::uint32_t alignment = 1;  ///< ESP pads what it protects, and 2 octets, to a multiple of this.

  /// Length of a sealed packet, exactly.  `clear`: of the packet, or of the tunnel's payload with
  /// its TFC padding; `header`: of that, what stays before ESP (transport mode; 0 in a tunnel).
  constexpr std::uint32_t sealed(std::uint32_t clear, std::uint32_t header = 0) const {
    const std::uint32_t body = clear - header + kTrailer;
    return header + fixed - kTrailer + (body + alignment - 1) / alignment * alignment;
  }
  /// The longest clear packet whose sealed form has `limit` octets or less; 0 if there is none.
  constexpr std::uint32_t longest_clear(std::uint32_t limit, std::uint32_t header = 0) const {
    const std::uint32_t least = header + fixed - kTrailer;
    if (limit < least + alignment) return 0;
    const std::uint32_t body = (limit - least) / alignment * alignment;
    return body < kTrailer ? 0 : header + body - kTrailer;
  }

 private:
  static constexpr std::uint32_t kTrailer = 2;  // Pad Length and Next Header, part of `fixed`
};

/// Counters of one SA, readable while traffic runs.
struct SaStatistics {
  std::uint64_t packets = 0;  ///< Completed with ok.
  std::uint64_t bytes = 0;    ///< Of those, as lifetimes count them.
  std::uint64_t number = 0;   ///< Last number given out, or highest accepted.
  std::uint64_t drops[spec::kDropCount] = {};
  std::uint8_t last_device = 0xff;  ///< That did the last packet on the SA's last queue.
};

/// What an SA is, without its keys.
struct SaDescription {
  std::uint32_t spi = 0;
  driver::Direction direction = driver::Direction::seal;
  driver::Protocol protocol = driver::Protocol::esp;
  driver::Mode mode = driver::Mode::tunnel;
  bool esn = false;
  std::string suite;
  Address source, destination;  ///< Tunnel end points.
  std::uint32_t devices = 0;    ///< Bit d: it is installed on device d.
};

}  // namespace espalier

// SPDX-License-Identifier: BSD-2-Clause-Patent
// Joins fragments (RFC 791 3.2, RFC 8200 4.5) within fixed memory and time.
//
// A packet under way is a context: its key, the ranges that have arrived, and a large buffer where
// payload stands at its own offset behind room for the longest header.  Fragments that overlap, be
// it with equal octets, spoil the whole packet, also what of it is still to come (RFC 5722): its
// context stays, without a buffer, until its time is over.  When there is no free context or
// buffer, the oldest packet gives way.
//
// Threads: the queue's.
#pragma once

#include <array>
#include <cstdint>
#include <functional>
#include <span>
#include <vector>

#include "policy/buffers.hpp"
#include "policy/flow.hpp"

namespace espalier {

class Reassembler {
 public:
  static constexpr std::uint32_t kHeaderRoom = kMaxHeaderChain;
  static constexpr std::uint32_t kBufferOctets = kHeaderRoom + 65536;
  /// Stretches with gaps between them that a packet may consist of on its way.
  static constexpr unsigned kMaxRanges = 32;

  /// `large`: buffers of kBufferOctets or more.  Allocates.
  Reassembler(std::uint32_t packets, Time patience, Buffers& large)
      : contexts_(packets), patience_(patience), large_(large) {}

  struct Result {
    bool complete = false;
    Drop drop = Drop::none;       ///< Why the fragment, and what was held of its packet, is lost.
    std::uint32_t fragments = 0;  ///< Held before: joined, or lost with it.
    std::uint32_t lease = 0;      ///< complete: the buffer, now the caller's.
    std::span<std::uint8_t> packet;
  };
  /// What was lost to make room, or because its time was over.
  struct Lost {
    Drop drop = Drop::none;
    std::uint32_t fragments = 0;
  };

  /// Takes one fragment, of which no octet is needed afterwards.  `evicted`: what had to give way.
  Result add(std::span<const std::uint8_t> packet, const IpHeader& ip, Time now,
             Lost& evicted) noexcept;
  /// Drops one packet whose time is over; no fragments if there is none.
  Lost expire(Time now) noexcept;
  std::uint32_t held() const noexcept { return held_; }

 private:
  struct Range {
    std::uint32_t first, end;
  };
  struct Key {
    WideAddress source{}, destination{};
    std::uint32_t id = 0;
    std::uint8_t protocol = 0;  // IPv4 only
    Family family = Family::ipv4;
    bool operator==(const Key&) const = default;
  };
  struct Assembly {
    bool used = false;
    bool spoilt = false;
    bool ce = false;  // one fragment came with CE (RFC 3168 5.3)
    Key key;
    Time deadline{0};
    std::uint32_t lease = 0;
    std::uint32_t fragments = 0;  // held
    std::uint32_t header = 0;     // octets of the first fragment's, 0 before it came
    std::uint32_t next_at = 0;    // IPv6: the Next Header that named the fragment header
    std::uint32_t total = 0;      // octets of payload, 0 before the last fragment came
    std::uint8_t protocol = 0;
    unsigned ranges = 0;
    std::array<Range, kMaxRanges> range;
    std::array<std::uint8_t, kHeaderRoom> head;
  };

  Assembly* find(const Key& key) noexcept;
  Assembly* make(const Key& key, Time now, Lost& evicted) noexcept;
  Lost end(Assembly& a, Drop drop) noexcept;
  Result spoil(Assembly& a, Drop drop) noexcept;
  static Drop insert(Assembly& a, Range range) noexcept;
  Result finish(Assembly& a) noexcept;

  std::vector<Assembly> contexts_;
  Time patience_;
  Buffers& large_;
  std::uint32_t held_ = 0;
  Time next_deadline_ = Time::max();  // not later than the first one
};

}  // namespace espalier

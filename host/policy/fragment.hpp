// SPDX-License-Identifier: BSD-2-Clause-Patent
// Cuts an IP packet into fragments (RFC 791 3.2, RFC 8200 4.5).
#pragma once

#include <cstdint>
#include <span>

#include "packet/ip.hpp"

namespace espalier {

/// How a packet is cut.  IPv4: a packet that is a fragment itself can be cut again.
/// IPv6: what is cut is whole; `id` goes into the fragment headers.
class Cut {
 public:
  /// `packet` is whole in memory and parse_ip() has accepted it.  Pieces have `limit` octets or
  /// less.
  Cut(std::span<const std::uint8_t> packet, const IpHeader& ip, std::uint32_t limit,
      std::uint32_t id) noexcept;

  /// 0: `limit` has no room for the header and 8 octets.
  std::uint32_t pieces() const noexcept { return pieces_; }
  /// Writes piece `i` to `out`, of `limit` octets or more.  Returns its length.
  std::uint32_t write(std::uint32_t i, std::span<std::uint8_t> out) const noexcept;

 private:
  std::uint32_t write_v4(std::uint32_t from, std::uint32_t octets, bool more,
                         std::uint8_t* out) const noexcept;
  std::uint32_t write_v6(std::uint32_t from, std::uint32_t octets, bool more,
                         std::uint8_t* out) const noexcept;

  std::span<const std::uint8_t> packet_;
  Family family_;
  std::uint32_t header_;       // octets that every piece repeats (the first one, in IPv4)
  std::uint32_t next_at_ = 0;  // IPv6: where the Next Header of the last repeated header stands
  std::uint32_t payload_;      // octets to spread over the pieces
  std::uint32_t step_ = 0;     // of a piece, but the last
  std::uint32_t pieces_ = 0;
  std::uint32_t id_;
};

}  // namespace espalier

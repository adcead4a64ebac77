// SPDX-License-Identifier: BSD-2-Clause-Patent
// L2: what is to be done with which packets, and by which SAs (RFC 4301 4.4).
#pragma once

#include <array>
#include <cstdint>
#include <optional>

#include "espalier/sa.hpp"
#include "espalier/selector.hpp"

namespace espalier {

/// Names a policy, or a set of SAs, for as long as it lives; never reused.  0 is none.
enum class PolicyHandle : std::uint64_t { none = 0 };
enum class SetHandle : std::uint64_t { none = 0 };

/// Which way a packet crosses the boundary.
enum class Way : std::uint8_t {
  out,      ///< From the protected side.
  in,       ///< From the unprotected side, to this host.
  forward,  ///< From the unprotected side, to a host behind this one.
};

enum class Action : std::uint8_t { protect, bypass, discard };

/// One entry of the SPD.
struct PolicyConfig {
  Way way = Way::out;
  Action action = Action::discard;
  /// The lowest value that matches wins; among equals, the policy added first.
  std::uint32_t priority = 0;
  Selector selector;
  /// protect: outbound, the SAs to choose from; else, those a packet must have come through.
  SetHandle set = SetHandle::none;
};

/// Whether a tunnel cuts packets that would not fit the path MTU, and may be cut, before it seals
/// them or after (RFC 4301 8.2, RFC 4459).  Transport mode has only `after`.
enum class Fragmenting : std::uint8_t { before, after };

/// What L2 knows of an SA beyond SaConfig.
struct SaRole {
  // ---- outbound: which packets of its set it is for; the most specific SA is taken, then the
  // newest.
  std::optional<std::uint64_t> dscps;   ///< Bit d: packets of DSCP d.  Empty: all.
  std::optional<std::uint16_t> queues;  ///< Bit q: packets of queue q (RFC 9611).  Empty: all.

  /// Octets that reach the peer unfragmented; 0: not known, packets are never too long for it.
  std::uint32_t path_mtu = 0;
  Fragmenting fragmenting = Fragmenting::before;
  /// Outbound ESP tunnels: TFC padding rounds a packet up to a multiple of so many octets, as far
  /// as the path MTU allows (RFC 4303 2.7); 0 or 1 does not.
  std::uint16_t tfc_multiple = 0;
  /// Outbound ESP tunnels: a dummy packet of dummy_octets when none was sent for so long; 0: never.
  Time dummy_interval{0};
  std::uint16_t dummy_octets = 64;
  /// Outbound UDP encapsulation: a keepalive when nothing was sent for so long (RFC 3948 4, 20 s by
  /// default there); 0: never.
  Time keepalive_interval{0};

  // ---- inbound
  /// What may come through it (RFC 4301 5.2), narrower than its policy; empty: what its policy
  /// says.
  std::optional<Selector> selector;
  /// Transport mode behind a NAT: the addresses the peer computed checksums over (RFC 3948 3.1.2).
  std::optional<Address> original_source, original_destination;
};

}  // namespace espalier

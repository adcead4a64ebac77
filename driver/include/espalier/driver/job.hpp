// SPDX-License-Identifier: BSD-2-Clause-Patent
// L0: one packet for one device, and its answer.
#pragma once

#include <array>
#include <cstdint>
#include <span>

#include "espalier/driver/sa_parameters.hpp"
#include "espalier/spec/status.h"

namespace espalier::driver {

using spec::Status;

/// An SA slot, the same number on every device of a context.
enum class Slot : std::uint16_t {};
/// Generation of a slot's content; a job names the one it was made for (D2).
enum class Generation : std::uint16_t {};
/// A queue of a device: one thread at a time.
enum class QueueId : std::uint8_t {};

inline constexpr unsigned kMaxSegments = 16;        ///< Per direction and job (spec::kMaxSegments).
inline constexpr std::uint32_t kMaxPacket = 65535;  ///< Octets.

/// A stretch of memory, lent.
struct Segment {
  std::uint8_t* data = nullptr;
  std::uint32_t length = 0;  ///< Octets.
};

/// One packet, with every input of its transformation frozen before a device is chosen (D2), so
/// that each device gives the same bytes and a re-run after a failure gives them again.
///
/// `source` octets stay unmodified by the caller until the completion is taken.  `destination` may
/// overlap the source in any way (in place, with or without headroom); the source is lost then if
/// the status is ok, and with a device that does not keep it (Capabilities::keeps_source). Segments
/// and what they point to are lent until then; the Job itself and its segment arrays are read
/// during submit() only.  Destination octets past the result are undefined, and never of another
/// packet; unless the status is ok no octet of the destination holds plaintext.
///
/// A source of no octets in tunnel mode seals a dummy packet (RFC 4303 2.6) of tfc_length octets.
/// Which status wins when several apply: docs/devices.md.
struct Job {
  std::uint64_t cookie = 0;  ///< Comes back in the completion; never looked at.
  Direction direction = Direction::seal;
  /// The caller has parsed the packet and promises a whole IP packet, whose length field says as
  /// many octets as there are of source (or no octet, a dummy packet).  Unless it is about to enter
  /// a tunnel also: of the SA's outer family, no fragment, and `header_length` where its header
  /// chain ends; when opening: behind that the SA's protocol, its SPI and the job's number.
  /// A device may leave out checks of what is promised.  A broken promise leaves status and result
  /// undefined; never does it lead outside the segments, nor to plaintext whose ICV is wrong.
  bool parsed = false;
  Slot slot{};
  Generation generation{};

  std::uint64_t sequence_number =
      0;  ///< 64 bit; inbound: the inferred number (RFC 4303 appendix A2).
  std::array<std::uint8_t, 16>
      iv{};  ///< As sent, wire order (seal); 8 octets in counter modes, 16 in CBC.
  std::uint16_t header_length =
      0;  ///< Octets from the packet's start to ESP or AH (open) or to where it goes
          ///< (seal, transport mode); 0 for seal in tunnel mode.
  std::uint8_t pad_length = 0;   ///< ESP Pad Length (seal).
  std::uint16_t tfc_length = 0;  ///< Octets of TFC padding (seal, tunnel mode).
  std::uint8_t tos = 0;          ///< Outer DSCP and ECN, resolved (seal, tunnel mode).
  std::uint8_t ttl = 0;          ///< Outer TTL or hop limit (seal, tunnel mode).
  bool dont_fragment = false;    ///< Outer DF (seal, tunnel mode, IPv4).
  std::uint32_t identity =
      0;  ///< Outer IPv4 identification or IPv6 flow label (seal, tunnel mode).

  std::span<const Segment> source;       ///< 1 to kMaxSegments; headers and ICV may straddle them.
  std::span<const Segment> destination;  ///< 1 to kMaxSegments.
};

/// Jobs, each where its owner keeps it.
using Jobs = std::span<const Job* const>;

/// A device's answer to a job.
struct Completion {
  std::uint64_t cookie = 0;
  Status status = Status::internal_error;
  std::uint32_t length =
      0;  ///< Octets of the result, from the destination's first octet; 0 unless ok.
  std::uint8_t next_header = 0;  ///< From the trailer (open); 50 or 51 (seal).
};

}  // namespace espalier::driver

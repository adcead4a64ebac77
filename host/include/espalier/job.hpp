// SPDX-License-Identifier: BSD-2-Clause-Patent
// L1: one packet for one SA, and its answer.
#pragma once

#include <cstdint>
#include <span>

#include "espalier/driver/job.hpp"
#include "espalier/sa.hpp"
#include "espalier/spec/drop.h"

namespace espalier {

using driver::QueueId;
using driver::Segment;
using spec::Drop;
using spec::Status;

/// Segments are lent until the job's completion is polled, and the source's octets stay unmodified
/// till then.  The Job itself and its segment arrays are read during submit() only.
struct Job {
  SaHandle sa = SaHandle::none;
  std::uint64_t cookie = 0;  ///< Comes back in the completion; never looked at.
  /// The IP packet, 1 to 16 segments, headers and ICV may straddle them.  Octets past the packet's
  /// own IP length are ignored.
  std::span<const Segment> source;
  /// Room for the result, 1 to 16 segments; the source itself, or no octet of it.  Empty: in place,
  /// in the source's segments, so that the payload keeps its place: sealing needs
  /// Overhead::in_place octets before the packet in the first segment (l3_offset), and the rest of
  /// the growth behind it.
  std::span<const Segment> destination;
  std::uint32_t l3_offset = 0;   ///< Octets before the IP header in the first source segment.
  std::uint16_t tfc_length = 0;  ///< Octets of TFC padding (outbound ESP tunnels, RFC 4303 2.7).
  /// Outbound ESP tunnels: seal a dummy packet of tfc_length octets (RFC 4303 2.6), which the
  /// receiver discards.  There is no source; its number is the SA's next.
  bool dummy = false;
  const std::uint8_t* iv = nullptr;  ///< With IvSource::caller: 8 or 16 octets, copied.
};

/// Why a packet was not taken by a device of higher priority.
enum class Refusal : std::uint8_t {
  none,          ///< The device of the highest priority took it.
  capability,    ///< It does not implement the SA's suite or mode, or has no slot for it.
  installing,    ///< The SA is not on it yet.
  size,          ///< Packet or result longer than it takes.
  segments,      ///< More segments than it takes.
  health,        ///< It is quarantined or gone.
  queue,         ///< It has fewer queues than this one's number.
  room,          ///< Its queue is full.
  failed,        ///< It took the packet and failed; the packet was run again.
  verification,  ///< It was to be verified, and too many such packets were under way.
};
inline constexpr unsigned kRefusalCount = 10;
const char* name(Refusal refusal) noexcept;

struct Completion {
  std::uint64_t cookie = 0;
  std::uint64_t number = 0;  ///< The 64-bit sequence number; 0 if none was given or read.
  std::uint32_t length = 0;  ///< Octets of the result; 0 if dropped.
  std::uint32_t offset = 0;  ///< Of the destination's octets before it; in place, of the source's.
  Status status = Status::internal_error;  ///< Of the device that had the last word.
  Drop drop = Drop::none;                  ///< Why it is not to be delivered; none if it is.
  std::uint8_t next_header = 0;            ///< From the trailer (open); 50 or 51 (seal).
  std::uint8_t device = 0xff;       ///< Index in Context::devices(); 0xff if no device saw it.
  Refusal refusal = Refusal::none;  ///< Why a device of higher priority did not do it.
  bool soft_expired = false;        ///< The SA's soft lifetime is over: time to rekey.
};

}  // namespace espalier

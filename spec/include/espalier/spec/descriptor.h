// SPDX-License-Identifier: BSD-2-Clause-Patent
// Submission and completion rings: what the host asks, what the card answers.
//
// A submission ring is an array of 64-byte entries in host memory.  The common job, one source and
// one destination segment, is one entry, a Descriptor; a job with more segments sets kFlagContinued
// and is followed by continuations(sources, destinations) Continuation entries.  Rings have an AXI
// master of their own, so descriptors never take bandwidth from payload. A job's every input is in
// the descriptor or in the SA record generation it names (decision D2): the same descriptor gives
// the same bytes on every device.  All fields are little-endian; octet strings (IV) are in wire
// order.
#ifndef ESPALIER_SPEC_DESCRIPTOR_H
#define ESPALIER_SPEC_DESCRIPTOR_H

#include "espalier/spec/layout.h"

namespace espalier {
namespace spec {

/// What a submission entry asks for.
enum class Opcode : std::uint8_t {
  nop = 0,      ///< Completes with ok and no effect: a heartbeat.
  seal = 1,     ///< Clear packet in, protected packet out (RFC 4303 3.3).
  open = 2,     ///< Protected packet in, clear packet out (RFC 4303 3.4).
  install = 3,  ///< Source is an SaRecord: fill `slot`.  In order with packets (D6).
  remove = 4,   ///< Wipe `slot`: keys and control become zero.  In order with packets.
  continuation = 15,
};

enum DescriptorFlags : std::uint8_t {
  kFlagDontFragment = 1u << 0,  ///< DF of the outer IPv4 header.
  kFlagContinued = 1u << 1,     ///< Continuation entries follow.
  kFlagPhase =
      1u << 7,  ///< Toggles on each pass over the ring; the entry is the card's when it matches.
};

#define ESPALIER_DESCRIPTOR(F, A)                                                                 \
  F(std::uint64_t, source_address, "IO address of the first source segment.")                     \
  F(std::uint64_t, destination_address, "IO address of the first destination segment.")           \
  F(std::uint64_t, sequence_number,                                                               \
    "64-bit sequence number; low half travels, high half enters the ICV with ESN.")               \
  A(std::uint8_t, iv, 16, "IV as sent, wire order: 8 octets in counter modes, 16 in CBC.")        \
  F(std::uint16_t, source_length, "Octets of the packet, all source segments together.")          \
  F(std::uint16_t, destination_length, "Octets of room, all destination segments together.")      \
  F(std::uint16_t, slot, "SA slot.")                                                              \
  F(std::uint16_t, generation, "Generation the slot must hold, else sa_gone.")                    \
  F(std::uint16_t, tag, "Job tag, returned in the completion.")                                   \
  F(std::uint16_t, epoch, "Queue epoch, returned in the completion; old epochs are ignored.")     \
  F(std::uint32_t, identity, "Outer IPv4 identification (16 bits) or IPv6 flow label (20 bits).") \
  F(std::uint8_t, opcode, "Opcode.")                                                              \
  F(std::uint8_t, flags, "DescriptorFlags.")                                                      \
  F(std::uint8_t, tos, "DSCP and ECN of the outer header, resolved.")                             \
  F(std::uint8_t, ttl, "TTL or hop limit of the outer header.")                                   \
  F(std::uint8_t, pad_length, "Pad Length of the ESP trailer.")                                   \
  F(std::uint8_t, header_words,                                                                   \
    "Octets/4 from the packet's first octet to where ESP or AH stands or goes.")                  \
  F(std::uint16_t, tfc_length, "Octets of TFC padding after the inner packet (RFC 4303 2.7).")

ESPALIER_STRUCT(Descriptor, ESPALIER_DESCRIPTOR, 64)

// Segment counts ride in the continuations (the same in each); without one there is one segment
// each way.
#define ESPALIER_CONTINUATION(F, A)                                                     \
  A(std::uint64_t, address, 5,                                                          \
    "IO addresses of the next segments: the source's first, then the destination's.")   \
  A(std::uint16_t, length, 7,                                                           \
    "Octets: [0..4] of these segments; in the first continuation [5], [6] are the "     \
    "lengths of the descriptor's own first source and destination segment.")            \
  F(std::uint16_t, tag, "The descriptor's tag.")                                        \
  F(std::uint8_t, opcode, "Opcode::continuation, where the descriptor has its opcode.") \
  F(std::uint8_t, flags, "kFlagPhase only.")                                            \
  F(std::uint8_t, sources, "Source segments of the job, 1 to 16.")                      \
  F(std::uint8_t, destinations, "Destination segments of the job, 1 to 16.")            \
  A(std::uint8_t, reserved, 4, "Zero.")

ESPALIER_STRUCT(Continuation, ESPALIER_CONTINUATION, 64)

constexpr unsigned kMaxSegments = 16;  ///< Per direction and job.
constexpr unsigned kSegmentsPerContinuation = 5;
/// Continuation entries behind a descriptor with these segment counts.
constexpr unsigned continuations(unsigned sources, unsigned destinations) {
  return (sources + destinations - 2 + kSegmentsPerContinuation - 1) / kSegmentsPerContinuation;
}

// Completions are 16 bytes, so none crosses a 64-byte boundary, and are written only after every
// write response of the job's data.  `phase` is the last octet; the CRC covers all others, phase
// included, so that a torn or damaged completion is never taken.
#define ESPALIER_COMPLETION(F, A)                                                     \
  F(std::uint16_t, tag, "The descriptor's tag.")                                      \
  F(std::uint16_t, epoch, "The descriptor's epoch.")                                  \
  F(std::uint16_t, status, "status_code(): a word of RM(1,4).")                       \
  F(std::uint16_t, length, "Octets written to the destination.")                      \
  F(std::uint32_t, crc, "CRC-32C of octets 0..7 and 12..15.")                         \
  F(std::uint8_t, next_header, "Next Header of the trailer (open); 50 or 51 (seal).") \
  F(std::uint8_t, tos, "DSCP and ECN the card found in the outer header (open).")     \
  F(std::uint8_t, queue, "The queue pair that answers.")                              \
  F(std::uint8_t, phase, "Bit 0 toggles on each pass over the completion ring; other bits zero.")

ESPALIER_STRUCT(Completion, ESPALIER_COMPLETION, 16)

}  // namespace spec
}  // namespace espalier

#endif

// SPDX-License-Identifier: BSD-2-Clause-Patent
// What the engine's stages share: sizes, its four ports' words, and the beat that payload travels
// in.
//
// Byte and bit order, everywhere in hls/: byte 0 of a beat (the first on the wire) is bits [7:0],
// byte i is bits [8i+7:8i], block (lane) l of 16 bytes is bits [128l+127:128l].  A field that is
// wider than a byte and copied from a packet keeps wire order in this sense: its first octet is
// its low byte.  A number is an ordinary ap_uint; the parser and the deparser convert, no one else.
#ifndef ESPALIER_HLS_TYPES_H
#define ESPALIER_HLS_TYPES_H

#include <ap_int.h>
#include <fields.h>

namespace espalier {

constexpr int kSlots = 16384;  ///< SA slots on the card.
constexpr int kSlotBits = 14;
constexpr int kBeatBits = 512;
constexpr int kBlockBits = 128;
constexpr int kLanes = kBeatBits / kBlockBits;
constexpr int kBeatWords = kBeatBits / 32;
constexpr int kMaxPacket = 9216;  ///< Octets, on the wire or in clear.

using Slot = ap_uint<kSlotBits>;
using BeatData = ap_uint<kBeatBits>;
using Block = ap_uint<kBlockBits>;

static_assert(kSlots == 1 << kSlotBits, "a slot number addresses every slot");

/// 64 bytes of one packet or record.
struct Beat {
  BeatData data;
  ap_uint<1> last;  ///< The packet's or record's last beat.
  HLS_FIELDS(data, last)
};

/// What the engine is asked: spec's Descriptor as it stands in the ring.
struct Job {
  ap_uint<512> descriptor;
  ap_uint<16> ticket;  ///< Comes back with the result; never looked at.
  HLS_FIELDS(descriptor, ticket)
};

/// What it answers, once per job, not later than the job's first data beat.  All but ticket and
/// status is zero unless the status is ok.
struct Result {
  ap_uint<16> ticket;
  ap_uint<16> status;      ///< spec::status_code(), a code word.
  ap_uint<16> length;      ///< Octets of output; ceil(length / 64) beats follow.
  ap_uint<8> next_header;  ///< Of the trailer (open); 50 (seal).
  ap_uint<8> tos;          ///< DSCP and ECN of the outer header (open).
  HLS_FIELDS(ticket, status, length, next_header, tos)
};

}  // namespace espalier

#endif

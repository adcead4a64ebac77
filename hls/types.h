// SPDX-License-Identifier: BSD-2-Clause-Patent
// What the engine's stages share: sizes, and the beat that payload travels in.
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

}  // namespace espalier

#endif

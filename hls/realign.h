// SPDX-License-Identifier: BSD-2-Clause-Patent
// Moving a packet to another place in its beats, a beat per clock and no clock between packets.
//
// A packet that stands at word `from` shall stand at word `to` (both counted from its first beat).
// Each beat taken is turned by (to - from) modulo 16 words; what belongs into one beat out then
// stands in two successive turned beats, below and above `split`.  With to >= from, beat k out is
// made of beats k-1 and k in; with to < from ("early") of beats k and k+1.
//
// Beat k out leaves one step after beat k was taken, in either case: the early kind needs beat k+1,
// and the other kind waits for company.  So a packet's last beat leaves in the step that takes the
// next packet's first beat, and no step is lost whatever kinds follow each other.
#ifndef ESPALIER_HLS_REALIGN_H
#define ESPALIER_HLS_REALIGN_H

#include "words.h"

namespace espalier {

/// How far to move a packet.
struct Shift {
  ap_uint<4> turn;   ///< Words, (to - from) modulo 16.
  ap_uint<1> early;  ///< to < from.
  ap_uint<5> split;  ///< 0..16: words below come from the earlier of the two beats.
  HLS_FIELDS(turn, early, split)
};

/// `distance` = to - from, -16..16 words.
inline Shift shift_by(const ap_int<6>& distance) {
  Shift shift;
  shift.turn = distance.range(3, 0);
  shift.early = distance[5];
  shift.split = distance[5] ? ap_uint<5>(distance + 16) : ap_uint<5>(distance);
  return shift;
}

struct RealignState {
  BeatData newer, older;  ///< The last two beats taken, turned.
};

/// The beat that is due: of the packet whose shift is `shift`.  `taken` is the beat that is taken
/// in this step, turned, or zero.
inline BeatData realigned(const RealignState& s, const Shift& shift, const BeatData& taken) {
  const BeatData below = shift.early ? s.newer : s.older;
  const BeatData above = shift.early ? taken : s.newer;
  const BeatData first = spread<32>(first_places<kBeatWords>(shift.split));
  return (below & first) | (above & ~first);
}

/// Takes a turned beat, or zero; `start`: it is its packet's first.
inline void realign(RealignState& s, const BeatData& taken, bool start) {
  s.older = start ? BeatData(0) : s.newer;
  s.newer = taken;
}

}  // namespace espalier

#endif

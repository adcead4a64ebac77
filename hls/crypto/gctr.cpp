// SPDX-License-Identifier: BSD-2-Clause-Patent
#include "crypto/gcm.h"

namespace espalier {
namespace {

/// 32 ones for each word that is set.
BeatData spread(const ap_uint<16>& words) {
  BeatData mask = 0;
  for (int word = 0; word < 16; ++word) {
    mask.range(32 * word + 31, 32 * word) = words[word] ? 0xffffffffu : 0u;
  }
  return mask;
}

Block lane_of(const BeatData& data, ap_uint<2> lane) {
  const Block a = lane[0] ? data.range(255, 128) : data.range(127, 0);
  const Block b = lane[0] ? data.range(511, 384) : data.range(383, 256);
  return lane[1] ? b : a;
}

}  // namespace

void gctr(GctrState& s, hls::stream<FramedBeat>& framed, hls::stream<BeatData>& keystream,
          hls::stream<Beat>& out, hls::stream<HashBeat>& hashed) {
#pragma HLS PIPELINE II = 1
  if (framed.empty() || keystream.empty()) return;
  const FramedBeat f = framed.read();
  const BeatData key = keystream.read();

  const BeatData payload = spread(f.payload);
  const ap_uint<16> none = 0;
  const BeatData sealed = spread(f.open ? none : f.payload);
  if (f.first) s.pad = lane_of(key, f.first_lane);

  if (!f.record) {
    Beat beat;
    beat.data = (f.data ^ key) & payload;
    beat.last = f.last;
    out.write(beat);
  }
  if (!f.record || f.powers) {
    HashBeat h;
    h.data = f.data ^ (key & sealed);
    h.pad = s.pad;
    h.last = f.last;
    h.record = f.record;
    h.slot = f.slot;
    h.ticket = f.ticket;
    hashed.write(h);
  }
}

}  // namespace espalier

// SPDX-License-Identifier: BSD-2-Clause-Patent
#include "crypto/gcm.h"

namespace espalier {
namespace {

Block lane_of(const BeatData& data, ap_uint<2> lane) {
  const Block lane_0 = data.range(127, 0), lane_1 = data.range(255, 128);
  const Block lane_2 = data.range(383, 256), lane_3 = data.range(511, 384);
  const Block low = lane[0] ? lane_1 : lane_0, high = lane[0] ? lane_3 : lane_2;
  return lane[1] ? high : low;
}

}  // namespace

void gctr(GctrState& s, hls::stream<FramedBeat>& framed, hls::stream<BeatData>& keystream,
          hls::stream<Beat>& out, hls::stream<HashBeat>& hashed) {
#pragma HLS PIPELINE II = 1
  if (framed.empty() || keystream.empty()) return;
  const FramedBeat f = framed.read();
  const BeatData key = keystream.read();

  BeatData payload = 0, cipher = 0;
  for (int word = 0; word < 16; ++word) {
    const ap_uint<32> before = f.data.range(32 * word + 31, 32 * word);
    const ap_uint<32> after = before ^ key.range(32 * word + 31, 32 * word);
    payload.range(32 * word + 31, 32 * word) = f.payload[word] ? after : ap_uint<32>(0);
    cipher.range(32 * word + 31, 32 * word) = f.payload[word] && !f.open ? after : before;
  }
  if (f.first) s.pad = lane_of(key, f.first_lane);

  if (!f.record) {
    Beat beat;
    beat.data = payload;
    beat.last = f.last;
    out.write(beat);
  }
  if (!f.record || f.powers) {
    HashBeat h;
    h.data = cipher;
    h.pad = s.pad;
    h.last = f.last;
    h.record = f.record;
    h.slot = f.slot;
    h.ticket = f.ticket;
    hashed.write(h);
  }
}

}  // namespace espalier

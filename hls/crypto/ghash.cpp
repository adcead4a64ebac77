// SPDX-License-Identifier: BSD-2-Clause-Patent
// A packet of B beats with block X(b, l) in lane l of beat b, b = 0..B-1, has the hash
//   sum over b, l of X(b, l) H^(4 (B - b) - l).
// A multiplication takes two clocks, so alternate beats have sums of their own that meet in the
// end:
//   sum(b) = (sum(b-2) + X(b, 0)) H^8 + X(b, 1) H^7 + X(b, 2) H^6 + X(b, 3) H^5
// but with H^4..H^1 in the last beat, and the hash is sum(B-1) + sum(B-2).  Count the powers: of
// the beats with the last beat's parity each lacks H^4 until the last beat multiplies it in; the
// others are multiplied by H^8 each time, which is what they need.  The sum rides on lane 0's
// multiplier, so four multipliers do for everything.  One clock leads from `sum` to `product`, the
// next from `product` to `sum`; each half of the recurrence is 4 LUT levels.
#include "bytes.h"
#include "crypto/gcm.h"

namespace espalier {
namespace {

Block lane_of(const BeatData& data, int lane) {
  return data.range(128 * lane + 127, 128 * lane);
}

/// Powers as ghash stores them: each a number, as gf128.h has it.
BeatData numbers(const BeatData& powers) {
  BeatData swapped = 0;
  for (int lane = 0; lane < kLanes; ++lane) {
    swapped.range(128 * lane + 127, 128 * lane) = swap_bytes(lane_of(powers, lane));
  }
  return swapped;
}

/// Powers that are zero, for the wipe after reset; no verdict follows.
HashBeat blank_record() {
  HashBeat beat = hls::unpack<HashBeat>(0);
  beat.record = 1;
  return beat;
}

}  // namespace

void ghash(GhashState& s, hls::stream<HashBeat>& in, hls::stream<CryptoVerdict>& verdicts) {
#pragma HLS PIPELINE II = 1
  using gf128::Factor;
  using gf128::Product;
  const bool wipe = !s.wiped;
  if (!wipe && in.empty()) return;
  const HashBeat beat = wipe ? blank_record() : in.read();

  // The high powers are at the odd address: read before the last beat, written by a record's last.
  const ap_uint<1> high = beat.record == beat.last;
  const ap_uint<kSlotBits + 1> at = wipe ? s.wipe : ap_uint<kSlotBits + 1>((beat.slot, high));
  const BeatData powers = s.powers.read(at);
  if (beat.record) s.powers.write(at, numbers(beat.data));

  if (wipe) {
    s.wiped = s.wipe == 2 * kSlots - 1;
    s.wipe = s.wipe + 1;
  }

  Factor block[kLanes], power[kLanes];
  for (int lane = 0; lane < kLanes; ++lane) {
    block[lane] = gf128::factor(swap_bytes(lane_of(beat.data, lane)));
    power[lane] = gf128::factor(lane_of(powers, kLanes - 1 - lane));
  }
  const Product lanes_1_to_3 = gf128::sum_of_products(block + 1, power + 1);
  const Product lane_0 = gf128::times(gf128::factor(s.sum) ^ block[0], power[0]);
  const Product product = lane_0 ^ lanes_1_to_3;
  const Block hash = gf128::reduce(product ^ s.product);

  const bool done = beat.last || beat.record;
  s.sum = done ? Block(0) : gf128::reduce(s.product);
  for (int i = 0; i < gf128::kWords; ++i) {
    s.product.word[i] = done ? ap_uint<63>(0) : product.word[i];
  }

  if (beat.last) {
    CryptoVerdict v;
    v.tag = beat.record ? Block(0) : Block(swap_bytes(hash) ^ beat.pad);
    v.ticket = beat.ticket;
    verdicts.write(v);
  }
}

}  // namespace espalier

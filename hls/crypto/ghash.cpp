// SPDX-License-Identifier: BSD-2-Clause-Patent
// A packet of B beats with blocks X(b, l), lane l of beat b, has the hash
//   sum over b, l of X(b, l) H^(4 (B - b) - l),  b = 0..B-1.
// A multiplication takes two clocks, so alternate beats have sums of their own, which meet in the
// end:
//   sum(b) = (sum(b-2) + X(b, 0)) P^8 + X(b, 1) P^7 + X(b, 2) P^6 + X(b, 3) P^5,   P^k = H^k
// but with H^4..H^1 in the last beat, and the hash is sum(B-1) + sum(B-2): each earlier beat of the
// last beat's parity is short of H^4 until that beat multiplies it in, and the other parity needs
// H^8 each time.  The sum rides on lane 0's multiplier: four multipliers do for everything.
// One clock from `sum` to `product`, the next from `product` to `sum`: the two halves of the
// recurrence are 4 LUT levels each.
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

}  // namespace

void ghash(GhashState& s, hls::stream<HashBeat>& in, hls::stream<CryptoVerdict>& verdicts) {
#pragma HLS PIPELINE II = 1
  using gf128::Factor;
  using gf128::Product;
  if (in.empty()) return;
  const HashBeat beat = in.read();

  // The high powers are at the odd address: read before the last beat, written by a record's last.
  const ap_uint<1> high = beat.record == beat.last;
  const ap_uint<kSlotBits + 1> at = (beat.slot, high);
  const BeatData powers = s.powers.read(at);
  if (beat.record) s.powers.write(at, numbers(beat.data));

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

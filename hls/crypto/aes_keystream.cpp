// SPDX-License-Identifier: BSD-2-Clause-Patent
#include "bytes.h"
#include "crypto/gcm.h"

namespace espalier {
namespace {

/// The round key of the beat's slot; a key on its way is stored where it is read.
Block round_key(AesKeystreamState& s, const CounterBlock& c, bool wipe, int index) {
  const Block key = s.round_key[index].read(c.slot);
  if (wipe || (c.key && c.index == index)) s.round_key[index].write(c.slot, c.block);
  return key;
}

/// After reset, for one slot after the other: zero for every round key.
CounterBlock next_wipe(AesKeystreamState& s) {
  CounterBlock c = hls::unpack<CounterBlock>(0);
  c.slot = s.wipe;
  s.wiped = s.wipe == kSlots - 1;
  s.wipe = s.wipe + 1;
  return c;
}

/// salt || IV || counter of each lane, XOR the first round key.  The lanes differ in the counter's
/// low octets only, and so share most of their first two rounds.
void whiten(const CounterBlock& c, const Block& key, Block* lanes) {
  const ap_uint<96> nonce = c.block.range(95, 0) ^ key.range(95, 0);
  const ap_uint<32> counter_key = key.range(127, 96);
  const ap_uint<16> first = c.block.range(111, 96);
  for (int lane = 0; lane < kLanes; ++lane) {
    const ap_uint<32> counter = ap_uint<16>(first + lane);
    const ap_uint<32> word = swap_bytes(counter) ^ counter_key;
    lanes[lane] = (word, nonce);
  }
}

}  // namespace

// A block enters at the first round its key size has: AES-256 at round 1, AES-192 at round 3 and
// AES-128 at round 5 of 14.  What the rounds before make of it is dropped.
void aes_keystream(AesKeystreamState& s, hls::stream<CounterBlock>& in,
                   hls::stream<BeatData>& keystream) {
#pragma HLS PIPELINE II = 1
#pragma HLS ARRAY_PARTITION variable = s.round_key complete
  const bool wipe = !s.wiped;
  if (!wipe && in.empty()) return;
  const CounterBlock c = wipe ? next_wipe(s) : in.read();
  Block whitened[kLanes], state[kLanes];
  whiten(c, round_key(s, c, wipe, 0), whitened);
  for (int lane = 0; lane < kLanes; ++lane) state[lane] = whitened[lane];
  for (int round = 1; round <= kRounds; ++round) {
    const Block key = round_key(s, c, wipe, round);
    const bool enter =
        (round == 2 && c.key_size == kAes192) || (round == 4 && c.key_size == kAes128);
    for (int lane = 0; lane < kLanes; ++lane) {
      state[lane] = enter ? whitened[lane] : aes::round(state[lane], key, round == kRounds);
    }
  }
  BeatData beat = 0;
  for (int lane = 0; lane < kLanes; ++lane) {
    beat.range(128 * lane + 127, 128 * lane) = state[lane];
  }
  if (!wipe) keystream.write(beat);
}

}  // namespace espalier

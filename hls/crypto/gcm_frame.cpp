// SPDX-License-Identifier: BSD-2-Clause-Patent
#include "bytes.h"
#include "crypto/gcm.h"
#include "espalier/spec/sa_record.h"

namespace espalier {
namespace {

// Where a record has them: 16 round keys in four beats, H^1..H^4 and H^5..H^8 in two.
constexpr int kFirstKeyBeat = spec::SaRecordBits::cipher_keys_lsb / kBeatBits;
constexpr int kFirstPowersBeat = spec::SaRecordBits::hash_powers_lsb / kBeatBits;
static_assert(kFirstPowersBeat == kFirstKeyBeat + 4, "the powers follow the keys");

/// The lane of the AAD block: n + 2 blocks end with lane 3 of the last beat.
ap_uint<2> lead(const ap_uint<16>& length) {
  const ap_uint<2> whole = length.range(5, 4);
  const ap_uint<1> rest = length.range(3, 2) != 0;  // whole words, always
  return ap_uint<2>(2) - whole - rest;
}

/// Which 4-byte words of a beat are payload.
ap_uint<16> payload_words(const CryptoJob& job, ap_uint<2> first_lane, bool first, bool last) {
  const ap_uint<2> tail = job.length.range(3, 2);  // words in the last block, 0 for 4
  ap_uint<16> words = 0;
  for (int word = 0; word < 16; ++word) {
    const int lane = word / 4, in_lane = word % 4;
    const bool begun = !first || first_lane < lane;
    const bool on = !last || lane < 2 || (lane == 2 && (tail == 0 || in_lane < tail));
    words[word] = begun && on;
  }
  return words;
}

/// len(A) || len(C) in bits, big-endian (SP 800-38D section 7.1, step 5).
Block length_block(const CryptoJob& job) {
  const ap_uint<64> aad_bits = job.esn ? 96 : 64, text_bits = ap_uint<64>(job.length) << 3;
  Block block = 0;
  block.range(63, 0) = swap_bytes(aad_bits);
  block.range(127, 64) = swap_bytes(text_bits);
  return block;
}

BeatData with_aad_and_length(const CryptoJob& job, const Beat& beat, ap_uint<2> first_lane) {
  BeatData data = beat.data;
  for (int lane = 0; lane < kLanes; ++lane) {
    Block insert = 0;
    if (first_lane == lane) insert.range(95, 0) = job.aad;
    if (lane == kLanes - 1 && beat.last) insert |= length_block(job);
    data.range(128 * lane + 127, 128 * lane) = data.range(128 * lane + 127, 128 * lane) | insert;
  }
  return data;
}

/// Lane 0's counter of this beat: J0 has 1 (SP 800-38D section 7.1, step 2), the blocks 2 and up.
/// The first beat's is 1 - first_lane and the next one's 4 more, written as bits: a carry chain
/// between the lane and the counter would be too deep.
ap_uint<16> count(GcmFrameState& s, ap_uint<2> first_lane, bool first) {
  ap_uint<16> start = first_lane[1] ? 0xfffe : 0, next = first_lane[1] ? 2 : 4;
  start[0] = next[0] = !first_lane[0];
  const ap_uint<16> counter = first ? start : s.counter;
  s.counter = first ? next : ap_uint<16>(s.counter + kLanes);
  return counter;
}

/// A beat of a packet, or of powers: a record has no AAD, and its last beat is none of powers.
void pass(GcmFrameState& s, const Beat& beat, bool first, bool last,
          hls::stream<CounterBlock>& counters, hls::stream<FramedBeat>& framed) {
  const CryptoJob& job = s.job;
  const ap_uint<2> first_lane = lead(job.length);

  CounterBlock c;
  c.key = 0;
  c.index = 0;
  c.key_size = job.key_size;
  c.slot = job.slot;
  c.block = (count(s, first_lane, first), job.iv, job.salt);
  counters.write(c);

  FramedBeat f;
  f.data = with_aad_and_length(job, beat, first_lane);
  f.payload = job.record ? ap_uint<16>(0) : payload_words(job, first_lane, first, last);
  f.first_lane = first_lane;
  f.first = first;
  f.last = last;
  f.open = job.open;
  f.record = job.record;
  f.powers = job.record;
  f.slot = job.slot;
  f.ticket = job.ticket;
  framed.write(f);
}

/// The first of the round keys that wait.
void pass_key(GcmFrameState& s, hls::stream<CounterBlock>& counters,
              hls::stream<FramedBeat>& framed) {
  CounterBlock c;
  c.key = 1;
  c.index = s.key_index;
  c.key_size = 0;
  c.slot = s.job.slot;
  c.block = s.keys.range(kBlockBits - 1, 0);
  counters.write(c);

  FramedBeat f;
  f.data = 0;
  f.payload = 0;
  f.first_lane = 0;
  f.first = 0;
  f.last = 0;
  f.open = 0;
  f.record = 1;
  f.powers = 0;
  f.slot = s.job.slot;
  f.ticket = s.job.ticket;
  framed.write(f);

  s.keys >>= kBlockBits;
  s.holding = s.key_index % 4 != 3;
  s.key_index = s.key_index + 1;
}

}  // namespace

void gcm_frame(GcmFrameState& s, hls::stream<CryptoJob>& jobs, hls::stream<Beat>& in,
               hls::stream<CounterBlock>& counters, hls::stream<FramedBeat>& framed) {
#pragma HLS PIPELINE II = 1
  if (s.holding) {
    pass_key(s, counters, framed);
    return;
  }
  if (in.empty() || (!s.inside && jobs.empty())) return;
  const bool first = !s.inside;
  if (first) s.job = jobs.read();
  const Beat beat = in.read();

  const ap_uint<4> at = s.record_beat;
  const bool high_powers = at == kFirstPowersBeat + 1;
  if (!s.job.record || at == kFirstPowersBeat || high_powers) {
    pass(s, beat, first, s.job.record ? high_powers : bool(beat.last), counters, framed);
  }
  if (s.job.record && at >= kFirstKeyBeat && at < kFirstPowersBeat) {
    s.keys = beat.data;
    s.holding = 1;
  }
  s.record_beat = !s.job.record || beat.last ? ap_uint<4>(0) : ap_uint<4>(at + 1);
  s.inside = !beat.last;
  s.job.aad = 0;  // stands in the first beat only
}

}  // namespace espalier

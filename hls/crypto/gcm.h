// SPDX-License-Identifier: BSD-2-Clause-Patent
// AES-GCM (NIST SP 800-38D) for ESP (RFC 4106), 64 bytes per clock, in four stages:
//
//   gcm_frame      job + beat -> counter block; beat with AAD and length block in their lanes
//   aes_keystream  counter block -> 4 blocks of keystream; the round keys of every SA live here
//   gctr           payload XOR keystream; E(K, J0) set aside
//   ghash          4 blocks of ciphertext per clock -> tag; the powers of H of every SA live here
//
// Lanes.  The AES side and the GHASH side of a packet have the same shape (crypto.h), so nothing is
// ever moved between lanes:
//
//   lane      0 .. z-1    z         z+1 ..                       3 of the last beat
//   AES       unused      J0        counters 2, 3, ... n+1       unused
//   GHASH     zero        AAD       ciphertext, zero-padded      length block
//
// Leading zero blocks do not change GHASH, the length block comes last as it must, and E(K, J0),
// which the tag needs, takes the lane in which AAD passes unencrypted.
//
// Records.  Each clock of the two inner paths carries one beat or one piece of an SA record, in
// order: a round key on the AES path, four powers of H on the GHASH path.  Each memory is read and
// written at the same stage, so a record takes effect exactly between two packets.
//
// Every step takes what it needs from all its inputs at once, or does nothing, and packets follow
// each other without a gap: N beats take N clocks, whatever packets they make up.
#ifndef ESPALIER_HLS_CRYPTO_GCM_H
#define ESPALIER_HLS_CRYPTO_GCM_H

#include <hls_stream.h>
#include <mem.h>

#include "crypto/aes.h"
#include "crypto/crypto.h"
#include "crypto/gf128.h"

namespace espalier {

/// For the four AES lanes of one beat.
struct CounterBlock {
  ap_uint<1> key;       ///< 1: no counter but a round key, to be stored in `slot`.
  ap_uint<4> index;     ///< Which round key.
  ap_uint<2> key_size;  ///< KeySize.
  Slot slot;
  Block block;  ///< The round key; or salt, IV, and in bits [127:96] lane 0's counter as a number.
  HLS_FIELDS(key, index, key_size, slot, block)
};

/// What gctr and ghash do with one beat.
struct FramedBeat {
  BeatData data;          ///< Payload with AAD and length block; or four powers of H.
  ap_uint<16> payload;    ///< Per 4 bytes of `data`: payload.
  ap_uint<2> first_lane;  ///< In the first beat: the lane of AAD and J0.
  ap_uint<1> first, last;
  ap_uint<1> open;
  ap_uint<1> record;  ///< Part of a record; `data` is in use only with `powers`.
  ap_uint<1> powers;
  Slot slot;
  Ticket ticket;
  HLS_FIELDS(data, payload, first_lane, first, last, open, record, powers, slot, ticket)
};

/// One beat of GHASH's input.
struct HashBeat {
  BeatData data;  ///< Four blocks; or four powers of H, the lowest power in lane 0.
  Block pad;      ///< E(K, J0); in use with `last`.
  ap_uint<1> last;
  ap_uint<1> record;  ///< 1: powers: H^1..H^4, with `last` H^5..H^8.
  Slot slot;
  Ticket ticket;
  HLS_FIELDS(data, pad, last, record, slot, ticket)
};

struct GcmFrameState {
  ap_uint<1> inside;  ///< Between the first and the last beat of a job.
  CryptoJob job;      ///< That job.
  ap_uint<16> counter;
  ap_uint<4> record_beat;
  ap_uint<1> holding;  ///< Round keys wait in `keys`.
  ap_uint<4> key_index;
  BeatData keys;
};

struct AesKeystreamState {
  ap_uint<1> wiped;  ///< Every round key was written with zeros after reset.
  Slot wipe;         ///< The slot whose turn it is.
  hls::mem<Block, kSlots, 3> round_key[kRoundKeys];
};

struct GctrState {
  Block pad;
};

struct GhashState {
  ap_uint<1> wiped;  ///< As in AesKeystreamState, for `powers`.
  ap_uint<kSlotBits + 1> wipe;
  hls::mem<BeatData, 2 * kSlots, 3> powers;  ///< At 2 * slot: H^1..H^4; at 2 * slot + 1: H^5..H^8.
  gf128::Product product;                    ///< Of the previous beat.
  Block sum;                                 ///< Of the beats before that, reduced.
};

/// Pairs each job with its beats and lays out what the AES and the GHASH side need of them.
/// In: a job and its first beat together, then beats to `last`.  Out: one counter block and one
/// framed beat for each packet beat; for a record 16 round keys, then 2 beats of powers.  II=1; a
/// record takes 32 clocks.  Drops nothing.
void gcm_frame(GcmFrameState& s, hls::stream<CryptoJob>& jobs, hls::stream<Beat>& in,
               hls::stream<CounterBlock>& counters, hls::stream<FramedBeat>& framed);

/// AES in counter mode (FIPS 197; SP 800-38D section 6.5), four blocks per clock, any mix of key
/// sizes. In: counter blocks and round keys.  Out: one beat of keystream each; for a key, unused.
/// II=1.  After reset it wipes all round keys and takes nothing for kSlots clocks.
void aes_keystream(AesKeystreamState& s, hls::stream<CounterBlock>& in,
                   hls::stream<BeatData>& keystream);

/// Encrypts or decrypts the payload (GCTR, SP 800-38D section 6.5) and hands the ciphertext to
/// GHASH. In: a framed beat and its keystream together.  Out: the payload, every other byte zero
/// (no beat for a record); GHASH's input.  II=1.
void gctr(GctrState& s, hls::stream<FramedBeat>& framed, hls::stream<BeatData>& keystream,
          hls::stream<Beat>& out, hls::stream<HashBeat>& hashed);

/// GHASH (SP 800-38D section 6.4) and the tag.  In: beats to `last`.  Out: one verdict per job.
/// II=1.  After reset it wipes all powers and takes nothing for 2 kSlots clocks.
void ghash(GhashState& s, hls::stream<HashBeat>& in, hls::stream<CryptoVerdict>& verdicts);

/// The four stages and the streams between them.
struct Gcm {
  GcmFrameState gcm_frame;
  AesKeystreamState aes_keystream;
  GctrState gctr;
  GhashState ghash;
  hls::stream<CounterBlock> counters;
  hls::stream<FramedBeat> framed;
  hls::stream<BeatData> keystream;
  hls::stream<HashBeat> hashed;
};

/// The crypto stage (crypto.h) with AES-GCM behind it, one clock.
inline void gcm(Gcm& g, hls::stream<CryptoJob>& jobs, hls::stream<Beat>& in, hls::stream<Beat>& out,
                hls::stream<CryptoVerdict>& verdicts) {
  gcm_frame(g.gcm_frame, jobs, in, g.counters, g.framed);
  aes_keystream(g.aes_keystream, g.counters, g.keystream);
  gctr(g.gctr, g.framed, g.keystream, out, g.hashed);
  ghash(g.ghash, g.hashed, verdicts);
}

}  // namespace espalier

#endif

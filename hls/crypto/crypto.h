// SPDX-License-Identifier: BSD-2-Clause-Patent
// The crypto stage's interface: a job per packet and its beats in; its beats and the verdict's
// material out.  Behind it sits AES-GCM (gcm.h); later engines (HMAC, CBC, ChaCha20-Poly1305) plug
// in beside it, keep 30 to 130 packets in flight and finish in another order: hence the ticket.
//
// A job and its beats travel on two streams in the same order.  A packet of `length` octets of
// ciphertext has n = ceil(length / 16) blocks and comes in B = ceil((n + 2) / 4) beats, packed to
// the right: with z = 4B - (n + 2), block i is at lane (z + 1 + i) mod 4 of beat (z + 1 + i) / 4,
// and every other byte is zero.  So the lane before block 0 and lane 3 of the last beat are free,
// for the AAD block and the length block; the last block always is lane 2 of the last beat, and the
// crypto stage never takes more beats than the packet on the wire.  The beats leave in the same
// shape, every byte that is no payload zero, whatever came in.
//
// An SA record is a job too: 16 beats, as spec/ lays them out (a remove is a record of zeros).  It
// takes effect in order: packets before it use the old keys, packets after it the new ones.  Its
// verdict leaves once the keys are written (or wiped); it has no beats out.
#ifndef ESPALIER_HLS_CRYPTO_CRYPTO_H
#define ESPALIER_HLS_CRYPTO_CRYPTO_H

#include "types.h"

namespace espalier {

/// AES key size, as it selects the round at which a block enters the cipher.
enum KeySize { kAes128 = 0, kAes192 = 1, kAes256 = 2 };

using Ticket = ap_uint<8>;

struct CryptoJob {
  ap_uint<1> record;  ///< 1: the beats are an SA record for `slot`; every field but ticket and slot
                      ///< is zero.
  ap_uint<1> open;    ///< 1: the payload is ciphertext (inbound); 0: plaintext (outbound).
  ap_uint<2> key_size;  ///< KeySize.
  ap_uint<1> esn;  ///< `aad` has 12 octets (SPI, 64-bit number) instead of 8 (RFC 4106 section 5).
  Slot slot;
  Ticket ticket;  ///< Comes back with the beats' verdict; the engine that finishes out of order
                  ///< needs it.
  ap_uint<16> length;  ///< Octets of ciphertext (ICV not counted): a multiple of 4, at least 4.
  ap_uint<32> salt;    ///< Wire order.
  ap_uint<64> iv;      ///< Wire order.
  ap_uint<96> aad;     ///< SPI, then number; wire order; zero above its 8 or 12 octets.
  HLS_FIELDS(record, open, key_size, esn, slot, ticket, length, salt, iv, aad)
};

/// One per job, in the order in which jobs finish.
struct CryptoVerdict {
  Block tag;  ///< The whole computed tag, wire order; compared or truncated downstream.  Zero for a
              ///< record.
  Ticket ticket;
  HLS_FIELDS(tag, ticket)
};

}  // namespace espalier

#endif

// SPDX-License-Identifier: BSD-2-Clause-Patent
// What the crypto stage is measured against: OpenSSL's AES-GCM; and the way packets and keys take
// into the stage's beats and back, written from crypto.h and spec/ alone.
#ifndef ESPALIER_TESTS_HLS_CRYPTO_GCM_REFERENCE_H
#define ESPALIER_TESTS_HLS_CRYPTO_GCM_REFERENCE_H

#include <array>
#include <cstdint>
#include <random>
#include <vector>

#include "crypto/crypto.h"
#include "espalier/spec/sa_record.h"

namespace espalier::test {

using Bytes = std::vector<std::uint8_t>;
using Random = std::mt19937_64;

Bytes random_bytes(Random& random, std::size_t count);

struct Sa {
  Bytes key;  ///< 16, 24 or 32 octets.
  std::array<std::uint8_t, 4> salt;
};
Sa random_sa(Random& random, KeySize size);
KeySize key_size(const Sa& sa);

/// Round keys and powers of H as the host expands them; the rest is zero.
spec::SaRecord expand(const Sa& sa);

struct Packet {
  bool open = false;
  Bytes iv;    ///< 8 octets.
  Bytes aad;   ///< 8 or 12 octets.
  Bytes text;  ///< What goes in: plaintext, or ciphertext of an open.
};
Packet random_packet(Random& random, std::size_t length);

/// What must come out.
struct Expected {
  Bytes text;
  Bytes tag;  ///< 16 octets.
};
Expected openssl_gcm(const Sa& sa, const Packet& packet);

/// Product in GCM's field, by the bitwise algorithm (SP 800-38D algorithm 1).
Bytes gf128_times(const Bytes& x, const Bytes& y);

/// One AES block by OpenSSL.
Bytes openssl_aes(const Bytes& key, const Bytes& block);

CryptoJob job_of(const Sa& sa, const Packet& packet, unsigned slot, unsigned ticket);
CryptoJob record_job(unsigned slot, unsigned ticket);

/// Beats of a packet's text, packed as crypto.h has it; and of a record.
std::vector<Beat> beats_of(const Bytes& text);
std::vector<Beat> beats_of(const spec::SaRecord& record);

/// The text of packed beats; fails the test if a byte that is not text is not zero.
Bytes text_of(const std::vector<Beat>& beats, std::size_t length);

template <int W>
ap_uint<W> to_word(const std::uint8_t* bytes, std::size_t count = W / 8) {
  ap_uint<W> word = 0;
  for (std::size_t i = 0; i < count; ++i) word.range(8 * i + 7, 8 * i) = bytes[i];
  return word;
}
template <int W>
Bytes to_bytes(const ap_uint<W>& word) {
  Bytes bytes(W / 8);
  for (std::size_t i = 0; i < bytes.size(); ++i) {
    bytes[i] = ap_uint<8>(word.range(8 * i + 7, 8 * i)).to_uchar();
  }
  return bytes;
}

}  // namespace espalier::test

#endif

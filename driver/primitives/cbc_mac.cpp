// SPDX-License-Identifier: BSD-2-Clause-Patent
#include "cbc_mac.hpp"

#include <openssl/crypto.h>

#include <algorithm>

#include "evp.hpp"

namespace espalier::driver {
namespace {

using Block = std::array<std::uint8_t, kAesBlock>;

/// Doubling in GF(2^128) as CMAC counts bits (RFC 4493 2.3), without a branch on the key.
Block doubled(const Block& in) {
  Block out;
  for (unsigned i = 0; i < kAesBlock; ++i)
    out[i] = static_cast<std::uint8_t>(in[i] << 1 | (i + 1 < kAesBlock ? in[i + 1] >> 7 : 0));
  out[kAesBlock - 1] ^= static_cast<std::uint8_t>(0x87 & -(in[0] >> 7));
  return out;
}

bool derive_cmac(std::span<const std::uint8_t> key, CbcMacKeys& keys) {
  std::copy(key.begin(), key.end(), keys.cipher.begin());
  Block l{};
  const bool done = aes_encrypt_block(key, l.data(), l.data());
  keys.full = doubled(l);
  keys.padded = doubled(keys.full);
  OPENSSL_cleanse(l.data(), l.size());
  return done;
}

bool derive_xcbc(std::span<const std::uint8_t> key, CbcMacKeys& keys) {
  std::uint8_t constant = 1;
  for (Block* into : {&keys.cipher, &keys.full, &keys.padded}) {
    Block in;
    in.fill(constant++);
    if (!aes_encrypt_block(key, in.data(), into->data())) return false;
  }
  return true;
}

}  // namespace

CbcMacKeys::~CbcMacKeys() {
  OPENSSL_cleanse(this, sizeof *this);
}

bool CbcMacKeys::derive(spec::Integrity integrity, std::span<const std::uint8_t> key) noexcept {
  if (key.size() != kAesBlock) return false;
  return integrity == spec::Integrity::aes_cmac ? derive_cmac(key, *this) : derive_xcbc(key, *this);
}

bool aes_encrypt_block(std::span<const std::uint8_t> key, const std::uint8_t* in,
                       std::uint8_t* out) noexcept {
  const CipherContext context = keyed_context(EvpMode::ecb, key, true);
  int length = 0;
  return context && EVP_EncryptUpdate(context.get(), out, &length, in, kAesBlock) == 1 &&
         length == static_cast<int>(kAesBlock);
}

}  // namespace espalier::driver

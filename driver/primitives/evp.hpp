// SPDX-License-Identifier: BSD-2-Clause-Patent
// OpenSSL's objects as owning handles, and its algorithms fetched once per process: a fetch per use
// costs more than the packet (an unfetched cipher doubles the price of 64 octets).
#pragma once

#include <openssl/evp.h>

#include <cstdint>
#include <memory>
#include <span>

namespace espalier::driver {

struct EvpDeleter {
  void operator()(EVP_CIPHER* p) const noexcept { EVP_CIPHER_free(p); }
  void operator()(EVP_CIPHER_CTX* p) const noexcept { EVP_CIPHER_CTX_free(p); }  // wipes the key
};
using CipherContext = std::unique_ptr<EVP_CIPHER_CTX, EvpDeleter>;

/// AES by mode and key length, ChaCha20-Poly1305 by name alone.
enum class EvpMode : std::uint8_t { ecb, cbc, ctr, gcm, ccm, chacha20_poly1305 };

/// The process-wide cipher; null if OpenSSL has none such.  Key length in octets.  Any thread.
const EVP_CIPHER* evp_cipher(EvpMode mode, std::size_t key_length) noexcept;

/// A context keyed with `key`, without padding; null if OpenSSL refuses (out of memory).
/// In CCM `icv_length` fixes the ICV, elsewhere it is ignored.
CipherContext keyed_context(EvpMode mode, std::span<const std::uint8_t> key, bool encrypt,
                            unsigned icv_length = 16) noexcept;

}  // namespace espalier::driver

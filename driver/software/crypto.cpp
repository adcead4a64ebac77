// SPDX-License-Identifier: BSD-2-Clause-Patent
#include "crypto.hpp"

#include <cstring>

#include "bytes.hpp"
#include "multi_buffer.hpp"

namespace espalier::driver::software {

Aad::Aad(const std::uint8_t* esp, bool esn, std::uint32_t sequence_high) noexcept
    : data_(esp), size_(kEspHeader) {
  if (!esn) return;
  std::memcpy(extended_, esp, 4);
  store32(extended_ + 4, sequence_high);
  std::memcpy(extended_ + 8, esp + 4, 4);
  data_ = extended_;
  size_ = sizeof extended_;
}

std::unique_ptr<EspCrypto> make_esp_crypto(const SaParameters& sa, MultiBuffer* mb) {
  if (mb != nullptr)
    if (auto crypto = make_mb_crypto(sa, *mb)) return crypto;
  switch (sa.cipher) {
    case spec::Cipher::aes_gcm:
      return make_gcm(sa);
    case spec::Cipher::aes_gmac:
      return make_gmac(sa);
    case spec::Cipher::aes_ccm:
      return make_ccm(sa);
    case spec::Cipher::chacha20_poly1305:
      return make_chacha(sa);
    case spec::Cipher::null:
    case spec::Cipher::aes_cbc:
    case spec::Cipher::aes_ctr:
      return make_encrypt_then_mac(sa);
  }
  return nullptr;
}

}  // namespace espalier::driver::software

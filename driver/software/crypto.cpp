// SPDX-License-Identifier: BSD-2-Clause-Patent
#include "crypto.hpp"

#include <cstring>

#include "bytes.hpp"
#include "multi_buffer.hpp"

namespace espalier::driver::software {

void Aad::extend(std::uint32_t sequence_high) noexcept {
  std::memcpy(extended_, data_, 4);
  store32(extended_ + 4, sequence_high);
  std::memcpy(extended_ + 8, data_ + 4, 4);
  data_ = extended_;
  size_ = sizeof extended_;
}

std::unique_ptr<EspSa> make_esp(const SaParameters& sa, const SaShape& shape, MultiBuffer* mb) {
  if (mb != nullptr)
    if (auto made = make_mb(sa, shape, *mb)) return made;
  switch (sa.cipher) {
    case spec::Cipher::aes_gcm:
      return make_gcm(sa, shape);
    case spec::Cipher::aes_gmac:
      return make_gmac(sa, shape);
    case spec::Cipher::aes_ccm:
      return make_ccm(sa, shape);
    case spec::Cipher::chacha20_poly1305:
      return make_chacha(sa, shape);
    case spec::Cipher::null:
    case spec::Cipher::aes_cbc:
    case spec::Cipher::aes_ctr:
      return make_encrypt_then_mac(sa, shape);
  }
  return nullptr;
}

}  // namespace espalier::driver::software

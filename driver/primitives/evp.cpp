// SPDX-License-Identifier: BSD-2-Clause-Patent
#include "evp.hpp"

#include <array>
#include <string>

namespace espalier::driver {
namespace {

using Cipher = std::unique_ptr<EVP_CIPHER, EvpDeleter>;

/// All ciphers of the process, [mode][key length / 8 - 2]; ChaCha20 stands at 256 bits.
struct Ciphers {
  std::array<std::array<Cipher, 3>, 6> table;

  Ciphers() {
    constexpr const char* kModes[] = {"ECB", "CBC", "CTR", "GCM", "CCM"};
    for (std::size_t mode = 0; mode < 5; ++mode)
      for (std::size_t size = 0; size < 3; ++size) {
        const std::string name = "AES-" + std::to_string(128 + 64 * size) + "-" + kModes[mode];
        table[mode][size].reset(EVP_CIPHER_fetch(nullptr, name.c_str(), nullptr));
      }
    table[5][2].reset(EVP_CIPHER_fetch(nullptr, "ChaCha20-Poly1305", nullptr));
  }
};

}  // namespace

const EVP_CIPHER* evp_cipher(EvpMode mode, std::size_t key_length) noexcept {
  static const Ciphers ciphers;
  if (key_length != 16 && key_length != 24 && key_length != 32) return nullptr;
  return ciphers.table[static_cast<std::size_t>(mode)][key_length / 8 - 2].get();
}

CipherContext keyed_context(EvpMode mode, std::span<const std::uint8_t> key, bool encrypt,
                            unsigned icv_length) noexcept {
  const EVP_CIPHER* cipher = evp_cipher(mode, key.size());
  CipherContext context(EVP_CIPHER_CTX_new());
  if (cipher == nullptr || !context) return nullptr;
  if (EVP_CipherInit_ex2(context.get(), cipher, nullptr, nullptr, encrypt, nullptr) != 1)
    return nullptr;
  if (mode == EvpMode::ccm) {
    constexpr int kNonce = 11;  // RFC 4309 4
    if (EVP_CIPHER_CTX_ctrl(context.get(), EVP_CTRL_AEAD_SET_IVLEN, kNonce, nullptr) != 1 ||
        EVP_CIPHER_CTX_ctrl(context.get(), EVP_CTRL_AEAD_SET_TAG, static_cast<int>(icv_length),
                            nullptr) != 1)
      return nullptr;
  }
  if (EVP_CipherInit_ex2(context.get(), nullptr, key.data(), nullptr, encrypt, nullptr) != 1)
    return nullptr;
  EVP_CIPHER_CTX_set_padding(context.get(), 0);
  return context;
}

}  // namespace espalier::driver

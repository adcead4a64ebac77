// SPDX-License-Identifier: BSD-2-Clause-Patent
// The yardstick: AES-GCM by the OpenSSL calls that cost least per packet, and nothing else.  IVs
// only step (never seeded anew, never looked at), lengths and pointers come ready made.
#pragma once

#include <openssl/core_names.h>
#include <openssl/evp.h>

#include <cstdint>
#include <memory>
#include <span>
#include <stdexcept>

namespace espalier::bench {

inline constexpr int kRawAad = 8;
inline constexpr std::size_t kRawTag = 16;

class RawGcm {
 public:
  RawGcm(std::span<const std::uint8_t> key, bool seal)
      : cipher_(EVP_CIPHER_fetch(nullptr, "AES-256-GCM", nullptr)), context_(EVP_CIPHER_CTX_new()) {
    if (EVP_CipherInit_ex2(context_.get(), cipher_.get(), key.data(), nullptr, seal, nullptr) !=
            1 ||
        EVP_CIPHER_CTX_ctrl(context_.get(), EVP_CTRL_AEAD_SET_IV_FIXED, seal ? -1 : 4, zero_) != 1)
      throw std::runtime_error("OpenSSL has no AES-256-GCM");
  }

  /// Writes `length` octets and the tag behind them; `iv` gets the one used.
  bool seal(std::uint8_t* out, const std::uint8_t* in, int length, std::uint8_t* iv) noexcept {
    step_[0].data = iv;
    tag_[0].data = out + length;
    int done = 0;
    return EVP_CIPHER_CTX_get_params(context_.get(), step_) == 1 &&
           EVP_CipherUpdate(context_.get(), nullptr, &done, zero_, kRawAad) == 1 &&
           EVP_CipherUpdate(context_.get(), out, &done, in, length) == 1 &&
           EVP_CipherFinal_ex(context_.get(), none_, &done) == 1 &&
           EVP_CIPHER_CTX_get_params(context_.get(), tag_) == 1;
  }

  /// Sets the IV the next seal() steps to, 12 octets.
  bool reseed(std::uint8_t* iv) noexcept {
    return EVP_CIPHER_CTX_ctrl(context_.get(), EVP_CTRL_AEAD_SET_IV_FIXED, -1, iv) == 1;
  }

  bool open(std::uint8_t* out, const std::uint8_t* in, int length, std::uint8_t* iv) noexcept {
    set_[0].data = iv;
    set_[1].data = const_cast<std::uint8_t*>(in + length);
    int done = 0;
    return EVP_CIPHER_CTX_set_params(context_.get(), set_) == 1 &&
           EVP_CipherUpdate(context_.get(), nullptr, &done, zero_, kRawAad) == 1 &&
           EVP_CipherUpdate(context_.get(), out, &done, in, length) == 1 &&
           EVP_CipherFinal_ex(context_.get(), none_, &done) == 1;
  }

 private:
  struct Free {
    void operator()(EVP_CIPHER* p) const { EVP_CIPHER_free(p); }
    void operator()(EVP_CIPHER_CTX* p) const { EVP_CIPHER_CTX_free(p); }
  };
  std::unique_ptr<EVP_CIPHER, Free> cipher_;
  std::unique_ptr<EVP_CIPHER_CTX, Free> context_;
  std::uint8_t zero_[16] = {}, none_[16];
  OSSL_PARAM step_[2] = {
      OSSL_PARAM_octet_string(OSSL_CIPHER_PARAM_AEAD_TLS1_GET_IV_GEN, nullptr, 8), OSSL_PARAM_END};
  OSSL_PARAM tag_[2] = {OSSL_PARAM_octet_string(OSSL_CIPHER_PARAM_AEAD_TAG, nullptr, kRawTag),
                        OSSL_PARAM_END};
  OSSL_PARAM set_[3] = {OSSL_PARAM_octet_string(OSSL_CIPHER_PARAM_AEAD_TLS1_SET_IV_INV, nullptr, 8),
                        OSSL_PARAM_octet_string(OSSL_CIPHER_PARAM_AEAD_TAG, nullptr, kRawTag),
                        OSSL_PARAM_END};
};

}  // namespace espalier::bench

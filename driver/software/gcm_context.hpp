// SPDX-License-Identifier: BSD-2-Clause-Patent
// OpenSSL's AES-GCM, by the calls that cost least per packet.
//
// EVP's usual way hands the context an IV through an init call per packet.  Cheaper by a third at
// 64 octets is the way TLS uses: seed the whole IV once, then ask the context to step it
// ("tlsivgen") before each packet.  But numbers and IVs are the host's (D2), so the context's
// counter is only ever a guess: start_seal() seeds it anew whenever the job's IV is not the next
// one, and compares the IV the context says it used with the job's before anything is encrypted.
// Opening sets IV and tag in one call ("tlsivinv").
#pragma once

#include <openssl/core_names.h>

#include <array>
#include <cstdint>
#include <span>

#include "bytes.hpp"
#include "espalier/driver/job.hpp"
#include "primitives/evp.hpp"

namespace espalier::driver::software {

inline constexpr unsigned kCounterIv = 8;  ///< Octets of IV behind the salt.

class GcmContext {
 public:
  GcmContext(std::span<const std::uint8_t> key, const std::array<std::uint8_t, 4>& salt,
             Direction direction)
      : context_(keyed_context(EvpMode::gcm, key, direction == Direction::seal)), salt_(salt) {
    // Opening needs the fixed part of the IV once; sealing seeds all of it.
    if (context_ && direction == Direction::open &&
        EVP_CIPHER_CTX_ctrl(context_.get(), EVP_CTRL_AEAD_SET_IV_FIXED, 4, salt_.data()) != 1)
      context_.reset();
  }
  explicit operator bool() const noexcept { return context_ != nullptr; }

  /// Begins a packet under salt and `iv` (8 octets).  False if the context used any other IV.
  bool start_seal(const std::uint8_t* iv) noexcept {
    const auto wanted = load64(iv);
    if ((!seeded_ || wanted != next_) && !seed(iv)) return false;
    std::uint8_t used[kCounterIv];
    OSSL_PARAM step[] = {
        OSSL_PARAM_octet_string(OSSL_CIPHER_PARAM_AEAD_TLS1_GET_IV_GEN, used, kCounterIv),
        OSSL_PARAM_END};
    seeded_ = EVP_CIPHER_CTX_get_params(context_.get(), step) == 1 && load64(used) == wanted;
    next_ = wanted + 1;
    return seeded_;
  }

  /// Begins a packet and says which ICV finish_open() must find.
  bool start_open(const std::uint8_t* iv, const std::uint8_t* icv, unsigned icv_length) noexcept {
    // Parameters are not const; OpenSSL only reads these.
    OSSL_PARAM set[] = {OSSL_PARAM_octet_string(OSSL_CIPHER_PARAM_AEAD_TLS1_SET_IV_INV,
                                                const_cast<std::uint8_t*>(iv), kCounterIv),
                        OSSL_PARAM_octet_string(OSSL_CIPHER_PARAM_AEAD_TAG,
                                                const_cast<std::uint8_t*>(icv), icv_length),
                        OSSL_PARAM_END};
    return EVP_CIPHER_CTX_set_params(context_.get(), set) == 1;
  }

  bool authenticate(const std::uint8_t* data, std::size_t length) noexcept {
    return update(nullptr, data, length);
  }
  /// En- or decrypts, in place or apart.
  bool update(std::uint8_t* out, const std::uint8_t* in, std::size_t length) noexcept {
    int done = 0;
    return EVP_CipherUpdate(context_.get(), out, &done, in, static_cast<int>(length)) == 1;
  }

  bool finish_seal(std::uint8_t* icv, unsigned icv_length) noexcept {
    OSSL_PARAM tag[] = {OSSL_PARAM_octet_string(OSSL_CIPHER_PARAM_AEAD_TAG, icv, icv_length),
                        OSSL_PARAM_END};
    return finish_open() && EVP_CIPHER_CTX_get_params(context_.get(), tag) == 1;
  }
  /// False if the ICV is not the one start_open() was given.
  bool finish_open() noexcept {
    std::uint8_t none[16];
    int done = 0;
    return EVP_CipherFinal_ex(context_.get(), none, &done) == 1;
  }

 private:
  bool seed(const std::uint8_t* iv) noexcept {
    std::uint8_t whole[4 + kCounterIv];
    std::memcpy(whole, salt_.data(), 4);
    std::memcpy(whole + 4, iv, kCounterIv);
    return EVP_CIPHER_CTX_ctrl(context_.get(), EVP_CTRL_AEAD_SET_IV_FIXED, -1, whole) == 1;
  }

  CipherContext context_;
  std::array<std::uint8_t, 4> salt_;
  bool seeded_ = false;
  std::uint64_t next_ = 0;  ///< The IV the context would step to, while seeded.
};

}  // namespace espalier::driver::software

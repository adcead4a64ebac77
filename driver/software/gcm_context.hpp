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

/// One or two parameters of octets.  Written without what OpenSSL does not read, as this happens
/// twice a packet.
class Parameters {
 public:
  Parameters(const char* key, const std::uint8_t* octets, std::size_t length) noexcept {
    set(0, key, octets, length);
    list_[1].key = nullptr;
  }
  Parameters(const char* key, const std::uint8_t* octets, std::size_t length, const char* key2,
             const std::uint8_t* octets2, std::size_t length2) noexcept {
    set(0, key, octets, length);
    set(1, key2, octets2, length2);
    list_[2].key = nullptr;
  }
  OSSL_PARAM* list() noexcept { return list_; }

 private:
  /// Parameters have no const; OpenSSL only reads those that are set.
  void set(unsigned at, const char* key, const std::uint8_t* octets, std::size_t length) noexcept {
    list_[at].key = key;
    list_[at].data_type = OSSL_PARAM_OCTET_STRING;
    list_[at].data = const_cast<std::uint8_t*>(octets);
    list_[at].data_size = length;
  }
  OSSL_PARAM list_[3];
};

class GcmContext {
 public:
  GcmContext(std::span<const std::uint8_t> key, const std::array<std::uint8_t, 4>& salt,
             Direction direction)
      : context_(keyed_context(EvpMode::gcm, key, direction == Direction::seal)), salt_(salt) {
    // Opening needs the fixed part of the IV once; sealing seeds all of it, for the IV that
    // counters begin with.
    static constexpr std::uint8_t kFirst[kCounterIv] = {0, 0, 0, 0, 0, 0, 0, 1};
    seeded_ = context_ && direction == Direction::seal && seed(kFirst);
    if (context_ && !seeded_ &&
        EVP_CIPHER_CTX_ctrl(context_.get(), EVP_CTRL_AEAD_SET_IV_FIXED, 4, salt_.data()) != 1)
      context_.reset();
    if (context_) find_lines();
  }
  explicit operator bool() const noexcept { return context_ != nullptr; }

  /// Begins a packet under salt and `iv` (8 octets).  False if the context used any other IV.
  [[gnu::always_inline]] bool start_seal(const std::uint8_t* iv) noexcept {
    const auto wanted = load64(iv);
    if ((!seeded_ || wanted != next_) && !seed(iv)) return false;
    std::uint8_t used[kCounterIv];
    Parameters step(OSSL_CIPHER_PARAM_AEAD_TLS1_GET_IV_GEN, used, kCounterIv);
    seeded_ = EVP_CIPHER_CTX_get_params(context_.get(), step.list()) == 1 && load64(used) == wanted;
    next_ = wanted + 1;
    return seeded_;
  }

  /// Begins a packet and says which ICV finish_open() must find.
  [[gnu::always_inline]] bool start_open(const std::uint8_t* iv, const std::uint8_t* icv,
                                         unsigned icv_length) noexcept {
    Parameters set(OSSL_CIPHER_PARAM_AEAD_TLS1_SET_IV_INV, iv, kCounterIv,
                   OSSL_CIPHER_PARAM_AEAD_TAG, icv, icv_length);
    return EVP_CIPHER_CTX_set_params(context_.get(), set.list()) == 1;
  }

  /// Has the context brought near: what a packet touches of EVP's object and of the provider's.
  void prefetch() const noexcept {
    const auto* control = reinterpret_cast<const std::uint8_t*>(context_.get());
    __builtin_prefetch(control, 1);
    __builtin_prefetch(control + kControlEnd, 1);
    for (int at = kStateFirst; at <= 0; at += kLine) __builtin_prefetch(state_ + at, 1);
    for (int at = kStateAfterIv; at < kStateEnd; at += kLine) __builtin_prefetch(state_ + at, 1);
  }

  bool authenticate(const std::uint8_t* data, std::size_t length) noexcept {
    return update(nullptr, data, length);
  }
  /// En- or decrypts, in place or apart.
  bool update(std::uint8_t* out, const std::uint8_t* in, std::size_t length) noexcept {
    int done = 0;
    return EVP_CipherUpdate(context_.get(), out, &done, in, static_cast<int>(length)) == 1;
  }

  [[gnu::always_inline]] bool finish_seal(std::uint8_t* icv, unsigned icv_length) noexcept {
    Parameters tag(OSSL_CIPHER_PARAM_AEAD_TAG, icv, icv_length);
    return finish_open() && EVP_CIPHER_CTX_get_params(context_.get(), tag.list()) == 1;
  }
  /// False if the ICV is not the one start_open() was given.
  [[gnu::always_inline]] bool finish_open() noexcept {
    std::uint8_t none[16];
    int done = 0;
    return EVP_CipherFinal_ex(context_.get(), none, &done) == 1;
  }

 private:
  // Where OpenSSL 3.0 has what a packet touches.  Of the provider's object, relative to the IV:
  // lengths and flags before it, room for longer IVs behind it, then counter, H and its powers, key
  // schedule.
  static constexpr int kLine = 64, kControlEnd = 168;
  static constexpr int kStateFirst = -64, kStateAfterIv = 128, kStateEnd = 864;

  /// Asks where the provider has its IV.  The rest lies around it: that is how OpenSSL 3 is made
  /// and no promise of its, but a prefetch of what is not there costs time and does nothing else.
  void find_lines() noexcept {
    void* iv = nullptr;
    OSSL_PARAM where[] = {OSSL_PARAM_octet_ptr(OSSL_CIPHER_PARAM_IV, &iv, 4 + kCounterIv),
                          OSSL_PARAM_END};
    if (EVP_CIPHER_CTX_get_params(context_.get(), where) == 1 && iv != nullptr)
      state_ = static_cast<const std::uint8_t*>(iv);
  }
  bool seed(const std::uint8_t* iv) noexcept {
    std::uint8_t whole[4 + kCounterIv];
    std::memcpy(whole, salt_.data(), 4);
    std::memcpy(whole + 4, iv, kCounterIv);
    return EVP_CIPHER_CTX_ctrl(context_.get(), EVP_CTRL_AEAD_SET_IV_FIXED, -1, whole) == 1;
  }

  CipherContext context_;
  const std::uint8_t* state_ = nullptr;
  std::uint64_t next_ = 1;  ///< The IV the context would step to, while seeded.
  std::array<std::uint8_t, 4> salt_;
  bool seeded_ = false;
};

}  // namespace espalier::driver::software

// SPDX-License-Identifier: BSD-2-Clause-Patent
// Integrity algorithms: HMAC (RFC 2404, RFC 4868), AES-XCBC-96 (RFC 3566) and AES-CMAC-96
// (RFC 4494), and AES-GMAC as AH has it (RFC 4543 4).
#include <openssl/crypto.h>

#include <algorithm>

#include "gcm_context.hpp"
#include "primitives/cbc_mac.hpp"
#include "primitives/hmac.hpp"
#include "sa.hpp"

namespace espalier::driver::software {
namespace {

using spec::Integrity;

/// A MAC without IV, whose ICV is the digest's first octets.
class TruncatedMac : public Mac {
 public:
  bool compute(std::span<const Octets> parts, const std::uint8_t*,
               std::uint8_t* icv) noexcept final {
    std::uint8_t whole[kMaxDigest];
    if (!digest(parts, whole)) return false;
    std::memcpy(icv, whole, icv_length_);
    return true;
  }
  bool verify(std::span<const Octets> parts, const std::uint8_t*,
              const std::uint8_t* icv) noexcept final {
    std::uint8_t whole[kMaxDigest];
    return digest(parts, whole) && CRYPTO_memcmp(whole, icv, icv_length_) == 0;
  }

 protected:
  static constexpr unsigned kMaxDigest = 64;
  explicit TruncatedMac(unsigned icv_length) : icv_length_(icv_length) {}
  virtual bool digest(std::span<const Octets> parts, std::uint8_t* out) noexcept = 0;

 private:
  unsigned icv_length_;
};

template <class Sha>
class HmacMac final : public TruncatedMac {
 public:
  explicit HmacMac(const SaParameters& sa)
      : TruncatedMac(sa.icv_length), hmac_(sa.integrity_key.view()) {}

 private:
  bool digest(std::span<const Octets> parts, std::uint8_t* out) noexcept override {
    hmac_.mac(parts, out);
    return true;
  }
  Hmac<Sha> hmac_;
};

/// XCBC and CMAC: a CBC chain under one key, a subkey added to the last block.
class CbcMac final : public TruncatedMac {
 public:
  explicit CbcMac(const SaParameters& sa) : TruncatedMac(sa.icv_length) {
    if (keys_.derive(sa.integrity, sa.integrity_key.view()))
      context_ = keyed_context(EvpMode::cbc, keys_.cipher, true);
  }
  bool ready() const { return context_ != nullptr; }

 private:
  bool digest(std::span<const Octets> parts, std::uint8_t* out) noexcept override {
    static constexpr std::uint8_t kZeroIv[kAesBlock] = {};
    if (EVP_CipherInit_ex2(context_.get(), nullptr, nullptr, kZeroIv, 1, nullptr) != 1)
      return false;
    std::uint8_t held[kAesBlock];  // the last block so far: it may turn out to be the very last
    std::size_t filled = 0;
    for (Octets part : parts) {
      while (!part.empty()) {
        if (filled == kAesBlock) {
          if (!chain(held, kAesBlock)) return false;
          filled = 0;
        }
        if (filled == 0 && part.size() > kAesBlock) {
          const std::size_t whole =
              std::min((part.size() - 1) / kAesBlock * kAesBlock, sizeof sink_);
          if (!chain(part.data(), whole)) return false;
          part = part.subspan(whole);
          continue;
        }
        const std::size_t take = std::min(kAesBlock - filled, part.size());
        std::memcpy(held + filled, part.data(), take);
        filled += take;
        part = part.subspan(take);
      }
    }
    const auto& subkey = filled == kAesBlock ? keys_.full : keys_.padded;
    if (filled < kAesBlock) {
      held[filled] = 0x80;
      std::fill(held + filled + 1, held + kAesBlock, std::uint8_t{0});
    }
    for (unsigned i = 0; i < kAesBlock; ++i) held[i] ^= subkey[i];
    if (!chain(held, kAesBlock)) return false;
    std::memcpy(out, sink_, kAesBlock);
    return true;
  }

  /// Only the chain's last block matters; the ciphertext goes nowhere.
  bool chain(const std::uint8_t* in, std::size_t length) noexcept {
    int done = 0;
    return EVP_CipherUpdate(context_.get(), sink_, &done, in, static_cast<int>(length)) == 1;
  }

  CbcMacKeys keys_;
  CipherContext context_;
  std::uint8_t sink_[512];
};

class GmacMac final : public Mac {
 public:
  explicit GmacMac(const SaParameters& sa)
      : gcm_(sa.integrity_key.view(), sa.salt, sa.direction), icv_length_(sa.icv_length) {}
  bool ready() const { return static_cast<bool>(gcm_); }

  bool compute(std::span<const Octets> parts, const std::uint8_t* iv,
               std::uint8_t* icv) noexcept override {
    return gcm_.start_seal(iv) && authenticate(parts) && gcm_.finish_seal(icv, icv_length_);
  }
  bool verify(std::span<const Octets> parts, const std::uint8_t* iv,
              const std::uint8_t* icv) noexcept override {
    return gcm_.start_open(iv, icv, icv_length_) && authenticate(parts) && gcm_.finish_open();
  }

 private:
  bool authenticate(std::span<const Octets> parts) noexcept {
    return std::all_of(parts.begin(), parts.end(), [this](Octets part) {
      return part.empty() || gcm_.authenticate(part.data(), part.size());
    });
  }
  GcmContext gcm_;
  unsigned icv_length_;
};

}  // namespace

std::unique_ptr<Mac> make_mac(const SaParameters& sa) {
  switch (sa.integrity) {
    case Integrity::hmac_sha1:
      return std::make_unique<HmacMac<Sha1>>(sa);
    case Integrity::hmac_sha256:
      return std::make_unique<HmacMac<Sha256>>(sa);
    case Integrity::hmac_sha384:
      return std::make_unique<HmacMac<Sha384>>(sa);
    case Integrity::hmac_sha512:
      return std::make_unique<HmacMac<Sha512>>(sa);
    case Integrity::aes_xcbc:
    case Integrity::aes_cmac:
      return if_ready(std::make_unique<CbcMac>(sa));
    case Integrity::aes_gmac:
      return if_ready(std::make_unique<GmacMac>(sa));
    case Integrity::none:
      break;
  }
  return nullptr;
}

}  // namespace espalier::driver::software

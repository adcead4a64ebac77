// SPDX-License-Identifier: BSD-2-Clause-Patent
// AES-GCM (RFC 4106) and AES-GMAC (RFC 4543) in ESP.
#include "crypto.hpp"
#include "gcm_context.hpp"

namespace espalier::driver::software {
namespace {

class Gcm final : public EspCrypto {
 public:
  explicit Gcm(const SaParameters& sa)
      : EspCrypto(true),
        gcm_(sa.cipher_key.view(), sa.salt, sa.direction),
        icv_length_(sa.icv_length),
        esn_(sa.esn) {}
  explicit operator bool() const { return static_cast<bool>(gcm_); }

  bool seal(const SealFrame& f) noexcept override {
    const Aad aad(f.esp, esn_, f.sequence_high);
    return gcm_.start_seal(f.iv) && gcm_.authenticate(aad.data(), aad.size()) &&
           (f.bulk == 0 || gcm_.update(f.body, f.text, f.bulk)) &&
           gcm_.update(f.body + f.bulk, f.body + f.bulk, f.length - f.bulk) &&
           gcm_.finish_seal(f.body + f.length, icv_length_);
  }

  bool open(const OpenFrame& f) noexcept override {
    const Aad aad(f.esp, esn_, f.sequence_high);
    return gcm_.start_open(f.iv, f.body + f.length, icv_length_) &&
           gcm_.authenticate(aad.data(), aad.size()) && gcm_.update(f.out, f.body, f.length) &&
           gcm_.finish_open();
  }

 private:
  GcmContext gcm_;
  unsigned icv_length_;
  bool esn_;
};

/// All is additional data, the IV included (RFC 4543 3.3); the body stays in clear.
class Gmac final : public EspCrypto {
 public:
  explicit Gmac(const SaParameters& sa)
      : EspCrypto(false),
        gcm_(sa.cipher_key.view(), sa.salt, sa.direction),
        icv_length_(sa.icv_length),
        esn_(sa.esn) {}
  explicit operator bool() const { return static_cast<bool>(gcm_); }

  bool seal(const SealFrame& f) noexcept override {
    return gcm_.start_seal(f.iv) && authenticate(f.esp, f.body + f.length, f.sequence_high) &&
           gcm_.finish_seal(f.body + f.length, icv_length_);
  }

  bool open(const OpenFrame& f) noexcept override {
    if (!gcm_.start_open(f.iv, f.body + f.length, icv_length_) ||
        !authenticate(f.esp, f.body + f.length, f.sequence_high) || !gcm_.finish_open())
      return false;
    if (f.out != f.body) std::memcpy(f.out, f.body, f.length);
    return true;
  }

 private:
  bool authenticate(const std::uint8_t* esp, const std::uint8_t* end,
                    std::uint32_t sequence_high) noexcept {
    const Aad aad(esp, esn_, sequence_high);
    const std::uint8_t* rest = esp + kEspHeader;
    return gcm_.authenticate(aad.data(), aad.size()) &&
           gcm_.authenticate(rest, static_cast<std::size_t>(end - rest));
  }

  GcmContext gcm_;
  unsigned icv_length_;
  bool esn_;
};

template <class Crypto>
std::unique_ptr<EspCrypto> make(const SaParameters& sa) {
  auto crypto = std::make_unique<Crypto>(sa);
  return *crypto ? std::move(crypto) : nullptr;
}

}  // namespace

std::unique_ptr<EspCrypto> make_gcm(const SaParameters& sa) {
  return make<Gcm>(sa);
}
std::unique_ptr<EspCrypto> make_gmac(const SaParameters& sa) {
  return make<Gmac>(sa);
}

}  // namespace espalier::driver::software

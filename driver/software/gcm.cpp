// SPDX-License-Identifier: BSD-2-Clause-Patent
// AES-GCM (RFC 4106) and AES-GMAC (RFC 4543) in ESP.
#include "esp.hpp"
#include "gcm_context.hpp"

namespace espalier::driver::software {
namespace {

/// What both share: a context of the SA's.
class GcmSa : public EspSa {
 public:
  GcmSa(const SaParameters& sa, const SaShape& shape, bool takes_bulk)
      : EspSa(shape, takes_bulk), gcm_(sa.cipher_key.view(), sa.salt, sa.direction) {}
  bool ready() const { return static_cast<bool>(gcm_); }
  void prefetch() const noexcept final { gcm_.prefetch(); }

 protected:
  unsigned icv_length() const noexcept { return shape().icv_length; }

  GcmContext gcm_;
};

class Gcm final : public GcmSa {
 public:
  Gcm(const SaParameters& sa, const SaShape& shape) : GcmSa(sa, shape, true) {}

  Answer process(const Job& job, const Scratch& scratch) noexcept override {
    return process_esp(*this, job, scratch);
  }

  [[gnu::always_inline]] bool seal(const SealFrame& f) noexcept override {
    const Aad aad(f.esp, shape().esn, f.sequence_high);
    return gcm_.start_seal(f.iv) && gcm_.authenticate(aad.data(), aad.size()) &&
           (f.bulk == 0 || gcm_.update(f.body, f.text, f.bulk)) &&
           gcm_.update(f.body + f.bulk, f.body + f.bulk, f.length - f.bulk) &&
           gcm_.finish_seal(f.body + f.length, icv_length());
  }

  [[gnu::always_inline]] bool open(const OpenFrame& f) noexcept override {
    const Aad aad(f.esp, shape().esn, f.sequence_high);
    return gcm_.start_open(f.iv, f.body + f.length, icv_length()) &&
           gcm_.authenticate(aad.data(), aad.size()) && gcm_.update(f.out, f.body, f.length) &&
           gcm_.finish_open();
  }
};

/// All is additional data, the IV included (RFC 4543 3.3); the body stays in clear.
class Gmac final : public GcmSa {
 public:
  Gmac(const SaParameters& sa, const SaShape& shape) : GcmSa(sa, shape, false) {}

  bool seal(const SealFrame& f) noexcept override {
    return gcm_.start_seal(f.iv) && authenticate(f.esp, f.body + f.length, f.sequence_high) &&
           gcm_.finish_seal(f.body + f.length, icv_length());
  }

  bool open(const OpenFrame& f) noexcept override {
    if (!gcm_.start_open(f.iv, f.body + f.length, icv_length()) ||
        !authenticate(f.esp, f.body + f.length, f.sequence_high) || !gcm_.finish_open())
      return false;
    if (f.out != f.body) std::memcpy(f.out, f.body, f.length);
    return true;
  }

 private:
  bool authenticate(const std::uint8_t* esp, const std::uint8_t* end,
                    std::uint32_t sequence_high) noexcept {
    const Aad aad(esp, shape().esn, sequence_high);
    const std::uint8_t* rest = esp + kEspHeader;
    return gcm_.authenticate(aad.data(), aad.size()) &&
           gcm_.authenticate(rest, static_cast<std::size_t>(end - rest));
  }
};

}  // namespace

std::unique_ptr<EspSa> make_gcm(const SaParameters& sa, const SaShape& shape) {
  return if_ready(std::make_unique<Gcm>(sa, shape));
}
std::unique_ptr<EspSa> make_gmac(const SaParameters& sa, const SaShape& shape) {
  return if_ready(std::make_unique<Gmac>(sa, shape));
}

}  // namespace espalier::driver::software

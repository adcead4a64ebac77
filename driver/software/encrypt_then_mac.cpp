// SPDX-License-Identifier: BSD-2-Clause-Patent
// NULL (RFC 2410), AES-CBC (RFC 3602) and AES-CTR (RFC 3686) with a separate integrity algorithm:
// encrypt first, then the ICV over everything from the SPI (RFC 4303 3.3.2.1).  Opening verifies
// before it decrypts.
#include "bytes.hpp"
#include "esp.hpp"
#include "primitives/evp.hpp"

namespace espalier::driver::software {
namespace {

using spec::Cipher;

/// The cipher half.
class BodyCipher {
 public:
  explicit BodyCipher(const SaParameters& sa) : cipher_(sa.cipher) {
    if (cipher_ == Cipher::null) return;
    const EvpMode mode = cipher_ == Cipher::aes_cbc ? EvpMode::cbc : EvpMode::ctr;
    context_ = keyed_context(mode, sa.cipher_key.view(), sa.direction == Direction::seal);
    std::memcpy(counter_, sa.salt.data(), sa.salt.size());
    store32(counter_ + 12, 1);  // RFC 3686 4: nonce, IV, and a block counter that starts at one
  }
  bool ready() const { return cipher_ == Cipher::null || context_ != nullptr; }

  bool start(const std::uint8_t* iv) noexcept {
    if (cipher_ == Cipher::null) return true;
    if (cipher_ == Cipher::aes_ctr) {
      std::memcpy(counter_ + 4, iv, 8);
      iv = counter_;
    }
    return EVP_CipherInit_ex2(context_.get(), nullptr, nullptr, iv, -1, nullptr) == 1;
  }
  bool update(std::uint8_t* out, const std::uint8_t* in, std::uint32_t length) noexcept {
    if (cipher_ == Cipher::null) {
      if (out != in) std::memcpy(out, in, length);
      return true;
    }
    int done = 0;
    return EVP_CipherUpdate(context_.get(), out, &done, in, static_cast<int>(length)) == 1 &&
           done == static_cast<int>(length);
  }

 private:
  Cipher cipher_;
  CipherContext context_;
  std::uint8_t counter_[16] = {};
};

class EncryptThenMac final : public EspSa {
 public:
  EncryptThenMac(const SaParameters& sa, const SaShape& shape)
      : EspSa(shape, true), cipher_(sa), mac_(make_mac(sa)) {}
  bool ready() const { return cipher_.ready() && mac_ != nullptr; }

  bool seal(const SealFrame& f) noexcept override {
    return cipher_.start(f.iv) && (f.bulk == 0 || cipher_.update(f.body, f.text, f.bulk)) &&
           cipher_.update(f.body + f.bulk, f.body + f.bulk, f.length - f.bulk) &&
           mac_->compute(Covered(f.esp, f.body + f.length, shape().esn, f.sequence_high).parts(),
                         nullptr, f.body + f.length);
  }

  bool open(const OpenFrame& f) noexcept override {
    const std::uint8_t* icv = f.body + f.length;
    return mac_->verify(Covered(f.esp, icv, shape().esn, f.sequence_high).parts(), nullptr, icv) &&
           cipher_.start(f.iv) && cipher_.update(f.out, f.body, f.length);
  }

 private:
  /// SPI to the end of the body, then the high half of the number with ESN (RFC 4303 2.2.1).
  class Covered {
   public:
    Covered(const std::uint8_t* esp, const std::uint8_t* end, bool esn, std::uint32_t high) noexcept
        : count_(esn ? 2 : 1) {
      store32(high_, high);
      parts_[0] = {esp, static_cast<std::size_t>(end - esp)};
      parts_[1] = {high_, sizeof high_};
    }
    std::span<const Octets> parts() const noexcept { return {parts_, count_}; }

   private:
    std::uint8_t high_[4];
    Octets parts_[2];
    std::size_t count_;
  };

  BodyCipher cipher_;
  std::unique_ptr<Mac> mac_;
};

}  // namespace

std::unique_ptr<EspSa> make_encrypt_then_mac(const SaParameters& sa, const SaShape& shape) {
  return if_ready(std::make_unique<EncryptThenMac>(sa, shape));
}

}  // namespace espalier::driver::software

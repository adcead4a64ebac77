// SPDX-License-Identifier: BSD-2-Clause-Patent
// ChaCha20-Poly1305 (RFC 7634).
#include <cstring>

#include "esp.hpp"
#include "primitives/evp.hpp"

namespace espalier::driver::software {
namespace {

constexpr unsigned kSalt = 4, kNonce = 12;
constexpr int kIcv = 16;

class ChaCha final : public EspSa {
 public:
  ChaCha(const SaParameters& sa, const SaShape& shape)
      : EspSa(shape, true),
        context_(keyed_context(EvpMode::chacha20_poly1305, sa.cipher_key.view(),
                               sa.direction == Direction::seal)) {
    std::memcpy(nonce_, sa.salt.data(), kSalt);
  }
  bool ready() const { return context_ != nullptr; }

  bool seal(const SealFrame& f) noexcept override {
    return start(f.iv, f.esp, f.sequence_high) && (f.bulk == 0 || update(f.body, f.text, f.bulk)) &&
           update(f.body + f.bulk, f.body + f.bulk, f.length - f.bulk) && end() &&
           EVP_CIPHER_CTX_ctrl(context_.get(), EVP_CTRL_AEAD_GET_TAG, kIcv, f.body + f.length) == 1;
  }

  bool open(const OpenFrame& f) noexcept override {
    // OpenSSL reads the tag; its interface has no const for it.
    return start(f.iv, f.esp, f.sequence_high) &&
           EVP_CIPHER_CTX_ctrl(context_.get(), EVP_CTRL_AEAD_SET_TAG, kIcv,
                               const_cast<std::uint8_t*>(f.body + f.length)) == 1 &&
           update(f.out, f.body, f.length) && end();
  }

 private:
  bool start(const std::uint8_t* iv, const std::uint8_t* esp, std::uint32_t high) noexcept {
    std::memcpy(nonce_ + kSalt, iv, kNonce - kSalt);
    const Aad aad(esp, shape().esn, high);
    return EVP_CipherInit_ex2(context_.get(), nullptr, nullptr, nonce_, -1, nullptr) == 1 &&
           update(nullptr, aad.data(), static_cast<std::uint32_t>(aad.size()));
  }
  bool update(std::uint8_t* out, const std::uint8_t* in, std::uint32_t length) noexcept {
    int done = 0;
    return EVP_CipherUpdate(context_.get(), out, &done, in, static_cast<int>(length)) == 1;
  }
  bool end() noexcept {
    std::uint8_t none[16];
    int done = 0;
    return EVP_CipherFinal_ex(context_.get(), none, &done) == 1;
  }

  CipherContext context_;
  std::uint8_t nonce_[kNonce] = {};
};

}  // namespace

std::unique_ptr<EspSa> make_chacha(const SaParameters& sa, const SaShape& shape) {
  return if_ready(std::make_unique<ChaCha>(sa, shape));
}

}  // namespace espalier::driver::software

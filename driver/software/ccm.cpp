// SPDX-License-Identifier: BSD-2-Clause-Patent
// AES-CCM (RFC 4309).  The nonce is three octets of salt and the IV; CCM needs the length of the
// whole body before its first octet, so it never takes a body from two places.
#include <cstring>

#include "esp.hpp"
#include "primitives/evp.hpp"

namespace espalier::driver::software {
namespace {

constexpr unsigned kSalt = 3, kNonce = 11;

class Ccm final : public EspSa {
 public:
  Ccm(const SaParameters& sa, const SaShape& shape)
      : EspSa(shape, false),
        context_(keyed_context(EvpMode::ccm, sa.cipher_key.view(), sa.direction == Direction::seal,
                               sa.icv_length)) {
    std::memcpy(nonce_, sa.salt.data(), kSalt);
  }
  bool ready() const { return context_ != nullptr; }

  bool seal(const SealFrame& f) noexcept override {
    return start(f.iv) && run(f.esp, f.sequence_high, f.body, f.body, f.length) &&
           control(EVP_CTRL_AEAD_GET_TAG, f.body + f.length);
  }

  bool open(const OpenFrame& f) noexcept override {
    // OpenSSL reads the tag; its interface has no const for it.
    return start(f.iv) &&
           control(EVP_CTRL_AEAD_SET_TAG, const_cast<std::uint8_t*>(f.body + f.length)) &&
           run(f.esp, f.sequence_high, f.out, f.body, f.length);
  }

 private:
  bool start(const std::uint8_t* iv) noexcept {
    std::memcpy(nonce_ + kSalt, iv, kNonce - kSalt);
    return EVP_CipherInit_ex2(context_.get(), nullptr, nullptr, nonce_, -1, nullptr) == 1;
  }
  bool control(int command, std::uint8_t* tag) noexcept {
    return EVP_CIPHER_CTX_ctrl(context_.get(), command, int{shape().icv_length}, tag) == 1;
  }
  /// Length, AAD, body.  When opening, the last step fails on a wrong ICV: EVP_Cipher() just says
  /// so, where EVP_CipherUpdate() would allocate an error record for every forged packet.
  bool run(const std::uint8_t* esp, std::uint32_t sequence_high, std::uint8_t* out,
           const std::uint8_t* in, std::uint32_t length) noexcept {
    const Aad aad(esp, shape().esn, sequence_high);
    int done = 0;
    const int octets = static_cast<int>(length);
    return EVP_CipherUpdate(context_.get(), nullptr, &done, nullptr, octets) == 1 &&
           EVP_CipherUpdate(context_.get(), nullptr, &done, aad.data(), aad.size()) == 1 &&
           EVP_Cipher(context_.get(), out, in, length) == octets;
  }

  CipherContext context_;
  std::uint8_t nonce_[kNonce] = {};
};

}  // namespace

std::unique_ptr<EspSa> make_ccm(const SaParameters& sa, const SaShape& shape) {
  return if_ready(std::make_unique<Ccm>(sa, shape));
}

}  // namespace espalier::driver::software

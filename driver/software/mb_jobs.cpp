// SPDX-License-Identifier: BSD-2-Clause-Patent
// What libipsec-mb does in lanes, many packets at a time: NULL, AES-CBC and AES-CTR with a separate
// integrity algorithm, AES-CCM; and ChaCha20-Poly1305, which it does one by one but fast.
//
// The tag always goes to the Deferred, so nothing but a comparison in constant time sees it.  When
// opening, the library decrypts whatever the tag says: the caller wipes, as with combined modes.
#include <intel-ipsec-mb.h>
#include <openssl/crypto.h>

#include <cstring>

#include "bytes.hpp"
#include "multi_buffer.hpp"
#include "primitives/cbc_mac.hpp"
#include "primitives/hmac.hpp"

namespace espalier::driver::software {
namespace {

using spec::Cipher;
using spec::Integrity;

constexpr unsigned kMaxRoundKeys = 15 * 16;

/// A frame is a job: a copy of the SA's session, and what differs from packet to packet.
class MbJobSa : public DeferringSa {
 public:
  bool seal(const SealFrame& f) noexcept final {
    return runs_alone(f) ? alone(f) : openssl_->seal(f);
  }
  bool open(const OpenFrame& f) noexcept final {
    return runs_alone(f) ? alone(f) : openssl_->open(f);
  }

 protected:
  /// `openssl`: for the frames that takes() does not, and those alone in lanes that are made for
  /// many; null if there are none.
  MbJobSa(const SaParameters& sa, const SaShape& shape, MultiBuffer& mb,
          std::unique_ptr<EspSa> openssl)
      : DeferringSa(shape), mb_(mb), openssl_(std::move(openssl)) {
    std::memcpy(salt_, sa.salt.data(), sizeof salt_);
    const bool seals = shape.direction == Direction::seal;
    const bool ccm = sa.cipher == Cipher::aes_ccm;  // authenticates the clear text
    session_.cipher_direction = seals ? IMB_DIR_ENCRYPT : IMB_DIR_DECRYPT;
    session_.chain_order = seals != ccm ? IMB_ORDER_CIPHER_HASH : IMB_ORDER_HASH_CIPHER;
    session_.enc_keys = encrypt_;
    session_.dec_keys = decrypt_;
    session_.key_len_in_bytes = sa.cipher_key.size();
    session_.auth_tag_output_len_in_bytes = shape.icv_length;
  }

  /// A frame of either direction.
  struct Text {
    const std::uint8_t* esp;
    const std::uint8_t* in;  ///< The body.
    std::uint8_t* out;
    std::uint32_t length;
    std::uint32_t sequence_high;
    const std::uint8_t* iv;
  };
  virtual bool takes(const SealFrame&) const noexcept { return true; }
  virtual bool takes(const OpenFrame&) const noexcept { return true; }
  /// Completes a job that has the session's fields.
  virtual void fill(const Text& text, Deferred& d, IMB_JOB& job) noexcept = 0;

  /// Expands an AES key for both directions.
  void expand(std::span<const std::uint8_t> key, std::uint8_t* encrypt, std::uint8_t* decrypt) {
    IMB_MGR* m = mb_.manager();
    const auto run = key.size() == 16   ? m->keyexp_128
                     : key.size() == 24 ? m->keyexp_192
                                        : m->keyexp_256;
    run(key.data(), encrypt, decrypt);
  }

  IMB_JOB session_{};
  std::uint8_t salt_[4];
  alignas(64) std::uint8_t encrypt_[kMaxRoundKeys];
  alignas(16) std::uint8_t decrypt_[kMaxRoundKeys];

 private:
  bool begin_frame(const SealFrame& f, Deferred& d) noexcept final {
    if (!takes(f)) return false;
    d.icv = f.body + f.length;
    start({f.esp, f.body, f.body, f.length, f.sequence_high, f.iv}, d);
    return true;
  }
  bool begin_frame(const OpenFrame& f, Deferred& d) noexcept final {
    if (!takes(f)) return false;
    d.icv = nullptr;
    d.found = f.body + f.length;
    d.copy_length = 0;
    start({f.esp, f.body, f.out, f.length, f.sequence_high, f.iv}, d);
    return true;
  }
  void start(const Text& text, Deferred& d) noexcept {
    IMB_JOB& job = *mb_.next();
    job = session_;
    job.auth_tag_output = d.tag;
    fill(text, d, job);
    mb_.submit(job, d);
  }
  bool settle(Deferred& d) noexcept final {
    if (!d.done) return false;
    if (d.icv != nullptr) {
      std::memcpy(d.icv, d.tag, shape().icv_length);
      return true;
    }
    if (CRYPTO_memcmp(d.tag, d.found, shape().icv_length) != 0) return false;
    if (d.copy_length != 0) std::memcpy(d.copy_to, d.copy_from, d.copy_length);
    return true;
  }
  template <class Frame>
  bool runs_alone(const Frame& f) const noexcept {
    return openssl_ == nullptr || (mb_.takes_alone() && takes(f));
  }
  /// A burst of one.
  template <class Frame>
  bool alone(const Frame& f) noexcept {
    Deferred deferred;
    if (!begin_frame(f, deferred)) return false;
    mb_.run();
    return settle(deferred);
  }

  MultiBuffer& mb_;
  std::unique_ptr<EspSa> openssl_;
};

/// AES-CCM (RFC 4309) and ChaCha20-Poly1305 (RFC 7634): one job, body and AAD.
class MbAead final : public MbJobSa {
 public:
  MbAead(const SaParameters& sa, const SaShape& shape, MultiBuffer& mb)
      : MbJobSa(sa, shape, mb, by_openssl(sa, shape, mb)),
        salt_length_(sa.cipher == Cipher::aes_ccm ? 3 : 4) {
    session_.iv_len_in_bytes = salt_length_ + 8;
    if (sa.cipher == Cipher::aes_ccm) {
      session_.cipher_mode = IMB_CIPHER_CCM;
      session_.hash_alg = IMB_AUTH_AES_CCM;
      expand(sa.cipher_key.view(), encrypt_, decrypt_);
    } else {
      session_.cipher_mode = IMB_CIPHER_CHACHA20_POLY1305;
      session_.hash_alg = IMB_AUTH_CHACHA20_POLY1305;
      session_.dec_keys = encrypt_;
      std::memcpy(encrypt_, sa.cipher_key.view().data(), sa.cipher_key.size());
    }
  }

 private:
  /// ChaCha20-Poly1305 is fast alone.
  static std::unique_ptr<EspSa> by_openssl(const SaParameters& sa, const SaShape& shape,
                                           const MultiBuffer& mb) {
    const bool lanes = sa.cipher == Cipher::aes_ccm;
    return lanes && !mb.takes_alone() ? make_ccm(sa, shape) : nullptr;
  }
  void fill(const Text& text, Deferred& d, IMB_JOB& job) noexcept override {
    std::memcpy(d.iv, salt_, salt_length_);
    std::memcpy(d.iv + salt_length_, text.iv, 8);
    const Aad aad(text.esp, shape().esn, text.sequence_high);
    std::memcpy(d.aad, aad.data(), static_cast<std::size_t>(aad.size()));
    job.src = text.in;
    job.dst = text.out;
    job.msg_len_to_cipher_in_bytes = job.msg_len_to_hash_in_bytes = text.length;
    job.iv = d.iv;
    if (job.cipher_mode == IMB_CIPHER_CCM) {
      job.u.CCM.aad = d.aad;
      job.u.CCM.aad_len_in_bytes = static_cast<std::uint64_t>(aad.size());
    } else {
      job.u.CHACHA20_POLY1305.aad = d.aad;
      job.u.CHACHA20_POLY1305.aad_len_in_bytes = static_cast<std::uint64_t>(aad.size());
    }
  }

  unsigned salt_length_;
};

/// Encrypt, then authenticate from the SPI on (RFC 4303 3.3.2.1).
class MbEncryptThenMac final : public MbJobSa {
 public:
  /// OpenSSL opens with ESN: the number's high half follows the body in the hash, and only when
  /// sealing is there room to write it behind the body.  It also seals what reads_past().
  MbEncryptThenMac(const SaParameters& sa, const SaShape& shape, MultiBuffer& mb)
      : MbJobSa(sa, shape, mb, make_encrypt_then_mac(sa, shape)) {
    session_.iv_len_in_bytes = 16;
    session_.cipher_mode = sa.cipher == Cipher::aes_cbc   ? IMB_CIPHER_CBC
                           : sa.cipher == Cipher::aes_ctr ? IMB_CIPHER_CNTR
                                                          : IMB_CIPHER_NULL;
    if (sa.cipher != Cipher::null) expand(sa.cipher_key.view(), encrypt_, decrypt_);
    key_mac(sa);
  }
  bool ready() const { return session_.hash_alg != 0; }

 private:
  bool takes(const SealFrame& f) const noexcept override { return !reads_past(f); }
  bool takes(const OpenFrame&) const noexcept override { return !shape().esn; }
  /// The library's CBC-MACs read the last block as 16 octets, whatever it holds.  If that is the
  /// number's high half alone, the 12 octets of room for the ICV end before it.
  bool reads_past(const SealFrame& f) const noexcept {
    const bool cbc_mac =
        session_.hash_alg == IMB_AUTH_AES_CMAC || session_.hash_alg == IMB_AUTH_AES_XCBC;
    return shape().esn && cbc_mac && (f.body + f.length - f.esp) % 16 == 0;
  }
  void key_mac(const SaParameters& sa) noexcept;
  template <class Sha>
  void key_hmac(std::span<const std::uint8_t> key, IMB_HASH_ALG algorithm) noexcept;

  void fill(const Text& text, Deferred& d, IMB_JOB& job) noexcept override {
    const auto head = static_cast<std::uint64_t>(text.in - text.esp);
    job.src = text.esp;
    job.dst = text.out;
    job.cipher_start_src_offset_in_bytes = head;
    job.msg_len_to_cipher_in_bytes = text.length;
    job.msg_len_to_hash_in_bytes = head + text.length;
    job.iv = text.iv;
    if (shape().esn) {  // when sealing
      store32(text.out + text.length, text.sequence_high);
      job.msg_len_to_hash_in_bytes += 4;
    }
    if (job.cipher_mode == IMB_CIPHER_CNTR) {
      // RFC 3686 4: nonce, IV, and a block counter that starts at one.
      std::memcpy(d.iv, salt_, 4);
      std::memcpy(d.iv + 4, text.iv, 8);
      store32(d.iv + 12, 1);
      job.iv = d.iv;
    } else if (job.cipher_mode == IMB_CIPHER_NULL) {
      job.msg_len_to_cipher_in_bytes = 0;
      if (text.out != text.in) {
        d.copy_from = text.in;
        d.copy_to = text.out;
        d.copy_length = text.length;
      }
    }
  }

  // HMAC: inner and outer midstate, in the words' own order.  CBC-MAC: chain key and subkeys.
  alignas(16) std::uint8_t inner_[64];
  alignas(16) std::uint8_t outer_[64];
  alignas(16) std::uint8_t chain_[kMaxRoundKeys];
};

template <class Sha>
void MbEncryptThenMac::key_hmac(std::span<const std::uint8_t> key,
                                IMB_HASH_ALG algorithm) noexcept {
  const Hmac<Sha> hmac(key);
  hmac.states(inner_, outer_);
  constexpr unsigned kWord = Sha::kBlock / 16;  // octets
  for (std::uint8_t* state : {inner_, outer_})
    for (unsigned i = 0; i < Sha::kState; i += kWord) {
      if constexpr (kWord == 4)
        store(state + i, swapped(load<std::uint32_t>(state + i)));
      else
        store(state + i, swapped(load<std::uint64_t>(state + i)));
    }
  session_.hash_alg = algorithm;
  session_.u.HMAC._hashed_auth_key_xor_ipad = inner_;
  session_.u.HMAC._hashed_auth_key_xor_opad = outer_;
}

void MbEncryptThenMac::key_mac(const SaParameters& sa) noexcept {
  const auto key = sa.integrity_key.view();
  switch (sa.integrity) {
    case Integrity::hmac_sha1:
      return key_hmac<Sha1>(key, IMB_AUTH_HMAC_SHA_1);
    case Integrity::hmac_sha256:
      return key_hmac<Sha256>(key, IMB_AUTH_HMAC_SHA_256);
    case Integrity::hmac_sha384:
      return key_hmac<Sha384>(key, IMB_AUTH_HMAC_SHA_384);
    case Integrity::hmac_sha512:
      return key_hmac<Sha512>(key, IMB_AUTH_HMAC_SHA_512);
    default:
      break;
  }
  CbcMacKeys keys;
  if (!keys.derive(sa.integrity, key)) return;
  alignas(16) std::uint8_t unused[kMaxRoundKeys];
  expand(keys.cipher, chain_, unused);
  OPENSSL_cleanse(unused, sizeof unused);
  std::memcpy(inner_, keys.full.data(), keys.full.size());
  std::memcpy(outer_, keys.padded.data(), keys.padded.size());
  if (sa.integrity == Integrity::aes_cmac) {
    session_.hash_alg = IMB_AUTH_AES_CMAC;
    session_.u.CMAC._key_expanded = chain_;
    session_.u.CMAC._skey1 = inner_;
    session_.u.CMAC._skey2 = outer_;
  } else {
    session_.hash_alg = IMB_AUTH_AES_XCBC;
    session_.u.XCBC._k1_expanded = reinterpret_cast<const std::uint32_t*>(chain_);
    session_.u.XCBC._k2 = inner_;
    session_.u.XCBC._k3 = outer_;
  }
}

}  // namespace

std::unique_ptr<EspSa> make_mb_jobs(const SaParameters& sa, const SaShape& shape, MultiBuffer& mb) {
  constexpr unsigned kAes192 = 24;
  if (sa.cipher == Cipher::aes_ccm && sa.cipher_key.size() == kAes192) return nullptr;
  // One packet's SHA-256, which OpenSSL does with the CPU's own instructions, is no slower.
  if (sa.cipher == Cipher::null && sa.integrity == Integrity::hmac_sha256 && !mb.takes_alone())
    return nullptr;
  if (sa.cipher == Cipher::aes_ccm || sa.cipher == Cipher::chacha20_poly1305)
    return std::make_unique<MbAead>(sa, shape, mb);
  return if_ready(std::make_unique<MbEncryptThenMac>(sa, shape, mb));
}

}  // namespace espalier::driver::software

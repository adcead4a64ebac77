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

/// Begins fill in a job each; seal() and open() are a burst of one.
class MbJobSa : public DeferringSa {
 public:
  bool seal(const SealFrame& f) noexcept override {
    Deferred deferred;
    if (!begin_frame(f, deferred)) return false;
    mb_.run();
    return settle(deferred);
  }
  bool open(const OpenFrame& f) noexcept override {
    Deferred deferred;
    if (!begin_frame(f, deferred)) return false;
    mb_.run();
    return settle(deferred);
  }

 protected:
  MbJobSa(const SaParameters& sa, const SaShape& shape, MultiBuffer& mb)
      : DeferringSa(shape), mb_(mb) {
    std::memcpy(salt_, sa.salt.data(), sizeof salt_);
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

  /// Expands an AES key for both directions.
  void expand(std::span<const std::uint8_t> key, std::uint8_t* encrypt, std::uint8_t* decrypt) {
    IMB_MGR* m = mb_.manager();
    const auto run = key.size() == 16   ? m->keyexp_128
                     : key.size() == 24 ? m->keyexp_192
                                        : m->keyexp_256;
    run(key.data(), encrypt, decrypt);
  }
  static void start_seal(Deferred& d, const SealFrame& f) noexcept {
    d.icv = f.body + f.length;
    d.found = nullptr;
  }
  static void start_open(Deferred& d, const OpenFrame& f) noexcept {
    d.icv = nullptr;
    d.found = f.body + f.length;
    d.copy_length = 0;
  }
  /// AAD copied into `d`, with zeros behind; its length.
  std::uint64_t keep_aad(Deferred& d, const std::uint8_t* esp, std::uint32_t high) const noexcept {
    const Aad aad(esp, shape().esn, high);
    std::memcpy(d.aad, aad.data(), static_cast<std::size_t>(aad.size()));
    return static_cast<std::uint64_t>(aad.size());
  }

  MultiBuffer& mb_;
  std::uint8_t salt_[4];
};

/// AES-CCM (RFC 4309) and ChaCha20-Poly1305 (RFC 7634): one job, body and AAD.
class MbAead final : public MbJobSa {
 public:
  MbAead(const SaParameters& sa, const SaShape& shape, MultiBuffer& mb)
      : MbJobSa(sa, shape, mb),
        ccm_(sa.cipher == Cipher::aes_ccm),
        key_length_(sa.cipher_key.size()),
        salt_length_(ccm_ ? 3 : 4) {
    if (ccm_)
      expand(sa.cipher_key.view(), encrypt_, decrypt_);
    else
      std::memcpy(encrypt_, sa.cipher_key.view().data(), key_length_);
  }

  bool begin_frame(const SealFrame& f, Deferred& d) noexcept override {
    start_seal(d, f);
    fill(d, f.body, f.body, f.length, f.iv, f.esp, f.sequence_high);
    IMB_JOB* job = mb_.next();
    job->cipher_direction = IMB_DIR_ENCRYPT;
    job->chain_order = ccm_ ? IMB_ORDER_HASH_CIPHER : IMB_ORDER_CIPHER_HASH;
    mb_.submit(d);
    return true;
  }
  bool begin_frame(const OpenFrame& f, Deferred& d) noexcept override {
    start_open(d, f);
    fill(d, f.body, f.out, f.length, f.iv, f.esp, f.sequence_high);
    IMB_JOB* job = mb_.next();
    job->cipher_direction = IMB_DIR_DECRYPT;
    job->chain_order = ccm_ ? IMB_ORDER_CIPHER_HASH : IMB_ORDER_HASH_CIPHER;
    mb_.submit(d);
    return true;
  }

 private:
  void fill(Deferred& d, const std::uint8_t* in, std::uint8_t* out, std::uint32_t length,
            const std::uint8_t* iv, const std::uint8_t* esp, std::uint32_t high) noexcept {
    IMB_JOB* job = mb_.next();
    std::memcpy(d.iv, salt_, salt_length_);
    std::memcpy(d.iv + salt_length_, iv, 8);
    job->enc_keys = encrypt_;
    job->dec_keys = ccm_ ? decrypt_ : encrypt_;
    job->key_len_in_bytes = key_length_;
    job->src = in;
    job->dst = out;
    job->cipher_start_src_offset_in_bytes = 0;
    job->msg_len_to_cipher_in_bytes = length;
    job->hash_start_src_offset_in_bytes = 0;
    job->msg_len_to_hash_in_bytes = length;
    job->iv = d.iv;
    job->iv_len_in_bytes = salt_length_ + 8;
    job->auth_tag_output = d.tag;
    job->auth_tag_output_len_in_bytes = shape().icv_length;
    if (ccm_) {
      job->cipher_mode = IMB_CIPHER_CCM;
      job->hash_alg = IMB_AUTH_AES_CCM;
      job->u.CCM.aad = d.aad;
      job->u.CCM.aad_len_in_bytes = keep_aad(d, esp, high);
    } else {
      job->cipher_mode = IMB_CIPHER_CHACHA20_POLY1305;
      job->hash_alg = IMB_AUTH_CHACHA20_POLY1305;
      job->u.CHACHA20_POLY1305.aad = d.aad;
      job->u.CHACHA20_POLY1305.aad_len_in_bytes = keep_aad(d, esp, high);
      job->u.CHACHA20_POLY1305.ctx = nullptr;
    }
  }

  bool ccm_;
  std::uint64_t key_length_;
  unsigned salt_length_;
  alignas(16) std::uint8_t encrypt_[kMaxRoundKeys];
  alignas(16) std::uint8_t decrypt_[kMaxRoundKeys];
};

/// Encrypt, then authenticate from the SPI on (RFC 4303 3.3.2.1).
class MbEncryptThenMac final : public MbJobSa {
 public:
  /// `fallback` opens with ESN: the number's high half follows the body in the hash, and only when
  /// sealing is there room to write it behind the body.  It also seals what reads_past().
  MbEncryptThenMac(const SaParameters& sa, const SaShape& shape, MultiBuffer& mb)
      : MbJobSa(sa, shape, mb), fallback_(make_encrypt_then_mac(sa, shape)), cipher_(sa.cipher) {
    key_length_ = sa.cipher_key.size();
    if (cipher_ != Cipher::null) expand(sa.cipher_key.view(), encrypt_, decrypt_);
    key_mac(sa);
  }
  bool ready() const { return ready_ && fallback_ != nullptr; }

  bool seal(const SealFrame& f) noexcept override {
    return reads_past(f) ? fallback_->seal(f) : MbJobSa::seal(f);
  }
  bool open(const OpenFrame& f) noexcept override {
    return shape().esn ? fallback_->open(f) : MbJobSa::open(f);
  }
  bool begin_frame(const SealFrame& f, Deferred& d) noexcept override {
    if (reads_past(f)) return false;
    start_seal(d, f);
    if (shape().esn) store32(f.body + f.length, f.sequence_high);
    fill(d, f.esp, f.body, f.body, f.length, f.iv);
    IMB_JOB* job = mb_.next();
    job->cipher_direction = IMB_DIR_ENCRYPT;
    job->chain_order = IMB_ORDER_CIPHER_HASH;
    mb_.submit(d);
    return true;
  }
  bool begin_frame(const OpenFrame& f, Deferred& d) noexcept override {
    if (shape().esn) return false;
    start_open(d, f);
    if (cipher_ == Cipher::null && f.out != f.body) {
      d.copy_from = f.body;
      d.copy_to = f.out;
      d.copy_length = f.length;
    }
    fill(d, f.esp, f.body, f.out, f.length, f.iv);
    IMB_JOB* job = mb_.next();
    job->cipher_direction = IMB_DIR_DECRYPT;
    job->chain_order = IMB_ORDER_HASH_CIPHER;
    mb_.submit(d);
    return true;
  }

 private:
  /// The library's CBC-MACs read the last block as 16 octets, whatever it holds.  If that is the
  /// number's high half alone, the 12 octets of room for the ICV end before it.
  bool reads_past(const SealFrame& f) const noexcept {
    const bool cbc_mac = hash_ == IMB_AUTH_AES_CMAC || hash_ == IMB_AUTH_AES_XCBC;
    return shape().esn && cbc_mac && (f.body + f.length - f.esp) % 16 == 0;
  }
  void key_mac(const SaParameters& sa) noexcept;
  template <class Sha>
  void key_hmac(std::span<const std::uint8_t> key, IMB_HASH_ALG algorithm) noexcept;

  void fill(Deferred& d, const std::uint8_t* esp, const std::uint8_t* body, std::uint8_t* out,
            std::uint32_t length, const std::uint8_t* iv) noexcept {
    IMB_JOB* job = mb_.next();
    const auto head = static_cast<std::uint64_t>(body - esp);
    job->enc_keys = encrypt_;
    job->dec_keys = decrypt_;
    job->key_len_in_bytes = key_length_;
    job->src = esp;
    job->dst = out;
    job->cipher_start_src_offset_in_bytes = head;
    job->msg_len_to_cipher_in_bytes = length;
    job->hash_start_src_offset_in_bytes = 0;
    job->msg_len_to_hash_in_bytes = head + length + (shape().esn ? 4 : 0);
    job->iv = d.iv;
    job->iv_len_in_bytes = 16;
    job->auth_tag_output = d.tag;
    job->auth_tag_output_len_in_bytes = shape().icv_length;
    job->hash_alg = hash_;
    job->u = mac_;
    switch (cipher_) {
      case Cipher::aes_cbc:
        job->cipher_mode = IMB_CIPHER_CBC;
        std::memcpy(d.iv, iv, 16);
        break;
      case Cipher::aes_ctr:  // RFC 3686 4: nonce, IV, and a block counter that starts at one
        job->cipher_mode = IMB_CIPHER_CNTR;
        std::memcpy(d.iv, salt_, 4);
        std::memcpy(d.iv + 4, iv, 8);
        store32(d.iv + 12, 1);
        break;
      default:
        job->cipher_mode = IMB_CIPHER_NULL;
        job->msg_len_to_cipher_in_bytes = 0;
    }
  }

  std::unique_ptr<EspSa> fallback_;
  Cipher cipher_;
  bool ready_ = false;
  std::uint64_t key_length_;
  IMB_HASH_ALG hash_ = IMB_AUTH_NULL;
  decltype(IMB_JOB::u) mac_{};  // points into what follows
  alignas(64) std::uint8_t encrypt_[kMaxRoundKeys];
  alignas(16) std::uint8_t decrypt_[kMaxRoundKeys];
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
  hash_ = algorithm;
  mac_.HMAC._hashed_auth_key_xor_ipad = inner_;
  mac_.HMAC._hashed_auth_key_xor_opad = outer_;
  ready_ = true;
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
    hash_ = IMB_AUTH_AES_CMAC;
    mac_.CMAC._key_expanded = chain_;
    mac_.CMAC._skey1 = inner_;
    mac_.CMAC._skey2 = outer_;
  } else {
    hash_ = IMB_AUTH_AES_XCBC;
    mac_.XCBC._k1_expanded = reinterpret_cast<const std::uint32_t*>(chain_);
    mac_.XCBC._k2 = inner_;
    mac_.XCBC._k3 = outer_;
  }
  ready_ = true;
}

}  // namespace

std::unique_ptr<EspSa> make_mb_jobs(const SaParameters& sa, const SaShape& shape, MultiBuffer& mb) {
  constexpr unsigned kAes192 = 24;
  if (sa.cipher == Cipher::aes_ccm && sa.cipher_key.size() == kAes192) return nullptr;
  if (sa.cipher == Cipher::aes_ccm || sa.cipher == Cipher::chacha20_poly1305)
    return std::make_unique<MbAead>(sa, shape, mb);
  return if_ready(std::make_unique<MbEncryptThenMac>(sa, shape, mb));
}

}  // namespace espalier::driver::software

// SPDX-License-Identifier: BSD-2-Clause-Patent
// AES-GCM (RFC 4106) and AES-GMAC (RFC 4543) by libipsec-mb: no context to set up, one call.
#include <emmintrin.h>
#include <intel-ipsec-mb.h>
#include <openssl/crypto.h>

#include <cstring>

#include "key_memory.hpp"
#include "multi_buffer.hpp"

namespace espalier::driver::software {
namespace {

constexpr unsigned kNonce = 12;

/// The library's calls for one key length.
struct Calls {
  aes_gcm_pre_t expand;
  aes_gcm_enc_dec_t seal, open;
  aes_gmac_init_t gmac_init;
  aes_gmac_update_t gmac_update;
  aes_gmac_finalize_t gmac_finalize;
};

Calls calls_for(const IMB_MGR& m, std::size_t key_length) {
  if (key_length == 16)
    return {m.gcm128_pre,   m.gcm128_enc,     m.gcm128_dec,
            m.gmac128_init, m.gmac128_update, m.gmac128_finalize};
  if (key_length == 24)
    return {m.gcm192_pre,   m.gcm192_enc,     m.gcm192_dec,
            m.gmac192_init, m.gmac192_update, m.gmac192_finalize};
  return {m.gcm256_pre,   m.gcm256_enc,     m.gcm256_dec,
          m.gmac256_init, m.gmac256_update, m.gmac256_finalize};
}

/// What both share: keys, nonce, comparison.
class MbGcmBase : public InKeyMemory, public EspCrypto {
 protected:
  MbGcmBase(const SaParameters& sa, MultiBuffer& mb, bool defers)
      : EspCrypto(false, defers),
        calls_(calls_for(*mb.manager(), sa.cipher_key.size())),
        icv_length_(sa.icv_length),
        esn_(sa.esn) {
    std::memcpy(&salt_, sa.salt.data(), sizeof salt_);
    calls_.expand(sa.cipher_key.view().data(), &keys_);
  }
  ~MbGcmBase() override { imb_clear_mem(&state_, sizeof state_); }

  const std::uint8_t* nonce(const std::uint8_t* iv) noexcept {
    std::uint64_t low;
    std::memcpy(&low, iv, sizeof low);
    // One wide store, because the library reads it in one piece.
    const auto words = static_cast<unsigned __int128>(low) << 32 | salt_;
    _mm_store_si128(
        reinterpret_cast<__m128i*>(nonce_),
        _mm_set_epi64x(static_cast<long long>(words >> 64), static_cast<long long>(words)));
    return nonce_;
  }
  bool same(const std::uint8_t* tag, const std::uint8_t* icv) const noexcept {
    return CRYPTO_memcmp(tag, icv, icv_length_) == 0;
  }

  Calls calls_;
  unsigned icv_length_;
  bool esn_;
  std::uint32_t salt_;  ///< As its octets stand in memory.
  alignas(16) std::uint8_t nonce_[16] = {};
  alignas(64) gcm_key_data keys_;
  alignas(64) gcm_context_data state_;
};

class MbGcm final : public MbGcmBase {
 public:
  MbGcm(const SaParameters& sa, MultiBuffer& mb) : MbGcmBase(sa, mb, true) {}

  // Deferred until the burst is laid out: read at once in wide words, what was written in small
  // ones would stall the CPU.
  bool begin_seal(const SealFrame& f, Deferred& d) noexcept override {
    d.seal = &f;
    return true;
  }
  bool begin_open(const OpenFrame& f, Deferred& d) noexcept override {
    d.seal = nullptr;
    d.open = &f;
    return true;
  }
  bool settle(Deferred& d) noexcept override {
    return d.seal != nullptr ? MbGcm::seal(*d.seal) : MbGcm::open(*d.open);
  }

  bool seal(const SealFrame& f) noexcept override {
    const Aad aad(f.esp, esn_, f.sequence_high);
    calls_.seal(&keys_, &state_, f.body, f.body, f.length, nonce(f.iv), aad.data(),
                static_cast<std::uint64_t>(aad.size()), f.body + f.length, icv_length_);
    return true;
  }

  bool open(const OpenFrame& f) noexcept override {
    const Aad aad(f.esp, esn_, f.sequence_high);
    std::uint8_t icv[kMaxTag], tag[kMaxTag];
    std::memcpy(icv, f.body + f.length, icv_length_);
    calls_.open(&keys_, &state_, f.out, f.body, f.length, nonce(f.iv), aad.data(),
                static_cast<std::uint64_t>(aad.size()), tag, icv_length_);
    return same(tag, icv);
  }

 private:
  static constexpr unsigned kMaxTag = 16;
};

/// All is additional data, the IV included (RFC 4543 3.3); the body stays in clear.
class MbGmac final : public MbGcmBase {
 public:
  MbGmac(const SaParameters& sa, MultiBuffer& mb) : MbGcmBase(sa, mb, false) {}

  bool seal(const SealFrame& f) noexcept override {
    mac(f.esp, f.body + f.length, f.iv, f.sequence_high, f.body + f.length);
    return true;
  }

  bool open(const OpenFrame& f) noexcept override {
    std::uint8_t tag[16];
    mac(f.esp, f.body + f.length, f.iv, f.sequence_high, tag);
    if (!same(tag, f.body + f.length)) return false;
    if (f.out != f.body) std::memcpy(f.out, f.body, f.length);
    return true;
  }

 private:
  void mac(const std::uint8_t* esp, const std::uint8_t* end, const std::uint8_t* iv,
           std::uint32_t sequence_high, std::uint8_t* tag) noexcept {
    const Aad aad(esp, esn_, sequence_high);
    const std::uint8_t* rest = esp + kEspHeader;
    calls_.gmac_init(&keys_, &state_, nonce(iv), kNonce);
    calls_.gmac_update(&keys_, &state_, aad.data(), static_cast<std::uint64_t>(aad.size()));
    calls_.gmac_update(&keys_, &state_, rest, static_cast<std::uint64_t>(end - rest));
    calls_.gmac_finalize(&keys_, &state_, tag, icv_length_);
  }
};

}  // namespace

std::unique_ptr<EspCrypto> make_mb_gcm(const SaParameters& sa, MultiBuffer& mb) {
  if (sa.cipher == spec::Cipher::aes_gmac) return std::make_unique<MbGmac>(sa, mb);
  return std::make_unique<MbGcm>(sa, mb);
}

}  // namespace espalier::driver::software

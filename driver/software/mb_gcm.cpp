// SPDX-License-Identifier: BSD-2-Clause-Patent
// AES-GCM (RFC 4106) and AES-GMAC (RFC 4543) by libipsec-mb: no context to set up, one call.
#include <emmintrin.h>
#include <intel-ipsec-mb.h>
#include <openssl/crypto.h>

#include <cstring>

#include "multi_buffer.hpp"

namespace espalier::driver::software {
namespace {

constexpr unsigned kNonce = 12, kMaxTag = 16;

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

/// What both share: keys, nonce, comparison.  Its frames are done whole when they are settled,
/// after the burst is laid out: read at once in wide words, what was written in small ones would
/// stall the CPU.
class MbGcmSa : public EspSa {
 protected:
  MbGcmSa(const SaParameters& sa, const SaShape& shape, MultiBuffer& mb)
      : EspSa(shape, false),
        calls_(calls_for(*mb.manager(), sa.cipher_key.size())),
        state_(*mb.gcm_state()) {
    std::memcpy(&salt_, sa.salt.data(), sizeof salt_);
    calls_.expand(sa.cipher_key.view().data(), &keys_);
  }

  /// Salt and IV.
  class Nonce {
   public:
    Nonce(std::uint32_t salt, const std::uint8_t* iv) noexcept {
      std::uint64_t low;
      std::memcpy(&low, iv, sizeof low);
      // One wide store, because the library reads it in one piece.
      const auto words = static_cast<unsigned __int128>(low) << 32 | salt;
      _mm_store_si128(
          reinterpret_cast<__m128i*>(octets_),
          _mm_set_epi64x(static_cast<long long>(words >> 64), static_cast<long long>(words)));
    }
    const std::uint8_t* data() const noexcept { return octets_; }

   private:
    alignas(16) std::uint8_t octets_[16];
  };
  bool same(const std::uint8_t* tag, const std::uint8_t* icv) const noexcept {
    return CRYPTO_memcmp(tag, icv, shape().icv_length) == 0;
  }

  Calls calls_;
  gcm_context_data& state_;
  std::uint32_t salt_;  ///< As its octets stand in memory.
  alignas(64) gcm_key_data keys_;
};

class MbGcm final : public MbGcmSa {
 public:
  MbGcm(const SaParameters& sa, const SaShape& shape, MultiBuffer& mb) : MbGcmSa(sa, shape, mb) {}

  Answer process(const Job& job, const Scratch& scratch) noexcept override {
    return process_esp(*this, job, scratch);
  }
  /// Seals a job late: read at once in wide words, what was written in small ones would stall the
  /// CPU.
  void begin(const Job& job, const Scratch& scratch, Work& work) noexcept override {
    if (shape().direction == Direction::open) return KeyedSa::begin(job, scratch, work);
    work.io = Linear(job);
    const Status status = begin_seal(shape(), false, job, work.io, work.seal);
    work.answer = {status};
    work.stage = status == Status::ok ? Stage::next : Stage::done;
  }
  Answer finish(Work& work) noexcept override {
    return finish_seal(shape(), work.io, work.seal, seal(work.seal.frame));
  }
  void prefetch() const noexcept override {
    constexpr std::size_t kLine = 64;
    for (std::size_t at = 0; at < sizeof keys_; at += kLine)
      __builtin_prefetch(reinterpret_cast<const std::uint8_t*>(&keys_) + at);
  }

  [[gnu::always_inline]] bool seal(const SealFrame& f) noexcept override {
    const Aad aad(f.esp, shape().esn, f.sequence_high);
    const Nonce nonce(salt_, f.iv);
    calls_.seal(&keys_, &state_, f.body, f.body, f.length, nonce.data(), aad.data(),
                static_cast<std::uint64_t>(aad.size()), f.body + f.length, shape().icv_length);
    return true;
  }

  [[gnu::always_inline]] bool open(const OpenFrame& f) noexcept override {
    const Aad aad(f.esp, shape().esn, f.sequence_high);
    const Nonce nonce(salt_, f.iv);
    std::uint8_t tag[kMaxTag];
    calls_.open(&keys_, &state_, f.out, f.body, f.length, nonce.data(), aad.data(),
                static_cast<std::uint64_t>(aad.size()), tag, shape().icv_length);
    return same(tag, f.body + f.length);
  }
};

/// All is additional data, the IV included (RFC 4543 3.3); the body stays in clear.
class MbGmac final : public MbGcmSa {
 public:
  MbGmac(const SaParameters& sa, const SaShape& shape, MultiBuffer& mb) : MbGcmSa(sa, shape, mb) {}

  bool seal(const SealFrame& f) noexcept override {
    mac(f.esp, f.body + f.length, f.iv, f.sequence_high, f.body + f.length);
    return true;
  }

  bool open(const OpenFrame& f) noexcept override {
    std::uint8_t tag[kMaxTag];
    mac(f.esp, f.body + f.length, f.iv, f.sequence_high, tag);
    if (!same(tag, f.body + f.length)) return false;
    if (f.out != f.body) std::memcpy(f.out, f.body, f.length);
    return true;
  }

 private:
  void mac(const std::uint8_t* esp, const std::uint8_t* end, const std::uint8_t* iv,
           std::uint32_t sequence_high, std::uint8_t* tag) noexcept {
    const Aad aad(esp, shape().esn, sequence_high);
    const Nonce nonce(salt_, iv);
    const std::uint8_t* rest = esp + kEspHeader;
    calls_.gmac_init(&keys_, &state_, nonce.data(), kNonce);
    calls_.gmac_update(&keys_, &state_, aad.data(), static_cast<std::uint64_t>(aad.size()));
    calls_.gmac_update(&keys_, &state_, rest, static_cast<std::uint64_t>(end - rest));
    calls_.gmac_finalize(&keys_, &state_, tag, shape().icv_length);
  }
};

}  // namespace

std::unique_ptr<EspSa> make_mb_gcm(const SaParameters& sa, const SaShape& shape, MultiBuffer& mb) {
  if (sa.cipher == spec::Cipher::aes_gmac) return std::make_unique<MbGmac>(sa, shape, mb);
  return std::make_unique<MbGcm>(sa, shape, mb);
}

}  // namespace espalier::driver::software

// SPDX-License-Identifier: BSD-2-Clause-Patent
// HMAC (RFC 2104) from midstates: the inner and the outer hash after their key block.
//
// An SA record carries the midstates, software starts each packet from them.  EVP does not give
// midstates out and pays for a re-keying per packet, so this uses OpenSSL's SHA contexts.
#pragma once

#include <openssl/crypto.h>
#include <openssl/sha.h>

#include <cstdint>
#include <cstring>
#include <span>

namespace espalier::driver {

struct Sha1 {
  using Context = SHA_CTX;
  static constexpr unsigned kBlock = 64, kDigest = 20, kState = 20;
  static void start(Context& c) { SHA1_Init(&c); }
  static void update(Context& c, const void* p, std::size_t n) { SHA1_Update(&c, p, n); }
  static void finish(Context& c, std::uint8_t* out) { SHA1_Final(out, &c); }
  static std::uint64_t word(const Context& c, unsigned i) {
    const SHA_LONG words[] = {c.h0, c.h1, c.h2, c.h3, c.h4};
    return words[i];
  }
};

struct Sha256 {
  using Context = SHA256_CTX;
  static constexpr unsigned kBlock = 64, kDigest = 32, kState = 32;
  static void start(Context& c) { SHA256_Init(&c); }
  static void update(Context& c, const void* p, std::size_t n) { SHA256_Update(&c, p, n); }
  static void finish(Context& c, std::uint8_t* out) { SHA256_Final(out, &c); }
  static std::uint64_t word(const Context& c, unsigned i) { return c.h[i]; }
};

struct Sha384 {
  using Context = SHA512_CTX;
  static constexpr unsigned kBlock = 128, kDigest = 48, kState = 64;
  static void start(Context& c) { SHA384_Init(&c); }
  static void update(Context& c, const void* p, std::size_t n) { SHA384_Update(&c, p, n); }
  static void finish(Context& c, std::uint8_t* out) { SHA384_Final(out, &c); }
  static std::uint64_t word(const Context& c, unsigned i) { return c.h[i]; }
};

struct Sha512 : Sha384 {
  static constexpr unsigned kDigest = 64;
  static void start(Context& c) { SHA512_Init(&c); }
  static void finish(Context& c, std::uint8_t* out) { SHA512_Final(out, &c); }
};

/// A keyed HMAC.  Wipes itself.  One instance may serve any number of threads: mac() is const.
template <class Sha>
class Hmac {
 public:
  /// A key of at most one block, which every registered key length is.
  explicit Hmac(std::span<const std::uint8_t> key) {
    absorb(key, 0x36, inner_);
    absorb(key, 0x5c, outer_);
  }
  Hmac(const Hmac&) = delete;
  Hmac& operator=(const Hmac&) = delete;
  ~Hmac() {
    OPENSSL_cleanse(&inner_, sizeof inner_);
    OPENSSL_cleanse(&outer_, sizeof outer_);
  }

  /// Writes kDigest octets.
  void mac(std::span<const std::span<const std::uint8_t>> parts, std::uint8_t* out) const {
    typename Sha::Context hash = inner_;
    for (const auto& part : parts) Sha::update(hash, part.data(), part.size());
    std::uint8_t digest[Sha::kDigest];
    Sha::finish(hash, digest);
    hash = outer_;
    Sha::update(hash, digest, sizeof digest);
    Sha::finish(hash, out);
  }

  /// The midstates as big-endian words, kState octets each.
  void states(std::uint8_t* inner, std::uint8_t* outer) const {
    write_state(inner_, inner);
    write_state(outer_, outer);
  }

 private:
  static void absorb(std::span<const std::uint8_t> key, std::uint8_t pad,
                     typename Sha::Context& into) {
    std::uint8_t block[Sha::kBlock] = {};
    std::memcpy(block, key.data(), key.size());
    for (std::uint8_t& octet : block) octet ^= pad;
    Sha::start(into);
    Sha::update(into, block, sizeof block);
    OPENSSL_cleanse(block, sizeof block);
  }
  static void write_state(const typename Sha::Context& from, std::uint8_t* out) {
    constexpr unsigned kWord = Sha::kBlock / 16;  // octets: 4, or 8 in SHA-384/512
    for (unsigned i = 0; i < Sha::kState; ++i)
      out[i] =
          static_cast<std::uint8_t>(Sha::word(from, i / kWord) >> (8 * (kWord - 1 - i % kWord)));
  }

  typename Sha::Context inner_, outer_;
};

}  // namespace espalier::driver

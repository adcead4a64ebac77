// SPDX-License-Identifier: BSD-2-Clause-Patent
// IVs (D2).  Counter modes: the SA's 64-bit number, which never repeats under a key, below the
// sender's bits.  CBC: unpredictable, from a generator of the queue's own.
#pragma once

#include <openssl/evp.h>

#include <array>
#include <cstdint>
#include <memory>

namespace espalier {

inline constexpr unsigned kCbcIvLength = 16;

/// Unpredictable CBC IVs: AES-256 in counter mode under a key nobody else has, replaced from its
/// own output before any of that output is used (fast key erasure), so that a later look into
/// memory tells nothing of IVs given out before.
/// Threads: one caller.  Seeded from the operating system only; there is no other way to seed it.
class CbcIvGenerator {
 public:
  CbcIvGenerator();
  ~CbcIvGenerator();
  CbcIvGenerator(const CbcIvGenerator&) = delete;
  CbcIvGenerator& operator=(const CbcIvGenerator&) = delete;

  /// False if the operating system gave no seed or the cipher is missing: next() must not be
  /// called.
  bool ready() const { return ready_; }

  /// Writes 16 fresh octets.  False if the cipher failed: nothing usable was written.
  bool next(std::uint8_t* iv) noexcept;

 private:
  static constexpr unsigned kKeyLength = 32;
  static constexpr unsigned kRefill = kKeyLength + 128 * kCbcIvLength;
  struct FreeContext {
    void operator()(EVP_CIPHER_CTX* context) const { EVP_CIPHER_CTX_free(context); }
  };

  bool refill() noexcept;

  std::unique_ptr<EVP_CIPHER_CTX, FreeContext> context_;
  std::array<std::uint8_t, kRefill> buffer_{};
  unsigned used_ = kRefill;
  bool ready_ = false;
};

}  // namespace espalier

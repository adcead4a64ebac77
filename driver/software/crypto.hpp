// SPDX-License-Identifier: BSD-2-Clause-Patent
// Between framing and algorithms: one keyed object per SA, direction and queue.
//
// A body on the wire is [esp: SPI, number, IV][body][ICV], in one piece.  Framing lays out headers
// and trailer, an EspCrypto turns the body into ciphertext and appends the ICV, or the reverse.
// OpenSSL's contexts allocate when they are made, not when they are used.
#pragma once

#include <cstdint>
#include <memory>
#include <span>

#include "shape.hpp"

namespace espalier::driver::software {

class MultiBuffer;

using Octets = std::span<const std::uint8_t>;

struct SealFrame {
  std::uint8_t* esp = nullptr;         ///< SPI, number and IV, written.
  const std::uint8_t* text = nullptr;  ///< The first `bulk` octets of the body, in clear.
  std::uint32_t bulk = 0;              ///< A multiple of 64; 0 if the whole body stands in `body`.
  std::uint8_t* body = nullptr;        ///< From octet `bulk` on in clear; becomes ciphertext, ICV.
  std::uint32_t length = 0;            ///< Of the body.
  std::uint32_t sequence_high = 0;
  const std::uint8_t* iv = nullptr;  ///< 8 octets, 16 in CBC; also when it is implicit.
};

struct OpenFrame {
  const std::uint8_t* esp = nullptr;
  const std::uint8_t* body = nullptr;  ///< Ciphertext; the ICV follows it.
  std::uint32_t length = 0;            ///< Of the body.
  std::uint32_t sequence_high = 0;
  const std::uint8_t* iv = nullptr;
  std::uint8_t* out = nullptr;  ///< Room for `length` octets: `body` itself, or apart from it.
};

/// A frame on its way through multi-buffer code (multi_buffer.hpp).  Stays where it is until
/// settled.
struct Deferred {
  bool done = false;                        ///< The code has written its tag, and the text.
  std::uint8_t* icv = nullptr;              ///< Seal: where the ICV goes.
  const std::uint8_t* found = nullptr;      ///< Open: the ICV that came.
  const std::uint8_t* copy_from = nullptr;  ///< Open without a cipher: body to copy to copy_to.
  std::uint8_t* copy_to = nullptr;
  std::uint32_t copy_length = 0;
  const SealFrame* seal = nullptr;  ///< What is done whole when it is settled.
  const OpenFrame* open = nullptr;
  alignas(16) std::uint8_t iv[16];
  alignas(16) std::uint8_t aad[16];
  alignas(16) std::uint8_t tag[64];
};

class EspCrypto {
 public:
  virtual ~EspCrypto() = default;
  /// False if OpenSSL failed, or would have used another IV than the frame's.
  virtual bool seal(const SealFrame& frame) noexcept = 0;
  /// False if the ICV is wrong; `out` may hold plaintext then, which the caller wipes.
  virtual bool open(const OpenFrame& frame) noexcept = 0;
  /// True if seal() takes a body from two places (bulk > 0).
  bool takes_bulk() const noexcept { return takes_bulk_; }

  /// True if the next two begin a frame, which is worked off with others of its burst.
  bool defers() const noexcept { return defers_; }
  /// False: not begun, for this frame it must be seal() or open().
  virtual bool begin_seal(const SealFrame&, Deferred&) noexcept { return false; }
  virtual bool begin_open(const OpenFrame&, Deferred&) noexcept { return false; }
  /// After the burst: what seal() or open() would have said.
  virtual bool settle(Deferred&) noexcept { return false; }

 protected:
  explicit EspCrypto(bool takes_bulk, bool defers = false)
      : takes_bulk_(takes_bulk), defers_(defers) {}

 private:
  bool takes_bulk_, defers_;
};

/// Integrity over parts in order.
class Mac {
 public:
  virtual ~Mac() = default;
  /// Writes the ICV, as long as the suite has it.  `iv` is AES-GMAC's alone, 8 octets.
  virtual bool compute(std::span<const Octets> parts, const std::uint8_t* iv,
                       std::uint8_t* icv) noexcept = 0;
  /// Compares in constant time.
  virtual bool verify(std::span<const Octets> parts, const std::uint8_t* iv,
                      const std::uint8_t* icv) noexcept = 0;
};

/// Null if the suite is not offered or OpenSSL failed.  Each family is a file of its own.
std::unique_ptr<EspCrypto> make_gcm(const SaParameters& sa);
std::unique_ptr<EspCrypto> make_gmac(const SaParameters& sa);
std::unique_ptr<EspCrypto> make_ccm(const SaParameters& sa);
std::unique_ptr<EspCrypto> make_chacha(const SaParameters& sa);
std::unique_ptr<EspCrypto> make_encrypt_then_mac(const SaParameters& sa);
/// Any of them; libipsec-mb's where `mb` is given and has one.
std::unique_ptr<EspCrypto> make_esp_crypto(const SaParameters& sa, MultiBuffer* mb);
std::unique_ptr<Mac> make_mac(const SaParameters& sa);

/// SPI and number as combined modes authenticate them (RFC 4106 5, RFC 4309 5, RFC 7634 2.1): the
/// eight octets on the wire, with ESN the 64-bit number instead.
class Aad {
 public:
  Aad(const std::uint8_t* esp, bool esn, std::uint32_t sequence_high) noexcept;
  const std::uint8_t* data() const noexcept { return data_; }
  int size() const noexcept { return size_; }

 private:
  std::uint8_t extended_[12];
  const std::uint8_t* data_;
  int size_;
};

}  // namespace espalier::driver::software

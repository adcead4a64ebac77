// SPDX-License-Identifier: BSD-2-Clause-Patent
// Between framing and algorithms: one keyed object per SA, direction and queue.
//
// A body on the wire is [esp: SPI, number, IV][body][ICV], in one piece.  Framing lays out headers
// and trailer; a cipher family, a subclass of EspSa (sa.hpp), turns the body into ciphertext and
// appends the ICV, or the reverse.  OpenSSL's contexts allocate when they are made, not when they
// are used.
#pragma once

#include <cstdint>
#include <memory>
#include <span>

#include "shape.hpp"

namespace espalier::driver::software {

class EspSa;
class KeyedSa;
class MultiBuffer;

using Octets = std::span<const std::uint8_t>;

struct SealFrame {
  std::uint8_t* esp;         ///< SPI, number and IV, written.
  const std::uint8_t* text;  ///< The first `bulk` octets of the body, in clear.
  std::uint32_t bulk;        ///< 0 if the whole body stands in `body`.
  std::uint8_t* body;        ///< From octet `bulk` on in clear; becomes ciphertext, ICV.
  std::uint32_t length;      ///< Of the body.
  std::uint32_t sequence_high;
  const std::uint8_t* iv;  ///< 8 octets, 16 in CBC; also when it is implicit.
};

struct OpenFrame {
  const std::uint8_t* esp;
  const std::uint8_t* body;  ///< Ciphertext; the ICV follows it.
  std::uint32_t length;      ///< Of the body.
  std::uint32_t sequence_high;
  const std::uint8_t* iv;
  std::uint8_t* out;  ///< Room for `length` octets: `body` itself, or apart from it.
};

/// SPI and number as combined modes authenticate them (RFC 4106 5, RFC 4309 5, RFC 7634 2.1): the
/// eight octets on the wire, with ESN the 64-bit number instead.
class Aad {
 public:
  Aad(const std::uint8_t* esp, bool esn, std::uint32_t sequence_high) noexcept
      : data_(esp), size_(kEspHeader) {
    if (esn) [[unlikely]]
      extend(sequence_high);
  }
  Aad(const Aad&) = delete;
  Aad& operator=(const Aad&) = delete;
  const std::uint8_t* data() const noexcept { return data_; }
  int size() const noexcept { return size_; }

 private:
  void extend(std::uint32_t sequence_high) noexcept;

  std::uint8_t extended_[12];
  const std::uint8_t* data_;
  int size_;
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
std::unique_ptr<EspSa> make_gcm(const SaParameters& sa, const SaShape& shape);
std::unique_ptr<EspSa> make_gmac(const SaParameters& sa, const SaShape& shape);
std::unique_ptr<EspSa> make_ccm(const SaParameters& sa, const SaShape& shape);
std::unique_ptr<EspSa> make_chacha(const SaParameters& sa, const SaShape& shape);
std::unique_ptr<EspSa> make_encrypt_then_mac(const SaParameters& sa, const SaShape& shape);
/// Any of them; libipsec-mb's where `mb` is given and has one.
std::unique_ptr<EspSa> make_esp(const SaParameters& sa, const SaShape& shape, MultiBuffer* mb);
std::unique_ptr<KeyedSa> make_ah(const SaParameters& sa, const SaShape& shape);
std::unique_ptr<Mac> make_mac(const SaParameters& sa);

}  // namespace espalier::driver::software

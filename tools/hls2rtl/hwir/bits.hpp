// SPDX-License-Identifier: BSD-2-Clause-Patent
/// Constants of any width: the arithmetic of HwIR.
#pragma once
#include <cstddef>
#include <cstdint>
#include <span>
#include <string>
#include <vector>

namespace espalier::hwir {

/// An unsigned bit vector of fixed width (0 bits and up); bits above the width are always zero.
/// Operators demand equal widths and wrap modulo 2^width.
class Bits {
 public:
  Bits() = default;
  explicit Bits(unsigned width, uint64_t value = 0);
  static Bits ones(unsigned width);
  /// Little-endian 64-bit words; missing words are zero, surplus bits are cut off.
  static Bits fromWords(unsigned width, std::span<const uint64_t> words);

  unsigned width() const { return width_; }
  std::span<const uint64_t> words() const { return words_; }
  uint64_t low64() const { return words_.empty() ? 0 : words_[0]; }
  bool bit(unsigned i) const { return words_[i / 64] >> (i % 64) & 1; }
  void setBit(unsigned i, bool value);
  bool isZero() const;
  bool isOnes() const;
  unsigned popcount() const;

  Bits slice(unsigned lo, unsigned width) const;
  /// {high, *this}: this vector keeps the low bits.
  Bits append(const Bits& high) const;
  /// Zero-extends or truncates.
  Bits resize(unsigned width) const;
  Bits shl(uint64_t amount) const;
  Bits lshr(uint64_t amount) const;

  Bits operator~() const;
  Bits operator&(const Bits& o) const;
  Bits operator|(const Bits& o) const;
  Bits operator^(const Bits& o) const;
  Bits operator+(const Bits& o) const;
  Bits operator-(const Bits& o) const;
  Bits operator*(const Bits& o) const;
  bool operator==(const Bits& o) const = default;
  bool ult(const Bits& o) const;
  bool slt(const Bits& o) const;

  /// Lower-case hexadecimal digits without prefix or leading zeros ("0" for zero).
  std::string hex() const;
  size_t hash() const;

 private:
  void trim();
  unsigned width_ = 0;
  std::vector<uint64_t> words_;
};

}  // namespace espalier::hwir

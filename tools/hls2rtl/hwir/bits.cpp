// SPDX-License-Identifier: BSD-2-Clause-Patent
#include "hwir/bits.hpp"

#include <algorithm>
#include <bit>
#include <cassert>

namespace espalier::hwir {

namespace {
size_t wordsFor(unsigned width) {
  return (width + 63) / 64;
}
}  // namespace

Bits::Bits(unsigned width, uint64_t value) : width_(width), words_(wordsFor(width)) {
  if (width) words_[0] = value;
  trim();
}

Bits Bits::ones(unsigned width) {
  Bits r(width);
  std::fill(r.words_.begin(), r.words_.end(), ~uint64_t{0});
  r.trim();
  return r;
}

Bits Bits::fromWords(unsigned width, std::span<const uint64_t> words) {
  Bits r(width);
  std::copy_n(words.begin(), std::min(words.size(), r.words_.size()), r.words_.begin());
  r.trim();
  return r;
}

void Bits::trim() {
  if (width_ % 64) words_.back() &= (uint64_t{1} << (width_ % 64)) - 1;
}

void Bits::setBit(unsigned i, bool value) {
  const uint64_t mask = uint64_t{1} << (i % 64);
  words_[i / 64] = value ? words_[i / 64] | mask : words_[i / 64] & ~mask;
}

bool Bits::isZero() const {
  return std::all_of(words_.begin(), words_.end(), [](uint64_t w) { return w == 0; });
}

bool Bits::isOnes() const {
  return popcount() == width_;
}

unsigned Bits::popcount() const {
  unsigned n = 0;
  for (uint64_t w : words_) n += std::popcount(w);
  return n;
}

Bits Bits::slice(unsigned lo, unsigned width) const {
  assert(lo + width <= width_);
  Bits r(width);
  const unsigned shift = lo % 64;
  for (size_t i = 0; i < r.words_.size(); i++) {
    const size_t from = lo / 64 + i;
    r.words_[i] = words_[from] >> shift;
    if (shift && from + 1 < words_.size()) r.words_[i] |= words_[from + 1] << (64 - shift);
  }
  r.trim();
  return r;
}

Bits Bits::append(const Bits& high) const {
  const unsigned width = width_ + high.width_;
  return resize(width) | high.resize(width).shl(width_);
}

Bits Bits::resize(unsigned width) const {
  return fromWords(width, words_);
}

Bits Bits::shl(uint64_t amount) const {
  Bits r(width_);
  if (amount >= width_) return r;
  const size_t skip = amount / 64;
  const unsigned shift = amount % 64;
  for (size_t i = skip; i < words_.size(); i++) {
    r.words_[i] = words_[i - skip] << shift;
    if (shift && i > skip) r.words_[i] |= words_[i - skip - 1] >> (64 - shift);
  }
  r.trim();
  return r;
}

Bits Bits::lshr(uint64_t amount) const {
  if (amount >= width_) return Bits(width_);
  return slice(static_cast<unsigned>(amount), width_ - static_cast<unsigned>(amount))
      .resize(width_);
}

Bits Bits::operator~() const {
  Bits r = *this;
  for (uint64_t& w : r.words_) w = ~w;
  r.trim();
  return r;
}

Bits Bits::operator&(const Bits& o) const {
  assert(width_ == o.width_);
  Bits r = *this;
  for (size_t i = 0; i < words_.size(); i++) r.words_[i] &= o.words_[i];
  return r;
}

Bits Bits::operator|(const Bits& o) const {
  assert(width_ == o.width_);
  Bits r = *this;
  for (size_t i = 0; i < words_.size(); i++) r.words_[i] |= o.words_[i];
  return r;
}

Bits Bits::operator^(const Bits& o) const {
  assert(width_ == o.width_);
  Bits r = *this;
  for (size_t i = 0; i < words_.size(); i++) r.words_[i] ^= o.words_[i];
  return r;
}

Bits Bits::operator+(const Bits& o) const {
  assert(width_ == o.width_);
  Bits r(width_);
  uint64_t carry = 0;
  for (size_t i = 0; i < words_.size(); i++) {
    const unsigned __int128 sum = static_cast<unsigned __int128>(words_[i]) + o.words_[i] + carry;
    r.words_[i] = static_cast<uint64_t>(sum);
    carry = static_cast<uint64_t>(sum >> 64);
  }
  r.trim();
  return r;
}

Bits Bits::operator-(const Bits& o) const {
  assert(width_ == o.width_);
  return width_ ? *this + ~o + Bits(width_, 1) : *this;
}

Bits Bits::operator*(const Bits& o) const {
  assert(width_ == o.width_);
  Bits r(width_);
  for (size_t i = 0; i < words_.size(); i++) {
    uint64_t carry = 0;
    for (size_t j = 0; i + j < words_.size(); j++) {
      const unsigned __int128 t =
          static_cast<unsigned __int128>(words_[i]) * o.words_[j] + r.words_[i + j] + carry;
      r.words_[i + j] = static_cast<uint64_t>(t);
      carry = static_cast<uint64_t>(t >> 64);
    }
  }
  r.trim();
  return r;
}

bool Bits::ult(const Bits& o) const {
  assert(width_ == o.width_);
  return std::lexicographical_compare(words_.rbegin(), words_.rend(), o.words_.rbegin(),
                                      o.words_.rend());
}

bool Bits::slt(const Bits& o) const {
  assert(width_ == o.width_ && width_ > 0);
  const bool negative = bit(width_ - 1);
  return negative == o.bit(width_ - 1) ? ult(o) : negative;
}

std::string Bits::hex() const {
  std::string r;
  for (unsigned lo = 0; lo < width_; lo += 4)
    r.insert(r.begin(), "0123456789abcdef"[slice(lo, std::min(4U, width_ - lo)).low64()]);
  r.erase(0, std::min(r.find_first_not_of('0'), r.size() - (r.empty() ? 0 : 1)));
  return r.empty() ? "0" : r;
}

size_t Bits::hash() const {
  size_t h = width_;
  for (uint64_t w : words_) h = h * 0x9e3779b97f4a7c15U + (w ^ (w >> 29));
  return h;
}

}  // namespace espalier::hwir

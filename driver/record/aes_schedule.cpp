// SPDX-License-Identifier: BSD-2-Clause-Patent
// Key bytes are handled four at a time in a word, byte 0 lowest: each byte is an element of
// GF(2^8), so all operations are shifts and masks (SWAR) and take the same time for every key.
#include "aes_schedule.hpp"

#include <openssl/crypto.h>

#include <algorithm>
#include <bit>
#include <cstring>

namespace espalier::driver {
namespace {

using Word = std::uint32_t;
constexpr Word kOnes = 0x01010101;

Word load(const std::uint8_t* p) {
  return Word{p[0]} | Word{p[1]} << 8 | Word{p[2]} << 16 | Word{p[3]} << 24;
}
void store(std::uint8_t* p, Word w) {
  for (unsigned i = 0; i < 4; ++i) p[i] = static_cast<std::uint8_t>(w >> (8 * i));
}

/// Multiplies each byte by x.
Word times_x(Word a) {
  return ((a & 0x7f7f7f7f) << 1) ^ (((a >> 7) & kOnes) * 0x1b);
}
/// Multiplies byte by byte.
Word times(Word a, Word b) {
  Word sum = 0;
  for (unsigned bit = 0; bit < 8; ++bit, a = times_x(a)) sum ^= a & (((b >> bit) & kOnes) * 0xff);
  return sum;
}
/// Rotates each byte left by n.
Word rotate_bytes(Word a, unsigned n) {
  return ((a << n) & (kOnes * (0xffu << n & 0xff))) |
         ((a >> (8 - n)) & (kOnes * (0xffu >> (8 - n))));
}

/// SubWord: inversion as the 254th power, then the affine map (FIPS-197 5.1.1).
Word sub_word(Word a) {
  const Word a2 = times(a, a);
  Word power = a2;  // a^2 * a^4 * ... * a^128 = a^254
  for (Word square = a2, i = 2; i <= 7; ++i) {
    square = times(square, square);
    power = times(power, square);
  }
  return power ^ rotate_bytes(power, 1) ^ rotate_bytes(power, 2) ^ rotate_bytes(power, 3) ^
         rotate_bytes(power, 4) ^ (kOnes * 0x63);
}

/// InvMixColumns of one column (FIPS-197 5.3.3).
Word inverse_mix(Word column) {
  const Word x2 = times_x(column), x4 = times_x(x2), x8 = times_x(x4);
  const Word by9 = x8 ^ column, by11 = by9 ^ x2, by13 = by9 ^ x4, by14 = x8 ^ x4 ^ x2;
  return by14 ^ std::rotr(by11, 8) ^ std::rotr(by13, 16) ^ std::rotr(by9, 24);
}

/// Where round `round` of `rounds` stands in a record.
std::uint8_t* place(std::span<std::uint8_t, kScheduleBytes> record, unsigned rounds,
                    unsigned round) {
  return record.data() + kRoundKeyBytes * (round == 0 ? 0 : 14 - rounds + round);
}

struct Schedule {
  Word words[4 * 15];

  explicit Schedule(std::span<const std::uint8_t> key) {
    const unsigned nk = static_cast<unsigned>(key.size() / 4);
    const unsigned total = 4 * (aes_rounds(key.size()) + 1);
    for (unsigned i = 0; i < nk; ++i) words[i] = load(key.data() + 4 * i);
    Word constant = 1;
    for (unsigned i = nk; i < total; ++i) {
      Word next = words[i - 1];
      if (i % nk == 0) {
        next = sub_word(std::rotr(next, 8)) ^ constant;
        constant = times_x(constant);
      } else if (nk > 6 && i % nk == 4) {
        next = sub_word(next);
      }
      words[i] = words[i - nk] ^ next;
    }
  }
  ~Schedule() { OPENSSL_cleanse(words, sizeof words); }
};

struct Element {  // of GF(2^128), the first bit of the first octet on top of `high`
  std::uint64_t high, low;
};

Element times(Element a, Element b) {
  Element sum{0, 0};
  for (unsigned i = 0; i < 128; ++i) {
    const std::uint64_t bit = i < 64 ? a.high >> (63 - i) : a.low >> (127 - i);
    const std::uint64_t take = 0 - (bit & 1), carry = 0 - (b.low & 1);
    sum.high ^= b.high & take;
    sum.low ^= b.low & take;
    b.low = b.low >> 1 | b.high << 63;
    b.high = (b.high >> 1) ^ (carry & 0xe100000000000000ull);
  }
  return sum;
}

}  // namespace

void aes_schedule(std::span<const std::uint8_t> key,
                  std::span<std::uint8_t, kScheduleBytes> record) {
  const Schedule schedule(key);
  const unsigned rounds = aes_rounds(key.size());
  for (unsigned round = 0; round <= rounds; ++round)
    for (unsigned i = 0; i < 4; ++i)
      store(place(record, rounds, round) + 4 * i, schedule.words[4 * round + i]);
}

void aes_inverse_schedule(std::span<const std::uint8_t> key,
                          std::span<std::uint8_t, kScheduleBytes> record) {
  const Schedule schedule(key);
  const unsigned rounds = aes_rounds(key.size());
  for (unsigned round = 0; round <= rounds; ++round)
    for (unsigned i = 0; i < 4; ++i) {
      const Word word = schedule.words[4 * (rounds - round) + i];
      const bool outermost = round == 0 || round == rounds;
      store(place(record, rounds, round) + 4 * i, outermost ? word : inverse_mix(word));
    }
}

void hash_powers(std::span<const std::uint8_t, 16> h,
                 std::span<std::uint8_t, 16 * kHashPowers> powers) {
  Element base{0, 0};
  for (unsigned i = 0; i < 8; ++i) {
    base.high = base.high << 8 | h[i];
    base.low = base.low << 8 | h[8 + i];
  }
  Element power = base;
  for (unsigned n = 0; n < kHashPowers; ++n) {
    for (unsigned i = 0; i < 8; ++i) {
      powers[16 * n + i] = static_cast<std::uint8_t>(power.high >> (56 - 8 * i));
      powers[16 * n + 8 + i] = static_cast<std::uint8_t>(power.low >> (56 - 8 * i));
    }
    power = times(power, base);
  }
  OPENSSL_cleanse(&base, sizeof base);
  OPENSSL_cleanse(&power, sizeof power);
}

}  // namespace espalier::driver

// SPDX-License-Identifier: BSD-2-Clause-Patent
#include "record/record.hpp"

#include <gtest/gtest.h>
#include <openssl/evp.h>
#include <openssl/hmac.h>

#include <algorithm>
#include <array>
#include <cstring>

#include "../support.hpp"
#include "primitives/cbc_mac.hpp"
#include "primitives/evp.hpp"
#include "primitives/hmac.hpp"
#include "record/aes_schedule.hpp"

namespace espalier::driver::test {
namespace {

using Block = std::array<std::uint8_t, 16>;

std::uint8_t gf_times(std::uint8_t a, std::uint8_t b) {
  unsigned sum = 0;
  for (unsigned x = a; b != 0; b >>= 1, x = x << 1 ^ (x & 0x80 ? 0x11b : 0))
    if (b & 1) sum ^= x;
  return static_cast<std::uint8_t>(sum);
}

/// A slow AES by the book (FIPS-197 5.1, 5.3.5) that runs on a record's round keys.
struct TextbookAes {
  std::array<std::uint8_t, 256> box{}, inverse_box{};

  TextbookAes() {
    for (unsigned x = 0; x < 256; ++x) {
      unsigned inverse = 0;
      while (x != 0 &&
             gf_times(static_cast<std::uint8_t>(x), static_cast<std::uint8_t>(inverse)) != 1)
        ++inverse;
      unsigned s = 0x63;
      for (unsigned turn = 0; turn < 5; ++turn)
        s ^= (inverse << turn | inverse >> (8 - turn)) & 0xff;
      box[x] = static_cast<std::uint8_t>(s);
      inverse_box[s] = static_cast<std::uint8_t>(x);
    }
  }

  Block run(Block state, const std::uint8_t* keys, unsigned rounds, bool forwards) const {
    static constexpr std::uint8_t kMix[] = {2, 3, 1, 1}, kInverseMix[] = {14, 11, 13, 9};
    add(state, keys);
    for (unsigned round = 1; round <= rounds; ++round) {
      Block next;
      for (unsigned c = 0; c < 4; ++c)
        for (unsigned r = 0; r < 4; ++r) {
          const unsigned from = forwards ? (c + r) % 4 : (c + 4 - r) % 4;
          next[4 * c + r] = (forwards ? box : inverse_box)[state[4 * from + r]];
        }
      state = next;
      if (round != rounds)
        for (unsigned c = 0; c < 4; ++c)
          for (unsigned r = 0; r < 4; ++r) {
            std::uint8_t sum = 0;
            for (unsigned k = 0; k < 4; ++k)
              sum ^= gf_times((forwards ? kMix : kInverseMix)[(k + 4 - r) % 4], next[4 * c + k]);
            state[4 * c + r] = sum;
          }
      add(state, keys + 16 * (14 - rounds + round));
    }
    return state;
  }

 private:
  static void add(Block& state, const std::uint8_t* key) {
    for (unsigned i = 0; i < 16; ++i) state[i] ^= key[i];
  }
};

TEST(AesSchedule, Fips197AppendixA) {
  const struct {
    const char* key;
    const char* last_round;
  } cases[] = {
      {"2b7e151628aed2a6abf7158809cf4f3c", "d014f9a8c9ee2589e13f0cc8b6630ca6"},
      {"8e73b0f7da0e6452c810f32b809079e562f8ead2522c6b7b", "e98ba06f448c773c8ecc720401002202"},
      {"603deb1015ca71be2b73aef0857d77811f352c073b6108d72d9810a30914dff4",
       "fe4890d1e6188d0b046df344706c631e"},
  };
  for (const auto& c : cases) {
    const Bytes key = from_hex(c.key);
    Bytes record(kScheduleBytes);
    aes_schedule(key, std::span<std::uint8_t, kScheduleBytes>(record));
    EXPECT_EQ(to_hex(std::span(record).first(16)), std::string(c.key).substr(0, 32));
    EXPECT_EQ(to_hex(std::span(record).last(16)), c.last_round);
  }
}

TEST(AesSchedule, BothDirectionsAgreeWithOpenssl) {
  const TextbookAes aes;
  Random random;
  for (unsigned length : {16u, 24u, 32u})
    for (unsigned round = 0; round < 20; ++round) {
      const Bytes key = random.bytes(length), text = random.bytes(16);
      Block clear, sealed;
      std::copy(text.begin(), text.end(), clear.begin());
      ASSERT_TRUE(aes_encrypt_block(key, clear.data(), sealed.data()));
      Bytes forwards(kScheduleBytes), backwards(kScheduleBytes);
      aes_schedule(key, std::span<std::uint8_t, kScheduleBytes>(forwards));
      aes_inverse_schedule(key, std::span<std::uint8_t, kScheduleBytes>(backwards));
      EXPECT_EQ(aes.run(clear, forwards.data(), aes_rounds(length), true), sealed)
          << random.replay();
      EXPECT_EQ(aes.run(sealed, backwards.data(), aes_rounds(length), false), clear)
          << random.replay();
    }
}

/// GMAC of `message` under `key` and the zero nonce.
Block gmac(const Bytes& key, const Bytes& message) {
  Block tag{};
  const Block nonce{};
  const CipherContext context = keyed_context(EvpMode::gcm, key, true);
  int length = 0;
  EVP_EncryptInit_ex2(context.get(), nullptr, nullptr, nonce.data(), nullptr);
  EVP_EncryptUpdate(context.get(), nullptr, &length, message.data(),
                    static_cast<int>(message.size()));
  EVP_EncryptFinal_ex(context.get(), nullptr, &length);
  EVP_CIPHER_CTX_ctrl(context.get(), EVP_CTRL_AEAD_GET_TAG, 16, tag.data());
  return tag;
}

TEST(HashPowers, AgreeWithOpensslsGhash) {
  Random random;
  const Bytes key = random.bytes(32);
  Block h{};
  ASSERT_TRUE(aes_encrypt_block(key, h.data(), h.data()));
  Bytes powers(16 * kHashPowers);
  hash_powers(h, std::span<std::uint8_t, 16 * kHashPowers>(powers));
  EXPECT_TRUE(std::equal(h.begin(), h.end(), powers.begin())) << "H^1";
  for (unsigned blocks = 1; blocks < kHashPowers; ++blocks) {
    // A message of 1, 0, 0 ... and one of zeros differ in GHASH by exactly H^(blocks + 1).
    Bytes message(16 * blocks);
    const Block base = gmac(key, message);
    message[0] = 0x80;
    Block difference = gmac(key, message);
    for (unsigned i = 0; i < 16; ++i) difference[i] ^= base[i];
    EXPECT_TRUE(std::equal(difference.begin(), difference.end(), powers.begin() + 16 * blocks))
        << "H^" << blocks + 1;
  }
}

TEST(HashPowers, GcmTestCase1) {  // The GCM specification's H for the zero key.
  spec::SaRecord record;
  SaParameters sa;
  apply(suite("aes128gcm16"), sa);
  sa.cipher_key.assign(Bytes(16));
  ASSERT_EQ(build_record(sa, Generation{1}, record), Status::ok);
  EXPECT_EQ(to_hex(std::span(record.hash_powers).first(16)), "66e94bd4ef8a2c3b884cfa59ca342b2e");
}

TEST(Record, ControlFieldsSayWhatTheSaSays) {
  Random random;
  SaParameters sa = make_sa(suite("aes192-sha512"), random, Mode::transport, Family::ipv6, true);
  sa.esn = true;
  sa.copy_ecn = false;
  spec::SaRecord record;
  ASSERT_EQ(build_record(sa, Generation{0xabcd}, record), Status::ok);
  EXPECT_EQ(record.flags,
            spec::kSaValid | spec::kSaSeal | spec::kSaOuterIpv6 | spec::kSaUdp | spec::kSaEsn);
  EXPECT_EQ(record.spi, sa.spi);
  EXPECT_EQ(record.generation, 0xabcd);
  EXPECT_EQ(record.rounds, 12);
  EXPECT_EQ(record.icv_length, 32);
  EXPECT_EQ(record.iv_length, 16);
  EXPECT_EQ(record.block_length, 16);
  EXPECT_EQ(record.header_length, 8);
  EXPECT_EQ(record.ecn_mode, 0);
  EXPECT_TRUE(
      std::equal(sa.header_template.begin(), sa.header_template.end(), record.header_template));
}

TEST(Record, CbcOpensWithTheInverseSchedule) {
  Random random;
  SaParameters sa = make_sa(suite("aes256-sha256"), random);
  spec::SaRecord seal, open;
  ASSERT_EQ(build_record(sa, Generation{1}, seal), Status::ok);
  sa.direction = Direction::open;
  ASSERT_EQ(build_record(sa, Generation{1}, open), Status::ok);
  EXPECT_TRUE(std::equal(seal.cipher_keys, seal.cipher_keys + 16, open.cipher_keys + 224));
  EXPECT_TRUE(std::equal(open.cipher_keys, open.cipher_keys + 16, seal.cipher_keys + 224));
}

/// Finishes an HMAC from a record's midstates with nothing but the compression function.
std::array<std::uint8_t, 32> finish_sha256(const spec::SaRecord& record, const Bytes& message) {
  const auto resume = [](const std::uint8_t* state) {
    SHA256_CTX hash;
    SHA256_Init(&hash);
    for (unsigned i = 0; i < 8; ++i)
      hash.h[i] = static_cast<SHA_LONG>(state[4 * i] << 24 | state[4 * i + 1] << 16 |
                                        state[4 * i + 2] << 8 | state[4 * i + 3]);
    hash.Nl = 512;
    return hash;
  };
  std::array<std::uint8_t, 32> digest;
  SHA256_CTX hash = resume(record.integrity_keys);
  SHA256_Update(&hash, message.data(), message.size());
  SHA256_Final(digest.data(), &hash);
  hash = resume(record.integrity_keys + 64);
  SHA256_Update(&hash, digest.data(), digest.size());
  SHA256_Final(digest.data(), &hash);
  return digest;
}

TEST(Record, HmacMidstatesContinueToTheHmac) {
  Random random;
  const SaParameters sa = make_sa(suite("null-sha256"), random);
  spec::SaRecord record;
  ASSERT_EQ(build_record(sa, Generation{1}, record), Status::ok);
  const Bytes message = random.bytes(300);
  std::array<std::uint8_t, 32> expected;
  unsigned length = 0;
  HMAC(EVP_sha256(), sa.integrity_key.view().data(), 32, message.data(), message.size(),
       expected.data(), &length);
  EXPECT_EQ(finish_sha256(record, message), expected) << random.replay();
}

template <class Sha>
void expect_hmac(const EVP_MD* digest, Random& random) {
  const Bytes key = random.bytes(Sha::kDigest), message = random.bytes(random.below(400));
  Bytes expected(64), found(64);
  unsigned length = 0;
  HMAC(digest, key.data(), static_cast<int>(key.size()), message.data(), message.size(),
       expected.data(), &length);
  const std::size_t cut = message.size() / 3;
  const std::span<const std::uint8_t> parts[] = {std::span(message).first(cut),
                                                 std::span(message).subspan(cut)};
  Hmac<Sha>(key).mac(parts, found.data());
  EXPECT_EQ(found, expected) << random.replay();
}

TEST(Hmac, AgreesWithOpenssl) {
  Random random;
  for (unsigned i = 0; i < 20; ++i) {
    expect_hmac<Sha1>(EVP_sha1(), random);
    expect_hmac<Sha256>(EVP_sha256(), random);
    expect_hmac<Sha384>(EVP_sha384(), random);
    expect_hmac<Sha512>(EVP_sha512(), random);
  }
}

TEST(Record, CmacSubkeysOfRfc4493) {
  SaParameters sa;
  apply(suite("null-aescmac"), sa);
  sa.integrity_key.assign(from_hex("2b7e151628aed2a6abf7158809cf4f3c"));
  spec::SaRecord record;
  ASSERT_EQ(build_record(sa, Generation{1}, record), Status::ok);
  const auto at = [&](unsigned offset) {
    return to_hex(std::span(record.integrity_keys).subspan(offset, 16));
  };
  EXPECT_EQ(at(0), "2b7e151628aed2a6abf7158809cf4f3c");
  EXPECT_EQ(at(16), "fbeed618357133667c85e08f7236a8de");
  EXPECT_EQ(at(32), "f7ddac306ae266ccf90bc11ee46d513b");
  EXPECT_EQ(at(224), "d014f9a8c9ee2589e13f0cc8b6630ca6") << "last round key, FIPS-197 A.1";
}

TEST(Record, UnknownSuiteGivesNoKeys) {
  SaParameters sa;
  apply(suite("aes128gcm16"), sa);
  sa.cipher_key.assign(Bytes(15, 0xee));
  spec::SaRecord record;
  EXPECT_EQ(build_record(sa, Generation{1}, record), Status::unsupported);
  const auto* octets = reinterpret_cast<const std::uint8_t*>(&record);
  EXPECT_TRUE(std::all_of(octets, octets + sizeof record, [](std::uint8_t o) { return o == 0; }));
}

TEST(Record, EverySuiteBuilds) {
  Random random;
  for (const Suite& s : all_suites()) {
    spec::SaRecord record;
    EXPECT_EQ(build_record(make_sa(s, random), Generation{1}, record), Status::ok) << suite_name(s);
    wipe_record(record);
    EXPECT_EQ(record.spi, 0u);
  }
}

}  // namespace
}  // namespace espalier::driver::test

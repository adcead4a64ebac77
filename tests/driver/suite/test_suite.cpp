// SPDX-License-Identifier: BSD-2-Clause-Patent
#include "espalier/driver/suite.hpp"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <set>
#include <vector>

namespace espalier::driver {
namespace {

using spec::Cipher;
using spec::Integrity;
using ::testing::HasSubstr;

Suite must_parse(std::string_view name, Protocol protocol = Protocol::esp) {
  std::string why;
  const auto suite = parse_suite(name, protocol, why);
  EXPECT_TRUE(suite) << name << ": " << why;
  return suite.value_or(Suite{});
}

TEST(Suite, NamesRoundTripAndAreUnique) {
  std::set<std::string> seen;
  for (const Suite& suite : all_suites()) {
    const std::string name = suite_name(suite);
    const bool fresh = seen.insert((suite.protocol == Protocol::ah ? "ah:" : "esp:") + name).second;
    EXPECT_TRUE(fresh) << name << " names two suites";
    EXPECT_EQ(must_parse(name, suite.protocol), suite) << name;
    EXPECT_NE(suite.icv_length, 0) << name << " has no integrity";
  }
  // 9 AES modes and 2 modes with 6 integrities, 3 keys each; 2 ChaCha; NULL with 6; 9 of AH.
  EXPECT_EQ(seen.size(), 9u * 3 + 2u * 6 * 3 + 2 + 6 + 9);
}

TEST(Suite, LengthsAreThoseOfTheRfcs) {
  const Suite gcm = must_parse("aes192gcm12");
  EXPECT_EQ(gcm.cipher, Cipher::aes_gcm);
  EXPECT_EQ(gcm.cipher_key_length, 24);
  EXPECT_EQ(gcm.salt_length, 4);
  EXPECT_EQ(gcm.iv_length, 8);
  EXPECT_EQ(gcm.icv_length, 12);
  EXPECT_EQ(gcm.block_length, 4);
  const Suite cbc = must_parse("aes256-sha384");
  EXPECT_EQ(cbc.iv_length, 16);
  EXPECT_EQ(cbc.block_length, 16);
  EXPECT_EQ(cbc.integrity_key_length, 48);
  EXPECT_EQ(cbc.icv_length, 24);
  EXPECT_EQ(must_parse("aes128ccm16").salt_length, 3);
  EXPECT_EQ(must_parse("chacha20poly1305iiv").iv_length, 0);
  const Suite gmac = must_parse("aes256gmac", Protocol::ah);
  EXPECT_EQ(gmac.integrity, Integrity::aes_gmac);
  EXPECT_EQ(gmac.integrity_key_length, 32);
  EXPECT_EQ(gmac.iv_length, 8);
}

TEST(Suite, TakesStrongswansOtherSpellings) {
  EXPECT_EQ(must_parse("aes256gcm128"), must_parse("aes256gcm16"));
  EXPECT_EQ(must_parse("aes-sha"), must_parse("aes128-sha1"));
  EXPECT_EQ(must_parse("aes128ccm64"), must_parse("aes128ccm8"));
}

TEST(Suite, RefusalsSayWhatToWrite) {
  const struct {
    const char* name;
    Protocol protocol;
    const char* hint;
  } cases[] = {
      {"3des-sha1", Protocol::esp, "aes256gcm16"},
      {"des-sha1", Protocol::esp, "MUST NOT"},
      {"aes256-md5", Protocol::esp, "sha256"},
      {"md5", Protocol::ah, "sha256"},
      {"null", Protocol::esp, "null-sha256"},
      {"aes256", Protocol::esp, "aes256-sha256"},
      {"aes256gcm16-sha256", Protocol::esp, "drop '-sha256'"},
      {"sha256", Protocol::esp, "null-sha256"},
      {"aes256gcm16", Protocol::ah, "aes256gmac"},
      {"aes255gcm16", Protocol::esp, "aes256gcm16"},
      {"", Protocol::esp, "aes256gcm16"},
  };
  for (const auto& c : cases) {
    std::string why;
    EXPECT_FALSE(parse_suite(c.name, c.protocol, why)) << c.name;
    EXPECT_THAT(why, HasSubstr(c.hint)) << c.name;
  }
}

SaParameters sound(std::string_view name, Protocol protocol = Protocol::esp) {
  const Suite suite = must_parse(name, protocol);
  SaParameters sa;
  sa.spi = 256;
  apply(suite, sa);
  const bool ah_gmac = suite.integrity == Integrity::aes_gmac;
  const std::vector<std::uint8_t> cipher(
      suite.cipher_key_length + (ah_gmac ? 0u : suite.salt_length), 0x11);
  const std::vector<std::uint8_t> integrity(
      suite.integrity_key_length + (ah_gmac ? suite.salt_length : 0u), 0x22);
  EXPECT_EQ(set_keys(suite, cipher, integrity, sa), "") << name;
  set_header_template(Endpoints{}, sa);
  return sa;
}

TEST(Check, EverySuiteMakesASoundSa) {
  for (const Suite& suite : all_suites()) {
    const SaParameters sa = sound(suite_name(suite), suite.protocol);
    EXPECT_EQ(check(sa), "") << suite_name(suite);
    EXPECT_EQ(suite_of(sa), suite);
  }
}

TEST(Check, SaltIsTheEndOfTheKeyingMaterial) {  // RFC 4106 8.1
  const Suite suite = must_parse("aes128gcm16");
  std::vector<std::uint8_t> keymat(20);
  for (unsigned i = 0; i < 20; ++i) keymat[i] = static_cast<std::uint8_t>(i);
  SaParameters sa;
  ASSERT_EQ(set_keys(suite, keymat, {}, sa), "");
  EXPECT_EQ(sa.salt, (std::array<std::uint8_t, 4>{16, 17, 18, 19}));
  EXPECT_EQ(sa.cipher_key.size(), 16u);
  EXPECT_THAT(set_keys(suite, std::span(keymat).first(16), {}, sa), HasSubstr("give 20"));
}

TEST(Check, RefusalsSayHowToMend) {
  const auto broken = [](auto&& breakage, Protocol protocol = Protocol::esp,
                         std::string_view name = "aes256gcm16") {
    SaParameters sa = sound(name, protocol);
    breakage(sa);
    return check(sa);
  };
  EXPECT_THAT(broken([](auto& sa) { sa.spi = 255; }), HasSubstr("256 or more"));
  EXPECT_THAT(broken([](auto& sa) { sa.icv_length = 13; }), HasSubstr("ICV of 13"));
  EXPECT_THAT(broken([](auto& sa) { sa.cipher_key.wipe(); }), HasSubstr("cipher key of 0"));
  EXPECT_THAT(broken([](auto& sa) { sa.integrity = Integrity::hmac_sha256; }), HasSubstr("drop"));
  EXPECT_THAT(
      broken([](auto& sa) { sa.integrity = Integrity::none; }, Protocol::esp, "aes128-sha1"),
      HasSubstr("no integrity"));
  EXPECT_THAT(broken([](auto& sa) { sa.udp_encapsulation = true; }, Protocol::ah, "sha256"),
              HasSubstr("use ESP"));
  EXPECT_THAT(broken([](auto& sa) { sa.udp_encapsulation = true; }), HasSubstr("give 28"));
  EXPECT_THAT(broken([](auto& sa) { sa.header_template[8] = 64; }),
              HasSubstr("set_header_template"));
}

TEST(Check, AhIsAlignedByFamily) {  // RFC 4302 2.6
  SaParameters sa = sound("sha256", Protocol::ah);
  EXPECT_EQ(ah_length(sa), 28u);
  sa.ah_align8 = true;
  EXPECT_EQ(ah_length(sa), 32u);
  sa.ah_align8 = false;
  sa.outer = Family::ipv6;
  EXPECT_EQ(ah_length(sa), 32u);
  EXPECT_EQ(ah_length(sound("aes128gmac", Protocol::ah)), 36u);
}

}  // namespace
}  // namespace espalier::driver

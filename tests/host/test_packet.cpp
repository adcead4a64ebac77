// SPDX-License-Identifier: BSD-2-Clause-Patent
// Addresses, IP headers, port 4500, checksums.
#include <gtest/gtest.h>

#include <random>

#include "espalier/address.hpp"
#include "packet/checksum.hpp"
#include "packet/ip.hpp"
#include "packet/octets.hpp"
#include "vector_file.hpp"

namespace espalier {
namespace {

TEST(Address, PrefixesHoldWhatTheirBitsSay) {
  const auto v4 = Prefix::parse("10.1.2.0/23");
  ASSERT_TRUE(v4);
  EXPECT_TRUE(v4->contains(*Address::parse("10.1.3.255")));
  EXPECT_FALSE(v4->contains(*Address::parse("10.1.4.0")));
  EXPECT_FALSE(v4->contains(*Address::parse("::")));
  const auto v6 = Prefix::parse("fd00::1");
  ASSERT_TRUE(v6);
  EXPECT_EQ(v6->bits, 128u);
  for (const char* bad : {"10.0.0.0/33", "10.0.0/8", "fd00::/129", "10.0.0.0/", "10.0.0.0/8x", ""})
    EXPECT_FALSE(Prefix::parse(bad)) << bad;
}

TEST(Packet, EveryDatagramToPort4500IsClassified) {
  for (const auto& vector : test::vectors("udp4500_handmade")) {
    SCOPED_TRACE(vector.at("name").get<std::string>());
    const std::vector<std::uint8_t> packet = test::octets(vector.at("packet"));
    IpHeader ip;
    ASSERT_EQ(parse_ip(packet, static_cast<std::uint32_t>(packet.size()), ip), Drop::none);
    ASSERT_EQ(ip.protocol, kProtocolUdp);
    const std::span<const std::uint8_t> udp(packet.data() + ip.header_length,
                                            ip.length - ip.header_length);
    const Datagram got = classify_udp_4500(udp, ip.length - ip.header_length);
    const std::string want = vector.at("expect");
    EXPECT_EQ(got, want == "esp"         ? Datagram::esp
                   : want == "ike"       ? Datagram::ike
                   : want == "keepalive" ? Datagram::keepalive
                                         : Datagram::malformed);
  }
}

TEST(Packet, EspAndAhGoWhereLinuxPutsThem) {
  unsigned checked = 0;
  for (const char* file : {"linux_esp_ipv4_options", "linux_esp_ipv6_extension",
                           "linux_ah_ipv4_options", "linux_ah_ipv6_extension", "linux_ah"})
    for (const auto& vector : test::vectors(file)) {
      if (vector.at("mode") != "transport") continue;
      SCOPED_TRACE(std::string(file) + " " + vector.at("id").get<std::string>());
      const auto clear = test::octets(vector.at("plaintext_packet"));
      const auto sealed = test::octets(vector.at("expected_packet"));
      IpHeader before, after;
      ASSERT_EQ(parse_ip(clear, static_cast<std::uint32_t>(clear.size()), before), Drop::none);
      ASSERT_EQ(parse_ip(sealed, static_cast<std::uint32_t>(sealed.size()), after), Drop::none);
      EXPECT_EQ(before.header_length, after.header_length);
      EXPECT_EQ(after.protocol, vector.at("protocol") == "esp" ? kProtocolEsp : kProtocolAh);
      ++checked;
    }
  EXPECT_GT(checked, 100u);
}

TEST(Packet, NoHeaderIsReadPastItsEnd) {
  // Every truncation of real packets, and random octets, each in an allocation of its own size so
  // that a sanitizer sees a read past it.
  std::mt19937 random(7);
  for (const char* file : {"linux_esp_ipv6_extension", "linux_ah_ipv4_options"})
    for (const auto& vector : test::vectors(file)) {
      const auto packet = test::octets(vector.at("expected_packet"));
      for (std::size_t n = 0; n < std::min<std::size_t>(packet.size(), 120); ++n) {
        std::vector<std::uint8_t> cut(packet.begin(), packet.begin() + static_cast<long>(n));
        cut.shrink_to_fit();
        IpHeader ip;
        EXPECT_EQ(parse_ip(cut, static_cast<std::uint32_t>(n), ip), Drop::malformed_ip)
            << "truncated to " << n;
      }
    }
  for (int i = 0; i < 20000; ++i) {
    std::vector<std::uint8_t> noise(random() % 96);
    for (auto& octet : noise) octet = static_cast<std::uint8_t>(random());
    if (!noise.empty()) noise[0] = static_cast<std::uint8_t>(random() % 2 ? 0x45 : 0x60);
    IpHeader ip;
    if (parse_ip(noise, static_cast<std::uint32_t>(noise.size()), ip) == Drop::none) {
      EXPECT_LE(ip.header_length, ip.length);
      EXPECT_LE(ip.length, noise.size());
    }
  }
}

std::uint16_t transport_checksum(std::span<const std::uint8_t> packet) {
  IpHeader ip;
  EXPECT_EQ(parse_ip(packet, static_cast<std::uint32_t>(packet.size()), ip), Drop::none);
  const unsigned n = ip.family == Family::ipv4 ? 4 : 16;
  std::uint32_t sum = checksum_add({ip.source, n}, ip.protocol + ip.length - ip.header_length);
  sum = checksum_add({ip.destination, n}, sum);
  return checksum_fold(
      checksum_add(packet.subspan(ip.header_length, ip.length - ip.header_length), sum));
}

TEST(Checksum, ANatTranslationIsMadeGood) {
  for (const auto& vector : test::vectors("nat_checksum_fixups")) {
    SCOPED_TRACE(vector.at("name").get<std::string>());
    const auto want = test::octets(vector.at("delivered_packet"));
    const Address source = *Address::parse(vector.at("sa").at("original_source"));
    const Address destination = *Address::parse(vector.at("sa").at("original_destination"));
    // What came out of ESP: the checksum as the sender computed it over its own addresses.
    IpHeader ip;
    ASSERT_EQ(parse_ip(want, static_cast<std::uint32_t>(want.size()), ip), Drop::none);
    std::vector<std::uint8_t> sent = want;
    const std::uint32_t field = ip.header_length + (ip.protocol == 6 ? 16 : 6);
    if (ip.protocol == kProtocolUdp && load_be16(want.data() + field) == 0) {
      fix_nat_checksum(sent, source, destination);
      EXPECT_EQ(sent, want) << "a UDP checksum of zero stays zero";
      continue;
    }
    std::copy_n(source.octets.begin(), 4, sent.begin() + 12);
    std::copy_n(destination.octets.begin(), 4, sent.begin() + 16);
    store_be16(sent.data() + field, 0);
    std::uint16_t original = static_cast<std::uint16_t>(~transport_checksum(sent));
    if (ip.protocol == kProtocolUdp && original == 0) original = 0xffff;
    std::vector<std::uint8_t> opened = want;
    store_be16(opened.data() + field, original);
    fix_nat_checksum(opened, source, destination);
    EXPECT_EQ(transport_checksum(opened), 0xffff);
    EXPECT_EQ(opened, want);
  }
}

}  // namespace
}  // namespace espalier

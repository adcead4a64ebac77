// SPDX-License-Identifier: BSD-2-Clause-Patent
// The packet vectors, straight through the device: what a kernel and the RFCs put on the wire.
#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <fstream>
#include <map>
#include <nlohmann/json.hpp>
#include <optional>

#include "../one_job.hpp"
#include "tested.hpp"

namespace espalier::driver::test {
namespace {

using Json = nlohmann::json;
using spec::Cipher;
using spec::Integrity;

Json load(const std::string& name) {
  std::ifstream file("tests/vectors/packets/" + name + ".json");
  EXPECT_TRUE(file) << name;
  return Json::parse(file).at("vectors");
}

Bytes hex(const Json& v, const char* key) {
  return from_hex(v.value(key, std::string()));
}

/// The vector's SA; empty if its suite is one that is not offered (legacy, or no integrity).
std::optional<SaParameters> sa_of(const Json& v, Direction direction) {
  static const std::map<std::string, Cipher> kCiphers = {
      {"null", Cipher::null},
      {"aes-cbc", Cipher::aes_cbc},
      {"aes-ctr", Cipher::aes_ctr},
      {"aes-gcm", Cipher::aes_gcm},
      {"aes-ccm", Cipher::aes_ccm},
      {"aes-gmac", Cipher::aes_gmac},
      {"chacha20-poly1305", Cipher::chacha20_poly1305}};
  static const std::map<std::string, Integrity> kIntegrities = {
      {"none", Integrity::none},
      {"hmac-sha1", Integrity::hmac_sha1},
      {"hmac-sha256", Integrity::hmac_sha256},
      {"hmac-sha384", Integrity::hmac_sha384},
      {"hmac-sha512", Integrity::hmac_sha512},
      {"aes-xcbc", Integrity::aes_xcbc},
      {"aes-cmac", Integrity::aes_cmac},
      {"aes-gmac", Integrity::aes_gmac}};
  const auto cipher = kCiphers.find(v.value("cipher", std::string("null")));
  const auto integrity = kIntegrities.find(v.at("integrity").get<std::string>());
  if (cipher == kCiphers.end() || integrity == kIntegrities.end()) return std::nullopt;
  SaParameters sa;
  sa.direction = direction;
  sa.protocol = v.at("protocol") == "ah" ? Protocol::ah : Protocol::esp;
  sa.mode = v.at("mode") == "tunnel" ? Mode::tunnel : Mode::transport;
  sa.outer = v.value("outer_ip", 4) == 6 ? Family::ipv6 : Family::ipv4;
  sa.esn = v.at("esn");
  sa.implicit_iv = v.value("kind", std::string()) == "implicit-iv";
  sa.udp_encapsulation = v.value("nat_t", false);
  sa.spi = v.at("spi");
  if (sa.spi < 256) return std::nullopt;  // reserved; one draft test case and some tampered ones
  sa.cipher = cipher->second;
  sa.integrity = integrity->second;
  sa.icv_length = v.at("icv_len");
  sa.cipher_key.assign(hex(v, "cipher_key"));
  sa.integrity_key.assign(hex(v, "integrity_key"));
  const Bytes salt = hex(v, "salt");
  std::copy(salt.begin(), salt.end(), sa.salt.begin());
  sa.ah_align8 = sa.protocol == Protocol::ah;  // as Linux pads
  return suite_of(sa) ? std::optional(sa) : std::nullopt;
}

/// Octets before ESP or AH, by a walk of the test's own; nothing if there is none.
std::optional<std::size_t> protected_at(const Bytes& packet, bool udp) {
  if (packet.empty()) return std::nullopt;
  if (packet[0] >> 4 == 4) return 4u * (packet[0] & 15) + (udp ? 8 : 0);
  std::size_t at = 40;
  std::uint8_t next = packet.at(6);
  while (next == 0 || next == 43 || next == 44 || next == 60) {
    if (at + 8 > packet.size()) return std::nullopt;
    next = packet[at];
    at += 8u * (packet[at + 1] + 1u);
  }
  return at + (udp ? 8 : 0);
}

/// Takes the outer header's free choices from the packet a kernel sent.
void copy_outer(const Bytes& packet, SaParameters& sa, Job& job) {
  const bool v4 = packet[0] >> 4 == 4;
  Endpoints ends;
  ends.family = v4 ? Family::ipv4 : Family::ipv6;
  const std::size_t address = v4 ? 4 : 16, at = v4 ? 12 : 8, ip = v4 ? 20 : 40;
  std::copy_n(packet.begin() + at, address, ends.source.begin());
  std::copy_n(packet.begin() + at + address, address, ends.destination.begin());
  if (sa.udp_encapsulation) {
    const std::size_t udp = sa.mode == Mode::tunnel ? ip : *protected_at(packet, false);
    ends.source_port = static_cast<std::uint16_t>(packet[udp] << 8 | packet[udp + 1]);
    ends.destination_port = static_cast<std::uint16_t>(packet[udp + 2] << 8 | packet[udp + 3]);
  }
  set_header_template(ends, sa);
  if (v4) {
    job.tos = packet[1];
    job.identity = static_cast<std::uint32_t>(packet[4] << 8 | packet[5]);
    job.dont_fragment = (packet[6] & 0x40) != 0;
    job.ttl = packet[8];
  } else {
    job.tos = static_cast<std::uint8_t>(packet[0] << 4 | packet[1] >> 4);
    job.identity = static_cast<std::uint32_t>((packet[1] & 15) << 16 | packet[2] << 8 | packet[3]);
    job.ttl = packet[7];
  }
}

/// Puts an IPv4 header before what a vector begins at the SPI.
Bytes wrapped(const Bytes& payload, std::uint8_t protocol) {
  Bytes out = from_hex("4500000000004000400000000a0200020a020001");
  const std::size_t total = payload.size() + out.size();
  out[2] = static_cast<std::uint8_t>(total >> 8);
  out[3] = static_cast<std::uint8_t>(total);
  out[9] = protocol;
  unsigned sum = 0;
  for (unsigned i = 0; i < 20; i += 2) sum += static_cast<unsigned>(out[i] << 8 | out[i + 1]);
  sum = (sum & 0xffff) + (sum >> 16);
  sum = ~((sum & 0xffff) + (sum >> 16));
  out[10] = static_cast<std::uint8_t>(sum >> 8);
  out[11] = static_cast<std::uint8_t>(sum);
  out.insert(out.end(), payload.begin(), payload.end());
  return out;
}

/// Linux leaves old octets in the padding behind AH's ICV, as RFC 4302 2.6 lets it; such a packet
/// can be opened, but not made again.
bool padded_with_garbage(const SaParameters& sa, const Bytes& packet, std::size_t at) {
  if (sa.protocol != Protocol::ah) return false;
  const auto begin = packet.begin() + static_cast<std::ptrdiff_t>(at) + 12 + sa.icv_length;
  const auto end = packet.begin() + static_cast<std::ptrdiff_t>(at + ah_length(sa));
  return std::any_of(begin, end, [](std::uint8_t octet) { return octet != 0; });
}

class Vectors : public ::testing::Test {
 protected:
  std::unique_ptr<Device> device_ = make_tested({.queues = 1, .queue_depth = 4, .slots = 4});
  unsigned checked_ = 0;

  Outcome once(const SaParameters& sa, Job job, const Bytes& source) {
    job.direction = sa.direction;
    job.slot = Slot{1};
    job.generation = Generation{7};
    EXPECT_EQ(install(*device_, job.slot, job.generation, sa), Status::ok) << check(sa);
    Outcome outcome = run(*device_, job, source);
    remove(*device_, job.slot);
    return outcome;
  }

  void check_pair(const Json& v) {
    SCOPED_TRACE(v.at("id").get<std::string>());
    auto sealer = sa_of(v, Direction::seal), opener = sa_of(v, Direction::open);
    if (!sealer) return;
    const bool bare = v.at("framing") == "esp";
    const auto next = v.at("next_header").get<std::uint8_t>();
    Bytes clear = hex(v, "plaintext_packet"), sealed = hex(v, "expected_packet");
    if (bare) {
      sealed = wrapped(sealed, 50);
      if (sealer->mode == Mode::transport) clear = wrapped(clear, next);
    }
    Job job;
    job.sequence_number = v.at("seq");
    const Bytes iv = hex(v, "iv");
    std::copy(iv.begin(), iv.end(), job.iv.begin());
    const Bytes trailer = hex(v, "esp_trailer");
    job.pad_length = trailer.empty() ? 0 : trailer[trailer.size() - 2];
    copy_outer(sealed, *sealer, job);
    const std::size_t at = *protected_at(sealed, sealer->udp_encapsulation);
    if (sealer->mode == Mode::transport) {
      job.header_length = static_cast<std::uint16_t>(at - (sealer->udp_encapsulation ? 8 : 0));
    }
    const Outcome out = once(*sealer, job, clear);
    EXPECT_EQ(out.status, Status::ok);
    if (!padded_with_garbage(*sealer, sealed, at)) {
      EXPECT_EQ(to_hex(out.packet), to_hex(sealed));
    }

    job.header_length = static_cast<std::uint16_t>(at);
    const Outcome back = once(*opener, job, sealed);
    EXPECT_EQ(back.status, Status::ok);
    EXPECT_EQ(to_hex(back.packet), to_hex(clear));
    EXPECT_EQ(back.next_header, next);
    ++checked_;
  }

  void check_pairs(const std::string& file, unsigned at_least) {
    for (const Json& v : load(file)) check_pair(v);
    EXPECT_GE(checked_, at_least) << "vectors of " << file << " were left out";
  }

  /// What a receiver's device says of a packet whose number was inferred as `sequence`'s high half.
  Outcome receive(const Json& v, const char* packet_key) {
    const Json& s = v.at("sa");
    const SaParameters sa = sa_of(s, Direction::open).value();
    Bytes packet = hex(v, packet_key);
    Job job;
    const auto at = protected_at(packet, false);
    if (!at) return {};
    job.header_length = static_cast<std::uint16_t>(*at);
    job.sequence_number = v.at("sequence").get<std::uint64_t>();
    const std::size_t number = *at + (sa.protocol == Protocol::ah ? 8 : 4);
    if (number + 4 <= packet.size()) {
      job.sequence_number &= ~0xffffffffull;
      for (unsigned i = 0; i < 4; ++i)
        job.sequence_number |= std::uint64_t{packet[number + i]} << (24 - 8 * i);
    }
    return once(sa, job, packet);
  }

  void check_tampered(const std::string& file);
};

TEST_F(Vectors, EspMatrix) {
  check_pairs("linux_esp_matrix", 1086);
}
TEST_F(Vectors, EspLengthSweep) {
  check_pairs("linux_esp_length_sweep", 437);
}
TEST_F(Vectors, EspNatTraversal) {
  check_pairs("linux_esp_nat_traversal", 128);
}
TEST_F(Vectors, EspOuterHeader) {
  check_pairs("linux_esp_outer_header", 48);
}
TEST_F(Vectors, EspLarge) {
  check_pairs("linux_esp_large", 7);
}
TEST_F(Vectors, EspIpv4Options) {
  check_pairs("linux_esp_ipv4_options", 48);
}
TEST_F(Vectors, EspIpv6Extension) {
  check_pairs("linux_esp_ipv6_extension", 48);
}
TEST_F(Vectors, Ah) {
  check_pairs("linux_ah", 144);
}
TEST_F(Vectors, AhIpv4Options) {
  check_pairs("linux_ah_ipv4_options", 54);
}
TEST_F(Vectors, AhIpv6Extension) {
  check_pairs("linux_ah_ipv6_extension", 42);
}
TEST_F(Vectors, Rfc4106AndRfc4543) {
  check_pairs("rfc4106_rfc4543_draft_test_cases", 9);
}
TEST_F(Vectors, Rfc7634) {
  check_pairs("rfc7634_chacha20_poly1305_packet", 1);
}
TEST_F(Vectors, Rfc8750) {
  check_pairs("rfc8750_implicit_iv", 40);
}

TEST_F(Vectors, EcnAtTunnelEgress) {  // RFC 6040 4.2
  for (const Json& v : load("ecn_decapsulation")) {
    SCOPED_TRACE(v.at("id").get<std::string>());
    const Outcome out = receive(v, "packet");
    if (v.at("expect_ecn") == "drop") {
      EXPECT_EQ(out.status, Status::congested);
      continue;
    }
    ASSERT_EQ(out.status, Status::ok);
    const unsigned ecn = out.packet[0] >> 4 == 4 ? out.packet[1] & 3u : out.packet[1] >> 4 & 3u;
    EXPECT_EQ(ecn, v.at("expect_ecn").get<unsigned>());
    EXPECT_EQ(to_hex(out.packet), v.at("inner_packet").get<std::string>());
  }
}

/// The device's part of the verdicts; numbers and selectors are judged above it.
void Vectors::check_tampered(const std::string& file) {
  static const std::map<std::string, std::vector<Status>> kStatuses = {
      {"icv", {Status::icv_mismatch, Status::bad_length}},
      {"length", {Status::bad_length, Status::bad_header, Status::icv_mismatch}},
      {"no-sa", {Status::spi_mismatch}},
      {"padding", {Status::bad_padding}},
      {"inner", {Status::bad_inner}},
      {"fragment", {Status::fragment}},
      {"dummy", {Status::dummy}}};
  for (const Json& v : load(file)) {
    SCOPED_TRACE(v.at("id").get<std::string>() + " " + v.at("name").get<std::string>());
    const Outcome out = receive(v, "packet");
    const std::string reason = v.at("reason");
    if (v.at("expect") == "accept") {
      EXPECT_EQ(out.status, Status::ok);
      EXPECT_EQ(to_hex(out.packet), v.at("inner_packet").get<std::string>());
    } else if (const auto expected = kStatuses.find(reason); expected != kStatuses.end()) {
      EXPECT_THAT(expected->second, ::testing::Contains(out.status));
      EXPECT_TRUE(out.packet.empty());
    } else {
      EXPECT_TRUE(reason == "selector" || reason == "replay") << reason;
    }
  }
}

TEST_F(Vectors, InboundTamperedEsp) {
  check_tampered("inbound_tampered_esp");
}
TEST_F(Vectors, InboundTamperedAh) {
  check_tampered("inbound_tampered_ah");
}

}  // namespace
}  // namespace espalier::driver::test

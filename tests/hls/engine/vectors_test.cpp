// SPDX-License-Identifier: BSD-2-Clause-Patent
// Packets that others made: every AES-GCM tunnel vector over IPv4 of tests/vectors/packets.
#include <gtest/gtest.h>

#include <fstream>
#include <nlohmann/json.hpp>
#include <set>

#include "card.h"

namespace espalier::test {
namespace {

using nlohmann::json;
using spec::Status;

json vectors_of(const std::string& name) {
  std::ifstream file("tests/vectors/packets/" + name + ".json");
  if (!file) throw std::runtime_error("run in the source directory: no tests/vectors/packets");
  return json::parse(file).at("vectors");
}

Bytes octets(const std::string& hex) {
  Bytes bytes;
  for (std::size_t i = 0; i + 1 < hex.size(); i += 2) {
    bytes.push_back(static_cast<std::uint8_t>(std::stoul(hex.substr(i, 2), nullptr, 16)));
  }
  return bytes;
}

bool is_ours(const json& sa) {
  return sa.at("protocol") == "esp" && sa.at("cipher") == "aes-gcm" && sa.at("mode") == "tunnel" &&
         sa.at("outer_ip") == 4 && !sa.value("nat_t", false);
}

/// The tunnel of a vector; end points as in the packet.
Tunnel tunnel_of(const json& sa, const Bytes& wire) {
  Tunnel t;
  t.gcm.key = octets(sa.at("cipher_key"));
  const Bytes salt = octets(sa.at("salt"));
  std::copy(salt.begin(), salt.end(), t.gcm.salt.begin());
  t.spi = sa.at("spi");
  t.icv_length = sa.at("icv_len");
  t.esn = sa.at("esn");
  std::copy_n(wire.begin() + 12, 4, t.source.begin());
  std::copy_n(wire.begin() + 16, 4, t.destination.begin());
  return t;
}

/// What the sender had chosen, read from the packet.
Sealing sealing_of(const json& vector, const Bytes& wire) {
  Sealing s;
  s.sequence = vector.at("seq");
  s.iv = octets(vector.at("iv"));
  s.pad_length = vector.at("pad_len");
  s.tos = wire[1];
  s.identity = static_cast<std::uint16_t>(wire[4] << 8 | wire[5]);
  s.dont_fragment = wire[6] & 0x40;
  s.ttl = wire[8];
  return s;
}

Answer answer(Card& card, const spec::SaRecord& record, const spec::Descriptor& descriptor,
              const Bytes& source) {
  card.install(descriptor.slot, record);
  card.submit(descriptor, source);
  card.run();
  EXPECT_EQ(card.take().status, Status::ok);
  return card.take();
}

TEST(Vectors, PairsBothWays) {
  Card card;
  unsigned checked = 0;
  for (const char* name : {"linux_esp_matrix", "linux_esp_length_sweep", "linux_esp_large",
                           "linux_esp_outer_header", "linux_esp_ipv4_options"}) {
    for (const json& vector : vectors_of(name)) {
      if (!is_ours(vector)) continue;
      const Bytes wire = octets(vector.at("expected_packet"));
      const Bytes clear = octets(vector.at("plaintext_packet"));
      const Tunnel tunnel = tunnel_of(vector, wire);
      const Sealing s = sealing_of(vector, wire);
      const Answer sealed =
          answer(card, record_of(tunnel, true, 1), seal_job(s, clear.size(), 1, 1), clear);
      EXPECT_EQ(sealed.data, wire) << vector.at("id");
      const Answer opened =
          answer(card, record_of(tunnel, false, 1), open_job(s.sequence, wire.size(), 2, 1), wire);
      EXPECT_EQ(opened.data, clear) << vector.at("id");
      ++checked;
    }
  }
  EXPECT_EQ(checked, 180u);
}

/// The number a receiver infers: low half from the packet (RFC 4303 appendix A).
std::uint64_t inferred(std::uint64_t sequence, const Bytes& wire) {
  const std::size_t at = 4 * (wire[0] & 15u) + 4;
  std::uint64_t low = 0;
  for (std::size_t i = at; i < at + 4 && at + 4 <= wire.size(); ++i) low = low << 8 | wire[i];
  return sequence >> 32 << 32 | low;
}

/// The statuses with which the card may answer a packet that is to be refused for `reason`;
/// selectors and replay are the host's.
std::set<Status> refusals(const std::string& reason) {
  if (reason == "icv") return {Status::icv_mismatch, Status::bad_length};
  if (reason == "length") return {Status::bad_length};
  if (reason == "no-sa") return {Status::spi_mismatch};
  if (reason == "inner") return {Status::bad_inner};
  if (reason == "padding") return {Status::bad_padding};
  if (reason == "selector") return {Status::ok, Status::bad_next_header};
  if (reason == "dummy") return {Status::dummy};
  if (reason == "replay") return {Status::ok};
  if (reason == "fragment") return {Status::fragment};
  return {};
}

TEST(Vectors, TamperedPackets) {
  Card card;
  unsigned checked = 0;
  for (const json& vector : vectors_of("inbound_tampered_esp")) {
    if (!is_ours(vector.at("sa"))) continue;
    const Bytes wire = octets(vector.at("packet"));
    const Answer a = answer(
        card, record_of(tunnel_of(vector.at("sa"), wire), false, 1),
        open_job(inferred(vector.at("sequence"), wire), wire.size(), 2, 1, wire[0] & 15), wire);
    if (vector.at("expect") == "accept") {
      EXPECT_EQ(a.status, Status::ok) << vector.at("id") << vector.at("name");
      EXPECT_EQ(a.data, octets(vector.at("inner_packet"))) << vector.at("id");
    } else {
      EXPECT_EQ(refusals(vector.at("reason")).count(a.status), 1u)
          << vector.at("id") << vector.at("name") << ": " << spec::info(a.status).name;
    }
    ++checked;
  }
  EXPECT_GT(checked, 200u);
}

}  // namespace
}  // namespace espalier::test

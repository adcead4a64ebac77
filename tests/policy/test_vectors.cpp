// SPDX-License-Identifier: BSD-2-Clause-Patent
// The recorded vectors that concern the boundary, through it.
#include "../host/vector_file.hpp"
#include "cli/vectors/vector_sa.hpp"
#include "fixture.hpp"

namespace espalier {
namespace {

using namespace test;
using nlohmann::json;

/// The SA of a vector; the packet says where it runs.
SaConfig sa_of(const json& sa, const Bytes& packet) {
  SaConfig config;
  EXPECT_EQ(cli::read_sa(sa, config.transform), "");
  config.transform.direction = driver::Direction::open;
  cli::Outer outer;
  EXPECT_TRUE(cli::read_outer(packet, config.transform.udp_encapsulation, outer));
  config.ends = outer.ends;
  config.transform.outer = outer.ip.family;
  return config;
}

/// What becomes of a packet, with its SA in a set that everything inbound is to come through.
Got receive(const json& vector, const SaRole& role) {
  Host host;
  host.open();
  const Bytes packet = test::octets(vector.at("packet"));
  const SetHandle set = host.add_set();
  host.add_sa(set, sa_of(vector.at("sa"), packet), role);
  host.add(Way::in, Action::protect, set);
  const Got got = host.in1(packet);
  host.expect_balance();
  return got;
}

TEST(BoundaryVectors, EcnAtTunnelEgress) {
  unsigned run = 0;
  for (const json& vector : vectors("ecn_decapsulation")) {
    SCOPED_TRACE(std::string(vector.at("id")));
    SaRole role;
    role.selector.emplace();
    role.selector->remote = {
        *AddressRange::parse(vector.at("sa").at("selector_src").get<std::string>())};
    role.selector->local = {
        *AddressRange::parse(vector.at("sa").at("selector_dst").get<std::string>())};
    const Got got = receive(vector, role);
    if (vector.at("expect_ecn") == "drop") {
      EXPECT_EQ(got.drop, Drop::congested);
    } else {
      EXPECT_EQ(got.verdict, Verdict::opened);
      EXPECT_EQ(got.packet, test::octets(vector.at("inner_packet")));
    }
    ++run;
  }
  EXPECT_EQ(run, 43u);
}

TEST(BoundaryVectors, ChecksumsBehindANat) {
  unsigned run = 0;
  for (const json& vector : vectors("nat_checksum_fixups")) {
    SCOPED_TRACE(std::string(vector.at("id")));
    SaRole role;
    role.original_source = address(vector.at("sa").at("original_source"));
    role.original_destination = address(vector.at("sa").at("original_destination"));
    const Got got = receive(vector, role);
    EXPECT_EQ(got.verdict, Verdict::opened);
    EXPECT_EQ(got.packet, test::octets(vector.at("delivered_packet")));
    ++run;
  }
  EXPECT_EQ(run, 12u);
}

TEST(BoundaryVectors, DatagramsToPort4500) {
  Host host;
  host.open();
  unsigned run = 0;
  for (const json& vector : vectors("udp4500_handmade")) {
    SCOPED_TRACE(std::string(vector.at("name")));
    const Got got = host.in1(test::octets(vector.at("packet")));
    const std::string expect = vector.at("expect");
    if (expect == "ike") {
      EXPECT_EQ(got.verdict, Verdict::ike);
    } else {
      EXPECT_EQ(got.verdict, Verdict::discarded);
      EXPECT_EQ(got.drop, expect == "keepalive" ? Drop::nat_keepalive
                          : expect == "esp"     ? Drop::no_sa
                                                : Drop::bad_length);
    }
    ++run;
  }
  EXPECT_EQ(run, 20u);
  host.expect_balance();
}

}  // namespace
}  // namespace espalier

// SPDX-License-Identifier: BSD-2-Clause-Patent
// NAT traversal, and what the boundary sends of itself.
#include <set>

#include "fixture.hpp"

namespace espalier {
namespace {

using namespace test;

constexpr const char* kHere = "10.1.0.1";
constexpr const char* kThere = "10.2.0.1";

class Nat : public TwoHosts {
 protected:
  void open_nat(const SaRole& role = {}, driver::Mode mode = driver::Mode::tunnel) {
    open(role, "aes256gcm16", mode, true);
    settle();
  }
  Time at(double s) {
    const Time now{static_cast<Time::rep>((100 + s) * 1e9)};
    b.boundary->tick(now);
    return a.boundary->tick(now);
  }
  /// The clock begins; what is due since its zero is thrown away.
  void settle() {
    at(0);
    a.poll();
    b.poll();
  }
  /// What is sent without being asked for.
  static std::vector<Bytes> spontaneous(Host& host) {
    std::vector<Bytes> all;
    for (Got& g : host.poll()) {
      EXPECT_EQ(g.verdict, Verdict::generated);
      all.push_back(std::move(g.packet));
    }
    return all;
  }
  /// The packet as it looks behind a NAT that changed its source.
  static Bytes translated(Bytes p, const std::string& source, std::uint16_t port) {
    const Address from = address(source);
    std::copy_n(from.octets.begin(), 4, p.begin() + 12);
    store_be16(p.data() + 20, port);
    return with(std::move(p), 8, 63);
  }
  static std::vector<BoundaryEvent> mappings(Host& host) {
    std::vector<BoundaryEvent> out;
    for (const BoundaryEvent& e : host.events())
      if (e.kind == BoundaryEventKind::mapping_changed) out.push_back(e);
    return out;
  }
};

TEST_F(Nat, KeepalivesAreSentInSilenceAlone) {
  SaRole role;
  role.keepalive_interval = std::chrono::seconds(20);
  open_nat(role);
  at(19);
  EXPECT_TRUE(spontaneous(a).empty());
  EXPECT_LE(at(19), Time{120'000'000'000}) << "when it wants to be called";
  at(20);
  const auto sent = spontaneous(a);
  ASSERT_EQ(sent.size(), 1u);
  ASSERT_EQ(sent[0].size(), 29u);
  EXPECT_TRUE(header_sum_ok(sent[0]));
  EXPECT_EQ(load_be16(sent[0].data() + 20), 4500);
  EXPECT_EQ(load_be16(sent[0].data() + 22), 4500);
  EXPECT_EQ(sent[0][28], 0xff);
  const Got got = b.in1(sent[0]);
  EXPECT_EQ(got.drop, Drop::nat_keepalive);
  EXPECT_TRUE(b.events().empty()) << "no error";
  at(39);
  EXPECT_TRUE(spontaneous(a).empty());
  a.out(udp(kHere, kThere, 10));
  at(45);
  EXPECT_TRUE(spontaneous(a).empty()) << "a packet was sent at 39";
  at(60);
  EXPECT_EQ(spontaneous(a).size(), 1u);
  EXPECT_TRUE(a.boundary->remove_sa(at_a.out));
  at(100);
  EXPECT_TRUE(spontaneous(a).empty());
  a.expect_balance();
}

TEST_F(Nat, DummiesAreSentAndDiscardedOnTheOtherSide) {
  SaRole role;
  role.dummy_interval = std::chrono::seconds(5);
  role.dummy_octets = 333;
  open(role);
  settle();
  at(4);
  EXPECT_TRUE(spontaneous(a).empty());
  at(5);
  auto sent = spontaneous(a);
  ASSERT_EQ(sent.size(), 1u);
  EXPECT_GT(sent[0].size(), 333u);
  EXPECT_EQ(b.in1(sent[0]).drop, Drop::dummy);
  EXPECT_EQ(b.in1(sent[0]).drop, Drop::replayed) << "it has a number of its own";
  EXPECT_TRUE(a.boundary->send_dummy(at_a.out));
  EXPECT_FALSE(a.boundary->send_dummy(at_a.in));
  sent = spontaneous(a);
  ASSERT_EQ(sent.size(), 1u);
  EXPECT_EQ(b.in1(sent[0]).drop, Drop::dummy);
  EXPECT_EQ(carry(a, b, udp(kHere, kThere, 10)).at(0).number, 4u);
}

TEST_F(Nat, TfcPaddingHidesLengthsWithinTheMtu) {
  SaRole role;
  role.tfc_multiple = 512;
  role.path_mtu = 1500;
  open(role);
  std::set<std::size_t> lengths;
  for (std::size_t payload = 0; payload < 1400; payload += 50) {
    const Bytes packet = udp(kHere, kThere, payload);
    const Got got = a.out1(packet);
    ASSERT_EQ(got.verdict, Verdict::sealed);
    lengths.insert(got.packet.size());
    EXPECT_LE(got.packet.size(), 1500u);
    EXPECT_EQ(b.in1(got.packet).packet, packet);
  }
  EXPECT_EQ(lengths.size(), 3u) << "512, 1,024, and as much as fits";
}

TEST_F(Nat, AnotherMappingIsToldOnceItIsAuthentic) {
  open_nat();
  EXPECT_EQ(b.in1(a.out1(udp(kHere, kThere, 10)).packet).verdict, Verdict::opened);
  EXPECT_TRUE(mappings(b).empty());
  Bytes forged = translated(a.out1(udp(kHere, kThere, 10)).packet, "198.51.100.7", 40000);
  forged.back() ^= 1;
  EXPECT_EQ(b.in1(forged).drop, Drop::icv_mismatch);
  EXPECT_TRUE(mappings(b).empty());
  for (int i = 0; i < 3; ++i)
    b.in(translated(a.out1(udp(kHere, kThere, 10)).packet, "198.51.100.7", 40000));
  auto told = mappings(b);
  ASSERT_EQ(told.size(), 1u);
  EXPECT_EQ(told[0].remote.text(), "198.51.100.7");
  EXPECT_EQ(told[0].remote_port, 40000);
  EXPECT_EQ(told[0].sa, at_b.in);
  // b follows: what it seals now goes there, with numbers going on.
  EXPECT_EQ(b.out1(udp(kThere, kHere, 10)).number, 1u);
  SaUpdate update;
  update.ends = sa_config(1, kB, "198.51.100.7").ends;
  update.ends->destination_port = 40000;
  ASSERT_EQ(b.boundary->update_sa(at_b.out, update), "");
  Got got = b.out1(udp(kThere, kHere, 10));
  EXPECT_EQ(got.number, 2u);
  EXPECT_EQ(got.sa, at_b.out);
  EXPECT_EQ(load_be16(got.packet.data() + 22), 40000);
  EXPECT_EQ(load_be32(got.packet.data() + 16), 0xc6336407u);
  store_be16(got.packet.data() + 22, 4500);  // as the NAT has it
  EXPECT_EQ(a.in1(got.packet).verdict, Verdict::opened);
  // And back again.
  b.in(a.out1(udp(kHere, kThere, 10)).packet);
  EXPECT_EQ(mappings(b).size(), 1u);
  EXPECT_NE(b.boundary->update_sa(SaHandle(99), update), "");
}

TEST_F(Nat, UpdatesTakeThePathMtuAlong) {
  SaRole role;
  role.path_mtu = 1400;
  open(role, "aes256gcm16", driver::Mode::tunnel, false);
  SaUpdate on;
  on.udp_encapsulation = true;
  ASSERT_EQ(a.boundary->update_sa(at_a.out, on), "");
  ASSERT_EQ(b.boundary->update_sa(at_b.in, on), "");
  for (std::size_t payload = 1250; payload < 1400; ++payload) {
    const auto pieces = a.out(udp(kHere, kThere, payload));
    for (const Got& g : pieces) {
      ASSERT_EQ(g.verdict, Verdict::sealed);
      ASSERT_LE(g.packet.size(), 1400u) << "8 octets of UDP are counted";
      EXPECT_EQ(g.packet[9], kProtocolUdp);
      EXPECT_EQ(b.in1(g.packet).verdict, Verdict::opened);
    }
  }
}

TEST_F(Nat, ClientsBehindOneNatDoNotTakeEachOthersPackets) {
  a.open();
  const SetHandle set = a.add_set();
  SaConfig one = sa_config(0x1001, kA, kB, "aes256gcm16", driver::Mode::transport, true);
  one.ends.destination_port = 30001;
  SaConfig two = one, rekeyed = one;
  two.transform.spi = 0x1002;
  two.ends.destination_port = 30002;
  rekeyed.transform.spi = 0x1003;
  a.add_sa(set, one);
  const auto refused = a.boundary->add_sa(set, two);
  ASSERT_FALSE(refused);
  EXPECT_NE(refused.error().find("NAT"), std::string::npos);
  EXPECT_TRUE(a.boundary->add_sa(set, rekeyed)) << "the same client";
}

TEST_F(Nat, EncapsulationIsTheSasOrNone) {
  open({}, "aes256gcm16", driver::Mode::tunnel, false);
  const Bytes bare = a.out1(udp(kHere, kThere, 10)).packet;
  Bytes wrapped = udp(kA, kB, bare.size() - 20, 4500, 4500);
  std::copy(bare.begin() + 20, bare.end(), wrapped.begin() + 28);
  EXPECT_EQ(b.in1(wrapped).drop, Drop::no_sa);
  EXPECT_EQ(b.in1(bare).verdict, Verdict::opened);
}

}  // namespace
}  // namespace espalier

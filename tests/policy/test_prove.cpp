// SPDX-License-Identifier: BSD-2-Clause-Patent
// What prove() says of a flow is what happens to its packets.
#include "fixture.hpp"

namespace espalier::test {
namespace {

class Proof : public TwoHosts {
 protected:
  static FlowProof of(Host& host, Way way, const Bytes& packet, QueueId queue = kQueue) {
    auto proof = host.boundary->prove(way, packet, queue);
    EXPECT_TRUE(proof) << proof.error();
    return proof ? *proof : FlowProof{};
  }
  const Bytes packet = udp("10.1.0.1", "10.2.0.1", 100);
};

TEST_F(Proof, NamesPolicySaDeviceAndCountersOfAFlow) {
  SaRole role;
  role.path_mtu = 1400;
  open(role);
  FlowProof before = of(a, Way::out, packet);
  ASSERT_EQ(before.through.size(), 1u);
  EXPECT_EQ(before.through[0].counters.packets, 0u);
  EXPECT_EQ(before.through[0].counters.last_device, 0xff);
  const Got sealed = a.out1(packet);
  const FlowProof proof = of(a, Way::out, packet);
  EXPECT_EQ(proof.policy, sealed.policy);
  EXPECT_EQ(proof.action, Action::protect);
  EXPECT_EQ(proof.set, at_a.set);
  EXPECT_TRUE(proof.encrypted);
  ASSERT_EQ(proof.through.size(), 1u);
  const FlowProof::Through& sa = proof.through[0];
  EXPECT_EQ(sa.sa, sealed.sa);
  EXPECT_EQ(sa.is.suite, "aes256gcm16");
  EXPECT_EQ(sa.is.spi, 0x1001u);
  EXPECT_EQ(sa.is.destination.text(), kB);
  EXPECT_EQ(sa.counters.packets, 1u);
  EXPECT_EQ(sa.counters.number, sealed.number);
  EXPECT_EQ(sa.counters.last_device, 0);
  EXPECT_EQ(sa.path_mtu, 1400u);

  b.in1(sealed.packet);
  const FlowProof arrived = of(b, Way::in, packet);
  ASSERT_EQ(arrived.through.size(), 1u);
  EXPECT_EQ(arrived.through[0].sa, at_b.in);
  EXPECT_EQ(arrived.through[0].counters.packets, 1u);
}

TEST_F(Proof, FollowsARekeyAndSaysWhenNothingIsThere) {
  open();
  const SaHandle fresh = a.add_sa(at_a.set, sa_config(0x1111, kA, kB));
  EXPECT_EQ(of(a, Way::out, packet).through[0].sa, fresh);
  b.add_sa(at_b.set, received(sa_config(0x1111, kA, kB)));
  EXPECT_EQ(of(b, Way::in, packet).through.size(), 2u) << "old and new are welcome";
  for (const SaHandle sa : {fresh, at_a.out}) EXPECT_TRUE(a.boundary->remove_sa(sa));
  const FlowProof waiting = of(a, Way::out, packet);
  EXPECT_EQ(waiting.action, Action::protect);
  EXPECT_TRUE(waiting.through.empty());
  EXPECT_FALSE(waiting.encrypted);
  EXPECT_EQ(a.out1(packet).drop, Drop::no_sa_out);
}

TEST_F(Proof, IsHonestAboutWhatDoesNotEncrypt) {
  for (const auto& [suite, encrypts] :
       {std::pair{"null-sha256", false}, {"aes256gmac", false}, {"aes128-sha256", true}}) {
    open({}, suite);
    EXPECT_EQ(of(a, Way::out, packet).encrypted, encrypts) << suite;
  }
  Host host;
  host.open();
  EXPECT_EQ(of(host, Way::out, packet).policy, PolicyHandle::none);
  Selector to;
  to.remote = {*AddressRange::parse("10.2.0.0/16")};
  host.add(Way::out, Action::bypass, SetHandle::none, to);
  const FlowProof clear = of(host, Way::out, packet);
  EXPECT_EQ(clear.action, Action::bypass);
  EXPECT_FALSE(clear.encrypted);
}

TEST_F(Proof, ChoosesByQueueAndDscpAsPacketsDo) {
  ContextConfig two_queues;
  two_queues.queues = 2;
  a.open({}, two_queues);
  const SetHandle set = a.add_set();
  SaRole second, urgent;
  second.queues = 2;
  urgent.dscps = 1ull << 46;
  const SaHandle of_all = a.add_sa(set, sa_config(0x3000, kA, kB));
  const SaHandle of_second = a.add_sa(set, sa_config(0x3001, kA, kB), second);
  const SaHandle of_urgent = a.add_sa(set, sa_config(0x3002, kA, kB), urgent);
  a.add(Way::out, Action::protect, set);
  const Bytes expedited = with(packet, 1, 46 << 2);
  for (const auto& [p, queue, expected] : {std::tuple{packet, QueueId{0}, of_all},
                                           {packet, QueueId{1}, of_second},
                                           {expedited, QueueId{0}, of_urgent}}) {
    EXPECT_EQ(of(a, Way::out, p, queue).through[0].sa, expected);
    EXPECT_EQ(a.out1(p, queue).sa, expected);
  }
}

TEST_F(Proof, RefusesWhatItCannotAnswer) {
  open();
  const Bytes header(packet.begin(), packet.begin() + 24);
  EXPECT_TRUE(a.boundary->prove(Way::out, header, kQueue)) << "header and ports are enough";
  EXPECT_FALSE(a.boundary->prove(Way::out, std::span(header).first(23), kQueue));
  EXPECT_FALSE(a.boundary->prove(Way::out, std::span(header).first(19), kQueue));
  EXPECT_FALSE(a.boundary->prove(Way::out, {}, kQueue));
  EXPECT_FALSE(a.boundary->prove(Way::out, packet, QueueId{1}));
}

}  // namespace
}  // namespace espalier::test

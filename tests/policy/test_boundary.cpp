// SPDX-License-Identifier: BSD-2-Clause-Patent
// What the boundary does with a packet: RFC 4301 5.1 and 5.2.
#include <set>

#include "fixture.hpp"

namespace espalier {
namespace {

using namespace test;

class BoundaryOf : public TwoHosts {};

const char* kHere = "10.1.0.1";
const char* kThere = "10.2.0.1";

Selector to_port(std::uint16_t port) {
  Selector s;
  s.protocols = {{kProtocolUdp, kProtocolUdp}};
  s.remote_ports = ValueSet::one(port);
  return s;
}

TEST_F(BoundaryOf, EveryPacketIsDisposedOf) {
  a.open();
  EXPECT_EQ(a.out1(udp(kHere, kThere, 10)).drop, Drop::no_policy_out);
  EXPECT_EQ(a.in1(udp(kThere, kHere, 10)).drop, Drop::no_policy_in);
  const PolicyHandle bypass = a.add(Way::out, Action::bypass, SetHandle::none, to_port(53));
  const PolicyHandle discard = a.add(Way::out, Action::discard);
  a.add(Way::in, Action::discard);
  const Bytes question = udp(kHere, kThere, 10, 1000, 53);
  Got got = a.out1(question);
  EXPECT_EQ(got.verdict, Verdict::bypassed);
  EXPECT_EQ(got.policy, bypass);
  EXPECT_EQ(got.packet, question);
  got = a.out1(udp(kHere, kThere, 10, 1000, 54));
  EXPECT_EQ(got.drop, Drop::policy_block_out);
  EXPECT_EQ(got.policy, discard);
  EXPECT_EQ(a.in1(udp(kThere, kHere, 10)).drop, Drop::policy_block_in);
  EXPECT_EQ(a.out1({0x45, 0}).drop, Drop::malformed_ip);
  EXPECT_EQ(a.in1({}).drop, Drop::malformed_ip);
  a.expect_balance();
  std::set<Drop> told;
  for (const BoundaryEvent& e : a.events()) {
    EXPECT_EQ(e.kind, BoundaryEventKind::audit);
    told.insert(e.drop);
    if (e.drop == Drop::policy_block_out) {
      EXPECT_EQ(e.remote.text(), kThere);
      EXPECT_EQ(e.local.text(), kHere);
      EXPECT_EQ(e.remote_port, 54);
      EXPECT_EQ(e.protocol, kProtocolUdp);
    }
  }
  EXPECT_EQ(told.size(), 5u);
}

TEST_F(BoundaryOf, TheFirstPolicyThatMatchesWins) {
  a.open();
  a.add(Way::out, Action::bypass, SetHandle::none, {}, 10);
  const PolicyHandle later = a.add(Way::out, Action::discard, SetHandle::none, {}, 10);
  EXPECT_EQ(a.out1(udp(kHere, kThere, 10)).verdict, Verdict::bypassed);
  const PolicyHandle before = a.add(Way::out, Action::discard, SetHandle::none, to_port(7), 9);
  EXPECT_EQ(a.out1(udp(kHere, kThere, 10, 1, 7)).policy, before);
  EXPECT_EQ(a.out1(udp(kHere, kThere, 10, 1, 8)).verdict, Verdict::bypassed);
  // One step takes the first away and puts another in its place.
  PolicyConfig block;
  block.priority = 9;
  auto swapped = a.boundary->replace({&before, 1}, {&block, 1});
  ASSERT_TRUE(swapped) << swapped.error();
  EXPECT_EQ(a.out1(udp(kHere, kThere, 10, 1, 8)).policy, swapped->front());
  EXPECT_FALSE(a.boundary->remove(before));
  EXPECT_FALSE(a.boundary->replace({&before, 1}, {&block, 1})) << "all or nothing";
  EXPECT_TRUE(a.boundary->remove(swapped->front()));
  EXPECT_TRUE(a.boundary->remove(later));
  EXPECT_EQ(a.out1(udp(kHere, kThere, 10, 1, 8)).verdict, Verdict::bypassed);
}

TEST_F(BoundaryOf, ProtectedTrafficCrossesBothWays) {
  for (const auto mode : {driver::Mode::tunnel, driver::Mode::transport})
    for (const bool nat : {false, true}) {
      open({}, "aes256gcm16", mode, nat);
      const bool tunnel = mode == driver::Mode::tunnel;
      const Bytes there = udp(tunnel ? kHere : kA, tunnel ? kThere : kB, 100);
      const Got sealed = a.out1(there);
      ASSERT_EQ(sealed.verdict, Verdict::sealed) << spec::info(sealed.drop).name;
      EXPECT_EQ(sealed.sa, at_a.out);
      EXPECT_EQ(sealed.number, 1u);
      EXPECT_EQ(sealed.packet[9], nat ? 17 : 50);
      const Got opened = b.in1(sealed.packet);
      ASSERT_EQ(opened.verdict, Verdict::opened) << spec::info(opened.drop).name;
      EXPECT_EQ(opened.packet, there);
      EXPECT_EQ(opened.sa, at_b.in);
      EXPECT_EQ(opened.number, 1u);
      EXPECT_EQ(b.in1(sealed.packet).drop, Drop::replayed);
      const auto back = carry(b, a, udp(tunnel ? kThere : kB, tunnel ? kHere : kA, 1000));
      ASSERT_EQ(back.size(), 1u);
      EXPECT_EQ(back[0].verdict, Verdict::opened);
      a.expect_balance();
      b.expect_balance();
    }
}

TEST_F(BoundaryOf, ClearPacketsThatHadToBeProtectedAreDropped) {
  open();
  EXPECT_EQ(b.in1(udp(kHere, kThere, 10)).drop, Drop::policy_in);
  b.add(Way::in, Action::bypass, SetHandle::none, {}, 1);
  EXPECT_EQ(b.in1(udp(kHere, kThere, 10)).drop, Drop::policy_in) << "protect comes first";
}

TEST_F(BoundaryOf, APacketMustComeThroughItsOwnSa) {
  // Two connections; the peer of each sends what the other one's policy is for.
  Selector from_one, from_two;
  from_one.remote = {*AddressRange::parse("10.1.0.0/16")};
  from_two.remote = {*AddressRange::parse("10.3.0.0/16")};
  a.open();
  b.open();
  const SetHandle everything = a.add_set(), other = a.add_set();
  a.add(Way::out, Action::protect, everything, {}, 5);
  a.add_sa(everything, sa_config(0x1001, kA, kB));
  const SetHandle one = b.add_set(), two = b.add_set();
  const SaHandle sa_one = b.add_sa(one, received(sa_config(0x1001, kA, kB)));
  b.add_sa(two, received(sa_config(0x3003, kA, kB)));
  b.add(Way::in, Action::protect, one, from_one);
  b.add(Way::in, Action::protect, two, from_two);
  EXPECT_EQ(carry(a, b, udp(kHere, kThere, 10)).at(0).verdict, Verdict::opened);
  EXPECT_EQ(carry(a, b, udp("10.3.0.1", kThere, 10)).at(0).drop, Drop::policy_in);
  EXPECT_EQ(carry(a, b, udp("10.4.0.1", kThere, 10)).at(0).drop, Drop::no_policy_in);
  b.add(Way::in, Action::bypass, SetHandle::none, from_two, 0);
  // An inbound SA of its own may be narrower than its policy.
  a.add_sa(other, sa_config(0x4004, kA, kB));
  a.add(Way::out, Action::protect, other, {}, 1);
  SaRole narrow;
  narrow.selector = Selector{};
  narrow.selector->local_ports = ValueSet::one(2000);
  b.add_sa(one, received(sa_config(0x4004, kA, kB)), narrow);
  EXPECT_EQ(carry(a, b, udp(kHere, kThere, 10, 1, 2000)).at(0).verdict, Verdict::opened);
  const Got dropped = carry(a, b, udp(kHere, kThere, 10, 1, 2001)).at(0);
  EXPECT_EQ(dropped.drop, Drop::selector_mismatch);
  EXPECT_TRUE(dropped.packet.empty());
  // A removed SA opens nothing any more.
  EXPECT_TRUE(b.boundary->remove_sa(sa_one));
  EXPECT_FALSE(b.boundary->remove_sa(sa_one));
  b.expect_balance();
}

TEST_F(BoundaryOf, WhatIsNotForThisHostGoesByForwardPolicy) {
  BoundaryConfig config;
  config.local = {address(kB)};
  open({}, "aes256gcm16", driver::Mode::tunnel, false, config);
  b.add(Way::forward, Action::bypass, SetHandle::none, to_port(9), 0);
  Got got = carry(a, b, udp(kHere, kThere, 10)).at(0);
  EXPECT_EQ(got.verdict, Verdict::opened);
  EXPECT_EQ(got.way, Way::forward) << "the inner destination lies behind b";
  // ESP for another host is no ESP of ours.
  a.open();
  const SetHandle set = a.add_set();
  a.add_sa(set, sa_config(0x2002, kA, "192.0.2.9"));
  a.add(Way::out, Action::protect, set);
  const Got transit = a.out1(udp(kHere, kThere, 10));
  got = b.in1(transit.packet);
  EXPECT_EQ(got.drop, Drop::policy_in);
  Selector esp;
  esp.protocols = {{kProtocolEsp, kProtocolEsp}};
  PolicyConfig pass;
  pass.way = Way::forward;
  pass.action = Action::bypass;
  pass.selector = esp;
  b.boundary->set_local(std::vector<Address>{address(kB), address("192.0.2.77")});
  b.open(config);
  ASSERT_TRUE(b.boundary->add(pass));
  got = b.in1(transit.packet);
  EXPECT_EQ(got.verdict, Verdict::bypassed);
  EXPECT_EQ(got.packet, transit.packet);
  EXPECT_EQ(got.way, Way::forward);
}

TEST_F(BoundaryOf, AMissingSaIsAskedForOnceInAWhile) {
  a.open();
  const SetHandle set = a.add_set();
  const PolicyHandle policy = a.add(Way::out, Action::protect, set);
  a.boundary->tick(std::chrono::seconds(1));
  for (int i = 0; i < 5; ++i) EXPECT_EQ(a.out1(udp(kHere, kThere, 10)).drop, Drop::no_sa_out);
  std::size_t asked = 0;
  for (const BoundaryEvent& e : a.events())
    if (e.kind == BoundaryEventKind::acquire) {
      ++asked;
      EXPECT_EQ(e.policy, policy);
      EXPECT_EQ(e.set, set);
      EXPECT_EQ(e.remote.text(), kThere);
      EXPECT_EQ(e.remote_port, 2000);
    }
  EXPECT_EQ(asked, 1u);
  a.boundary->tick(std::chrono::milliseconds(2500));
  a.out1(udp(kHere, kThere, 10));
  a.out1(udp(kHere, kThere, 10));
  EXPECT_EQ(a.count(BoundaryEventKind::acquire), 1u);
  a.add_sa(set, sa_config(0x1001, kA, kB));
  EXPECT_EQ(a.out1(udp(kHere, kThere, 10)).verdict, Verdict::sealed);
}

TEST_F(BoundaryOf, SasAreChosenByDscpAndByQueue) {
  ContextConfig limits;
  limits.queues = 3;
  a.open({}, limits);
  const SetHandle set = a.add_set();
  a.add(Way::out, Action::protect, set);
  SaRole voice, second_queue;
  voice.dscps = 1ull << 46;
  second_queue.queues = 1 << 1;
  const SaHandle rest = a.add_sa(set, sa_config(0x1001, kA, kB));
  const SaHandle urgent = a.add_sa(set, sa_config(0x1002, kA, kB), voice);
  const SaHandle by_queue = a.add_sa(set, sa_config(0x1003, kA, kB), second_queue);
  const Bytes plain = udp(kHere, kThere, 10);
  const Bytes spoken = with(plain, 1, 46 << 2);
  EXPECT_EQ(a.out1(plain).sa, rest);
  EXPECT_EQ(a.out1(spoken).sa, urgent);
  EXPECT_EQ(a.out1(plain, QueueId{1}).sa, by_queue);
  EXPECT_EQ(a.out1(spoken, QueueId{1}).sa, by_queue);
  EXPECT_EQ(a.out1(plain, QueueId{2}).sa, rest) << "a queue without an SA of its own";
  EXPECT_TRUE(a.boundary->remove_sa(by_queue));
  EXPECT_EQ(a.out1(plain, QueueId{1}).sa, rest);
  // A newer SA takes over from one that is as specific.
  const SaHandle newer = a.add_sa(set, sa_config(0x1004, kA, kB));
  EXPECT_EQ(a.out1(plain).sa, newer);
  EXPECT_EQ(a.out1(spoken).sa, urgent);
}

TEST_F(BoundaryOf, IpsecWithinIpsecIsOpenedToADepth) {
  // a wraps for b, four times over: the packet for b's own address goes through it again.
  const auto wrap = [&](Bytes packet, unsigned times) {
    for (unsigned i = 0; i < times; ++i) {
      packet = a.out1(packet).packet;
      EXPECT_FALSE(packet.empty());
    }
    return packet;
  };
  open();
  const Bytes inner = udp(kHere, kThere, 50);
  Got got = b.in1(wrap(inner, 4));
  EXPECT_EQ(got.verdict, Verdict::opened);
  EXPECT_EQ(got.packet, inner);
  EXPECT_EQ(b.in1(wrap(inner, 5)).drop, Drop::nesting);
  EXPECT_EQ(b.in1(wrap(inner, 1)).verdict, Verdict::opened);
  b.expect_balance();
}

TEST_F(BoundaryOf, SetUpErrorsSayHowToMend) {
  open();
  const auto one_line = [](const std::string& why) {
    return !why.empty() && why.find('\n') == std::string::npos;
  };
  PolicyConfig no_set;
  no_set.action = Action::protect;
  PolicyConfig bad;
  bad.selector.types = ValueSet::of({});
  for (const PolicyConfig& p : {no_set, bad}) {
    const auto refused = a.boundary->add(p);
    ASSERT_FALSE(refused);
    EXPECT_TRUE(one_line(refused.error()));
  }
  SaRole mtu, nobody, tfc, keepalive, original;
  mtu.path_mtu = 100;
  nobody.dscps = 0;
  tfc.tfc_multiple = 256;
  keepalive.keepalive_interval = std::chrono::seconds(20);
  original.original_source = address(kA);
  const SaConfig transport = sa_config(9999, kA, kB, "aes256gcm16", driver::Mode::transport);
  for (const SaRole& role : {mtu, nobody, tfc, keepalive, original}) {
    const auto refused = a.boundary->add_sa(at_a.set, transport, role);
    ASSERT_FALSE(refused);
    EXPECT_TRUE(one_line(refused.error()));
  }
  EXPECT_TRUE(one_line(a.boundary->remove_set(at_a.set)));
  EXPECT_FALSE(a.boundary->add_sa(SetHandle(77), transport));
  for (auto change : std::vector<void (*)(BoundaryConfig&)>{
           [](BoundaryConfig& c) { c.max_policies = 0; },
           [](BoundaryConfig& c) { c.flow_cache = 3; }, [](BoundaryConfig& c) { c.buffers = 0; },
           [](BoundaryConfig& c) { c.max_nesting = 99; }}) {
    BoundaryConfig config;
    change(config);
    const auto refused = Boundary::create(config, *a.context);
    ASSERT_FALSE(refused);
    EXPECT_TRUE(one_line(refused.error()));
  }
}

TEST_F(BoundaryOf, AFullTableRefusesAndASetsNumberComesBack) {
  BoundaryConfig config;
  config.max_policies = 2;
  config.max_sets = 2;
  a.open(config);
  const SetHandle first = a.add_set(), second = a.add_set();
  EXPECT_FALSE(a.boundary->add_set());
  a.add(Way::out, Action::protect, first);
  a.add(Way::out, Action::discard);
  EXPECT_FALSE(a.boundary->add(PolicyConfig{}));
  EXPECT_NE(a.boundary->remove_set(first), "") << "a policy names it";
  EXPECT_EQ(a.boundary->remove_set(second), "");
  const SetHandle third = a.add_set();
  EXPECT_NE(third, second);
  EXPECT_NE(a.boundary->remove_set(second), "") << "gone";
}

}  // namespace
}  // namespace espalier

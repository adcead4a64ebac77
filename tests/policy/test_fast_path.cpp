// SPDX-License-Identifier: BSD-2-Clause-Patent
// outbound(), inbound(), poll() and release() do not allocate, lock or make a system call, whatever
// comes.
#include "../host/watch.hpp"
#include "fixture.hpp"

namespace espalier {
namespace {

using namespace test;

/// What a packet to this port meets at a.
enum Port : std::uint16_t { kPlain = 1, kDscps, kCutBefore, kCutAfter, kNoSa, kBypass, kBlock };

class PolicyFastPath : public ::testing::Test {
 protected:
  static constexpr std::size_t kRoom = 4096;

  void SetUp() override {
    BoundaryConfig config;
    config.audit_events_per_second = config.icmp_per_second = 1'000'000;
    a.open(config);
    b.open(config);
    from_a_ = b.add_set();
    protect(kPlain, {});
    SaRole role;
    role.dscps = 1;
    protect(kDscps, role);
    role = {};
    role.path_mtu = 1400;
    role.tfc_multiple = 128;
    protect(kCutBefore, role);
    role.fragmenting = Fragmenting::after;
    protect(kCutAfter, role, true);
    a.add(Way::out, Action::protect, a.add_set(), to(kNoSa));
    a.add(Way::out, Action::bypass, SetHandle::none, to(kBypass));
    a.add(Way::out, Action::discard, SetHandle::none, to(kBlock));
    b.add(Way::in, Action::protect, from_a_);
    for (Host* host : {&a, &b}) host->boundary->tick(std::chrono::seconds(100));
  }
  /// Offers one packet and hands each outcome to `take`.
  template <class Take>
  static void through(Host& host, Host::Way2 way, std::span<std::uint8_t> packet,
                      std::span<std::uint8_t> room, Take&& take) {
    const Packet p{0, packet, room};
    if ((host.boundary.get()->*way)(kQueue, {&p, 1}) != 1) std::abort();
    Outcome outcomes[16];
    const std::size_t n = host.boundary->poll(kQueue, outcomes);
    for (std::size_t i = 0; i < n; ++i) {
      take(outcomes[i]);
      host.boundary->release(kQueue, outcomes[i]);
    }
  }
  /// Every packet through a, and what a lets out, through b: forged, as it is, replayed,
  /// misdirected.
  void round() {
    const auto ignore = [](const Outcome&) {};
    for (Bytes& clear : clears)
      through(a, &Boundary::outbound, clear, room_a, [&](const Outcome& left) {
        if (left.verdict == Verdict::discarded || left.verdict == Verdict::reply) return;
        const std::span<std::uint8_t> packet = left.packet;
        const bool fragment = (load_be16(packet.data() + 6) & 0x3fff) != 0;
        const bool attack = left.verdict == Verdict::sealed && !fragment;
        if (attack) {
          packet.back() ^= 1;
          through(b, &Boundary::inbound, packet, room_b, ignore);
          packet.back() ^= 1;
        }
        through(b, &Boundary::inbound, packet, room_b, ignore);
        if (attack) {
          through(b, &Boundary::inbound, packet, room_b, ignore);  // replayed
          packet[20] ^= 1;                                         // an SPI or port nobody has
          through(b, &Boundary::inbound, packet, room_b, ignore);
        }
      });
  }

  Host a, b;
  std::vector<Bytes> clears;
  Bytes room_a = Bytes(kRoom), room_b = Bytes(kRoom);

 private:
  static Selector to(Port port) {
    Selector s;
    s.remote_ports = ValueSet::one(port);
    return s;
  }
  void protect(Port port, const SaRole& role, bool nat = false) {
    const SaConfig sa = sa_config(0x1000u + port, "192.0.2.1", "192.0.2.2", "aes256gcm16",
                                  driver::Mode::tunnel, nat);
    const SetHandle set = a.add_set();
    a.add_sa(set, sa, role);
    a.add(Way::out, Action::protect, set, to(port));
    b.add_sa(from_a_, received(sa));
  }
  SetHandle from_a_ = SetHandle::none;
};

TEST_F(PolicyFastPath, NeitherAllocatesNorLocksNorCallsTheSystem) {
  for (const std::uint16_t port : {kPlain, kDscps, kCutBefore, kCutAfter, kNoSa, kBypass, kBlock})
    for (const std::size_t payload : {20u, 2000u}) {
      clears.push_back(udp("10.1.0.1", "10.2.0.1", payload, 1000, port));
      clears.push_back(dont_fragment(clears.back()));
      clears.push_back(udp("2001:db8:1::1", "2001:db8:2::1", payload, 1000, port));
    }
  clears.push_back({0x45, 0});
  clears.push_back(udp("10.1.0.1", "10.2.0.1", 20, 1000, 99));  // no policy
  for (int i = 0; i < 3; ++i) round();                          // what is made once is made now
  const BoundaryCounters a0 = a.boundary->counters(), b0 = b.boundary->counters();
  const Seen seen = watched([&] {
    for (int i = 0; i < 20; ++i) round();
  });
  EXPECT_EQ(seen.allocations, 0u);
  EXPECT_EQ(seen.locks, 0u);
  EXPECT_EQ(seen.system_calls, 0u);

  // All of it did happen.
  const BoundaryCounters a1 = a.boundary->counters(), b1 = b.boundary->counters();
  const auto more = [](const BoundaryCounters& then, const BoundaryCounters& now, Drop drop) {
    return now.drops[unsigned(drop)] - then.drops[unsigned(drop)];
  };
  for (const Drop d : {Drop::malformed_ip, Drop::no_policy_out, Drop::policy_block_out,
                       Drop::no_sa_out, Drop::too_long})
    EXPECT_GT(more(a0, a1, d), 0u) << spec::info(d).name;
  for (const Drop d : {Drop::replayed, Drop::icv_mismatch, Drop::no_sa, Drop::policy_in})
    EXPECT_GT(more(b0, b1, d), 0u) << spec::info(d).name;
  for (const Verdict v : {Verdict::sealed, Verdict::bypassed, Verdict::reply})
    EXPECT_GT(a1.verdicts[unsigned(v)], a0.verdicts[unsigned(v)]) << name(v);
  EXPECT_GT(b1.verdicts[unsigned(Verdict::opened)], b0.verdicts[unsigned(Verdict::opened)]);
  EXPECT_GT(a1.fragments_sent, a0.fragments_sent);
  EXPECT_GT(b1.fragments_joined, b0.fragments_joined);
  EXPECT_FALSE(a.events().empty());
  if (!seen.all)
    GTEST_SKIP() << "this kernel has no system call dispatch; allocations and locks were counted";
}

}  // namespace
}  // namespace espalier

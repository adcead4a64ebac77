// SPDX-License-Identifier: BSD-2-Clause-Patent
// Host a's boundary to host b's and back, over a wire that reorders, doubles and loses: all that is
// offered is delivered once, or counted under one reason.
#include <map>
#include <set>

#include "fixture.hpp"

namespace espalier {
namespace {

using namespace test;
using driver::test::Random;

/// A wire with packets under way.
class Wire {
 public:
  void put(Bytes packet) { packets_.push_back(std::move(packet)); }
  bool empty() const { return packets_.empty(); }
  /// Takes one of the first `window` packets.
  Bytes take(Random& random, std::size_t window) {
    const auto at =
        static_cast<std::ptrdiff_t>(random.below(std::min<std::size_t>(window, packets_.size())));
    Bytes p = std::move(packets_[static_cast<std::size_t>(at)]);
    packets_.erase(packets_.begin() + at);
    return p;
  }

 private:
  std::deque<Bytes> packets_;
};

class Traffic : public ::testing::Test {
 protected:
  static constexpr unsigned kLinks = 6;
  static constexpr const char* kA = "192.0.2.1";
  static constexpr const char* kB = "192.0.2.2";

  struct Kind {
    const char* suite;
    driver::Mode mode;
    bool nat;
    std::uint32_t mtu;
    Fragmenting fragmenting;
  };
  static constexpr Kind kKinds[kLinks] = {
      {"aes256gcm16", driver::Mode::tunnel, false, 1500, Fragmenting::before},
      {"aes128-sha256", driver::Mode::tunnel, true, 1400, Fragmenting::after},
      {"chacha20poly1305", driver::Mode::tunnel, false, 0, Fragmenting::before},
      {"aes256gcm16", driver::Mode::transport, false, 1280, Fragmenting::after},
      {"null-sha256", driver::Mode::tunnel, false, 576, Fragmenting::before},
      {"aes128gcm16", driver::Mode::tunnel, true, 900, Fragmenting::before},
  };

  /// One direction of a link.
  struct Half {
    SetHandle out_set = SetHandle::none, in_set = SetHandle::none;
    SaHandle out = SaHandle::none;
    std::vector<SaHandle> in;
  };

  void open(Host& from, Host& to, std::map<unsigned, Half>& halves, std::uint32_t first_spi,
            const char* here, const char* there, unsigned near, unsigned far) {
    for (unsigned i = 0; i < kLinks; ++i) {
      Half& half = halves[i];
      half.out_set = from.add_set();
      half.in_set = to.add_set();
      Selector out, in;
      if (kKinds[i].mode == driver::Mode::tunnel) {
        out.local = in.remote = {*AddressRange::parse(net(near, i) + ".0/24")};
        out.remote = in.local = {*AddressRange::parse(net(far, i) + ".0/24")};
      } else {
        out.local = in.remote = {*AddressRange::parse(here)};
        out.remote = in.local = {*AddressRange::parse(there)};
      }
      from.add(Way::out, Action::protect, half.out_set, out, i);
      to.add(Way::in, Action::protect, half.in_set, in, i);
      rekey(from, to, half, i, first_spi + i, here, there);
    }
  }
  static std::string net(unsigned side, unsigned link) {
    return "10." + std::to_string(side) + "." + std::to_string(link);
  }
  /// New SAs, the receiver's first; the sender's old one goes.
  static void rekey(Host& from, Host& to, Half& half, unsigned link, std::uint32_t spi,
                    const char* here, const char* there) {
    const Kind& kind = kKinds[link];
    SaConfig sa = sa_config(spi, here, there, kind.suite, kind.mode, kind.nat);
    SaConfig inbound = received(sa);
    inbound.replay_window = 1024;
    half.in.push_back(to.add_sa(half.in_set, inbound));
    SaRole role;
    role.path_mtu = kind.mtu;
    role.fragmenting = kind.fragmenting;
    const SaHandle old = half.out;
    half.out = from.add_sa(half.out_set, sa, role);
    if (old != SaHandle::none) {
      EXPECT_TRUE(from.boundary->remove_sa(old));
    }
  }
};

TEST_F(Traffic, IsDeliveredOnceOrCountedUnderOneReason) {
  Random random;
  SCOPED_TRACE(random.replay());
  Host a, b;
  BoundaryConfig config;
  config.reassemblies = 64;
  config.audit_events_per_second = 1'000'000;
  a.open(config);
  b.open(config);
  std::map<unsigned, Half> halves;
  open(a, b, halves, 0x1000, kA, kB, 1, 2);
  std::uint32_t next_spi = 0x2000;

  std::map<std::uint64_t, Bytes> expected;  // by cookie, which the payload carries
  std::map<std::uint64_t, unsigned> delivered;
  std::map<Drop, std::uint64_t> in_drops, out_drops;
  std::uint64_t on_wire = 0, doubled = 0, lost = 0;
  Wire wire;
  const auto arrive = [&](Bytes packet) {
    for (Got& g : b.in(std::move(packet))) {
      if (g.verdict == Verdict::discarded) ++in_drops[g.drop];
      if (g.verdict != Verdict::opened) continue;
      IpHeader ip;
      ASSERT_EQ(parse_ip(g.packet, static_cast<std::uint32_t>(g.packet.size()), ip), Drop::none);
      if (ip.fragment) {  // cut before sealing: a host behind b joins them
        ++delivered[1ull << 40 | ip.identity];
        continue;
      }
      const std::uint64_t cookie = load_be32(g.packet.data() + ip.header_length + 8);
      ASSERT_EQ(expected.count(cookie), 1u);
      EXPECT_EQ(g.packet, expected[cookie]) << "link " << cookie % kLinks;
      EXPECT_EQ(++delivered[cookie], 1u) << "delivered twice";
    }
  };
  constexpr std::uint64_t kPackets = 3000;
  std::map<std::uint64_t, unsigned> pieces;  // of packets cut before sealing
  for (std::uint64_t cookie = 0; cookie < kPackets; ++cookie) {
    const auto link = static_cast<unsigned>(cookie % kLinks);
    const bool tunnel = kKinds[link].mode == driver::Mode::tunnel;
    const auto host = std::to_string(1 + random.below(200));
    static constexpr std::size_t kSizes[] = {12, 500, 1300, 1460, 2500};
    const std::size_t payload = kSizes[random.below(5)];
    Bytes packet = tunnel ? udp(net(1, link) + "." + host, net(2, link) + "." + host, payload,
                                static_cast<std::uint16_t>(random.below(60000)))
                          : udp(kA, kB, payload);
    store_be32(packet.data() + 28, static_cast<std::uint32_t>(cookie));
    store_be16(packet.data() + 4, static_cast<std::uint16_t>(cookie));
    if (random.below(10) == 0) packet[6] = 0x40;
    packet = with(std::move(packet), 8, 64);
    expected[cookie] = packet;
    for (Got& g : a.out(std::move(packet), cookie)) {
      EXPECT_EQ(g.cookie, cookie);
      if (g.verdict == Verdict::discarded) ++out_drops[g.drop];
      if (g.verdict != Verdict::sealed) continue;
      EXPECT_LE(g.packet.size(), kKinds[link].mtu == 0 ? 65535u : kKinds[link].mtu);
      ++on_wire;
      const std::uint64_t fate = random.below(100);
      if (fate == 0) {
        ++lost;
        continue;
      }
      if (fate == 1) {
        wire.put(g.packet);
        ++on_wire;
        ++doubled;
      }
      wire.put(std::move(g.packet));
    }
    if (cookie % 100 == 99) {
      const auto which = static_cast<unsigned>(random.below(kLinks));
      rekey(a, b, halves[which], which, next_spi++, kA, kB);
    }
    if (cookie % 50 == 49) {
      const Time now = std::chrono::milliseconds(20 * cookie);
      a.boundary->tick(now);
      b.boundary->tick(now);
    }
    while (random.below(3) != 0 && !wire.empty()) arrive(wire.take(random, 8));
  }
  while (!wire.empty()) arrive(wire.take(random, 8));
  b.boundary->tick(std::chrono::hours(1));
  for (int i = 0; i < 50; ++i) b.poll();  // a few each time

  a.expect_balance();
  b.expect_balance();
  EXPECT_EQ(b.boundary->counters().offered, on_wire - lost);
  EXPECT_EQ(b.boundary->counters().fragments_held, 0u);
  // Only what the test did is dropped: DF, doubles, and pieces whose other pieces are lost.
  for (const auto& [drop, n] : out_drops) EXPECT_EQ(drop, Drop::too_long);
  EXPECT_GT(out_drops[Drop::too_long], 0u);
  for (const auto& [drop, n] : in_drops) {
    EXPECT_TRUE(drop == Drop::replayed || drop == Drop::reassembly_overlap)
        << spec::info(drop).name;
    if (drop == Drop::replayed) {
      EXPECT_LE(n, doubled);
    }
  }
  EXPECT_GT(in_drops[Drop::replayed], 0u);
  EXPECT_GT(lost, 0u);
  EXPECT_GT(delivered.size(), kPackets * 8 / 10);
}

/// Both sides rekey again and again while packets are under way, and nothing is lost or comes
/// twice.
TEST_F(Traffic, RekeyingLosesNothing) {
  Random random;
  SCOPED_TRACE(random.replay());
  Host a, b;
  a.open();
  b.open();
  std::map<unsigned, Half> there, back;
  open(a, b, there, 0x1000, kA, kB, 1, 2);
  open(b, a, back, 0x2000, kB, kA, 2, 1);
  std::uint32_t spi = 0x3000;
  Wire to_a, to_b;
  std::map<std::uint64_t, unsigned> delivered;
  std::uint64_t sent = 0;
  std::set<SaHandle> used;
  const auto send = [&](Host& from, Wire& wire, unsigned near, unsigned far, unsigned link) {
    Bytes p = udp(net(near, link) + ".1", net(far, link) + ".1", 100);
    store_be32(p.data() + 28, static_cast<std::uint32_t>(sent++));
    const Got got = from.out1(std::move(p));
    ASSERT_EQ(got.verdict, Verdict::sealed);
    used.insert(got.sa);
    wire.put(got.packet);
  };
  const auto receive = [&](Host& host, Wire& wire) {
    if (wire.empty()) return;
    const Got got = host.in1(wire.take(random, 4));
    ASSERT_EQ(got.verdict, Verdict::opened) << spec::info(got.drop).name;
    ++delivered[load_be32(got.packet.data() + 28)];
  };
  for (int round = 0; round < 1500; ++round) {
    const unsigned link = random.below(2) != 0 ? 0 : 2;  // of tunnels whose pieces fit
    send(a, to_b, 1, 2, link);
    send(b, to_a, 2, 1, link);
    if (round % 50 == 49) rekey(a, b, there[link], link, spi++, kA, kB);
    if (round % 70 == 69) rekey(b, a, back[link], link, spi++, kB, kA);
    if (random.below(4) != 0) receive(b, to_b);
    if (random.below(4) != 0) receive(a, to_a);
  }
  while (!to_a.empty()) receive(a, to_a);
  while (!to_b.empty()) receive(b, to_b);
  EXPECT_EQ(delivered.size(), sent);
  for (const auto& [number, times] : delivered) EXPECT_EQ(times, 1u) << number;
  EXPECT_GT(used.size(), 30u);
  // The old inbound SAs go; what comes for them is counted.
  const std::size_t before = there[0].in.size();
  ASSERT_GT(before, 2u);
  for (std::size_t i = 0; i + 1 < before; ++i) EXPECT_TRUE(b.boundary->remove_sa(there[0].in[i]));
  send(a, to_b, 1, 2, 0);
  receive(b, to_b);
  a.expect_balance();
  b.expect_balance();
}

// ---- lifetimes and numbers, through the boundary

TEST_F(Traffic, LifetimesAndNumbersAreExactAndANewSaTakesOver) {
  Host a;
  a.open();
  const SetHandle set = a.add_set();
  a.add(Way::out, Action::protect, set);
  SaConfig sa = sa_config(0x1001, kA, kB);
  sa.soft.packets = 3;
  sa.hard.packets = 5;
  const SaHandle old = a.add_sa(set, sa);
  for (int i = 1; i <= 5; ++i)
    EXPECT_EQ(a.out1(udp("10.1.0.1", "10.2.0.1", 10)).verdict, Verdict::sealed);
  EXPECT_EQ(a.out1(udp("10.1.0.1", "10.2.0.1", 10)).drop, Drop::sa_expired_out);
  std::map<EventKind, unsigned> told;
  for (const BoundaryEvent& e : a.events())
    if (e.kind == BoundaryEventKind::sa) {
      ++told[e.event.kind];
      EXPECT_EQ(e.sa, old);
    }
  EXPECT_EQ(told[EventKind::soft_expiry], 1u);
  EXPECT_EQ(told[EventKind::hard_expiry], 1u);
  SaConfig last = sa_config(0x1002, kA, kB);
  last.last_number = 0xfffffffe;
  a.add_sa(set, last);
  EXPECT_EQ(a.out1(udp("10.1.0.1", "10.2.0.1", 10)).number, 0xffffffffu);
  EXPECT_EQ(a.out1(udp("10.1.0.1", "10.2.0.1", 10)).drop, Drop::sequence_overflow);
  const SaHandle fresh = a.add_sa(set, sa_config(0x1003, kA, kB));
  EXPECT_EQ(a.out1(udp("10.1.0.1", "10.2.0.1", 10)).sa, fresh);
  // Time.
  SaConfig timed = sa_config(0x1004, kA, kB);
  timed.hard.time = std::chrono::seconds(10);
  a.boundary->tick(std::chrono::seconds(100));
  a.add_sa(set, timed);
  a.boundary->tick(std::chrono::nanoseconds(109'999'999'999));
  EXPECT_EQ(a.out1(udp("10.1.0.1", "10.2.0.1", 10)).verdict, Verdict::sealed);
  a.boundary->tick(std::chrono::seconds(110));
  EXPECT_EQ(a.out1(udp("10.1.0.1", "10.2.0.1", 10)).drop, Drop::sa_expired_out);
  a.expect_balance();
}

// ---- bursts: prefixes, little room

TEST_F(Traffic, LittleRoomTakesFewerAndLosesNone) {
  BoundaryConfig config;
  config.buffers = 8;
  ContextConfig limits;
  limits.queue_capacity = 16;
  limits.batch = 4;
  Host a;
  a.open(config, limits);
  const SetHandle set = a.add_set();
  a.add(Way::out, Action::protect, set);
  SaRole role;
  role.path_mtu = 1500;
  a.add_sa(set, sa_config(0x1001, kA, kB), role);
  std::vector<Bytes> memory;
  std::vector<Packet> packets;
  for (std::uint64_t i = 0; i < 200; ++i)
    memory.push_back(udp("10.1.0.1", "10.2.0.1", i % 3 == 0 ? 3000 : 100));
  std::vector<Bytes> room(200, Bytes(2048));
  for (std::uint64_t i = 0; i < 200; ++i) packets.push_back({i, memory[i], room[i]});
  std::size_t taken = 0, done = 0, short_takes = 0;
  std::uint64_t last_number = 0;
  while (done < 200) {
    const std::size_t n = a.boundary->outbound(kQueue, std::span(packets).subspan(taken));
    short_takes += n < 200 - taken;
    taken += n;
    Outcome outcomes[5];
    std::size_t got = a.boundary->poll(kQueue, outcomes);
    ASSERT_TRUE(n + got > 0) << "stuck at " << done;
    for (std::size_t i = 0; i < got; ++i) {
      ASSERT_EQ(outcomes[i].verdict, Verdict::sealed);
      EXPECT_EQ(outcomes[i].number, ++last_number) << "in order";
      EXPECT_EQ(outcomes[i].cookie, done);
      done += outcomes[i].last;
      a.boundary->release(kQueue, outcomes[i]);
      a.boundary->release(kQueue, outcomes[i]);  // once too often does no harm
    }
  }
  EXPECT_GT(short_takes, 5u);
  a.expect_balance();
  // What can never fit is refused, not waited for.
  EXPECT_EQ(a.out1(udp("10.1.0.1", "10.2.0.1", 20000)).drop, Drop::too_long);
}

}  // namespace
}  // namespace espalier

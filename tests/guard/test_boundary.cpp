// SPDX-License-Identifier: BSD-2-Clause-Patent
// L2: no octet outside the lent buffers is read or written, and none of a source, whatever becomes
// of the packet: sealed, cut, joined, answered by ICMP, absorbed, discarded.
#include <map>

#include "../policy/fixture.hpp"
#include "guarded.hpp"

namespace espalier {
namespace {

using namespace test;
using driver::test::GuardedBuffer;
using driver::test::Random;

class GuardedBoundary : public TwoHosts {
 protected:
  /// Everything that becomes of one packet; its destination has `room` octets.
  std::vector<Got> pass(Host& host, bool out, const Bytes& packet, std::size_t room) {
    source_.hold(packet, random_);
    destination_.shape(room, random_);
    Packet p;
    p.cookie = ++cookie_;
    if (source_.segments().size() == 1)
      p.source = span(source_);
    else
      p.segments = source_.segments();
    p.destination = span(destination_);
    EXPECT_EQ(
        out ? host.boundary->outbound(kQueue, {&p, 1}) : host.boundary->inbound(kQueue, {&p, 1}),
        1u);
    std::vector<Got> all = host.poll();
    EXPECT_TRUE(!all.empty() && all.back().last);
    source_.release();
    EXPECT_TRUE(source_.intact() && destination_.intact());
    return all;
  }
  static std::span<std::uint8_t> span(const GuardedBuffer& buffer) {
    const Segment s = buffer.segments()[0];
    return {s.data, s.length};
  }
  std::size_t a_payload() {
    return random_.below(8) == 0 ? random_.below(9000) : random_.below(1600);
  }
  Bytes a_packet(bool v6) {
    return v6 ? udp("2001:db8:1::1", "2001:db8:2::1", a_payload())
              : udp("10.1.0.1", "10.2.0.1", a_payload());
  }
  Bytes damaged(Bytes packet) {
    for (std::uint64_t flips = random_.below(5); flips != 0; --flips)
      packet[random_.below(random_.below(2) != 0 ? std::min<std::size_t>(64, packet.size())
                                                 : packet.size())] ^=
          static_cast<std::uint8_t>(1u << random_.below(8));
    if (random_.below(2) == 0) packet.resize(1 + random_.below(packet.size() + 20), 0x77);
    return packet;
  }
  /// Packets from a to b, some of them damaged on the way or before.
  void carry_many(unsigned packets) {
    std::map<Verdict, unsigned> seen;
    unsigned crossed = 0;
    for (unsigned i = 0; i < packets && !HasFailure(); ++i) {
      const Bytes clear = a_packet(random_.below(2) != 0);
      const std::size_t room =
          random_.below(4) == 0 ? random_.below(clear.size() + 400) : clear.size() + 400;
      if (random_.below(8) == 0) {
        for (const Got& g : pass(a, true, damaged(clear), room)) ++seen[g.verdict];
        continue;
      }
      for (const Got& g : pass(a, true, clear, room)) {
        ++seen[g.verdict];
        if (g.verdict != Verdict::sealed) continue;
        for (unsigned copy = static_cast<unsigned>(random_.below(3)); copy != 0; --copy)
          for (const Got& bad : pass(b, false, damaged(g.packet), random_.below(9200)))
            ++seen[bad.verdict];
        for (const Got& got : pass(b, false, g.packet, g.packet.size())) {
          ++seen[got.verdict];
          crossed += got.verdict == Verdict::opened && got.packet == clear;
        }
      }
      a.boundary->tick(now_ += std::chrono::milliseconds(1));
      b.boundary->tick(now_);
    }
    EXPECT_GT(crossed, packets / 10) << "those that were not cut arrive as they were";
    EXPECT_GT(seen[Verdict::discarded], 0u);
    a.expect_balance();
    b.expect_balance();
  }

  Random random_;
  GuardedBuffer source_{driver::kMaxSegments}, destination_{1};
  std::uint64_t cookie_ = 0;
  Time now_{0};
  ::testing::ScopedTrace trace_{__FILE__, __LINE__, random_.replay()};
};

TEST_F(GuardedBoundary, WithoutAPathMtu) {
  open();
  carry_many(1500);
}

TEST_F(GuardedBoundary, CutBeforeSealing) {
  SaRole role;
  role.path_mtu = 1000;
  open(role);
  carry_many(1000);
}

TEST_F(GuardedBoundary, CutAfterSealingAndJoinedInUdp) {
  SaRole role;
  role.path_mtu = 1300;
  role.fragmenting = Fragmenting::after;
  open(role, "aes128-sha256", driver::Mode::tunnel, true);
  carry_many(1000);
}

TEST_F(GuardedBoundary, PaddedForTfc) {
  SaRole role;
  role.path_mtu = 1400;
  role.tfc_multiple = 256;
  open(role, "chacha20poly1305");
  carry_many(1000);
}

}  // namespace
}  // namespace espalier

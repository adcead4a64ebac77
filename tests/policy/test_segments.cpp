// SPDX-License-Identifier: BSD-2-Clause-Patent
// Packets in several segments: cut anywhere, they have the outcome they have in one piece.
#include <memory>

#include "fixture.hpp"

namespace espalier::test {
namespace {

using driver::test::Random;

/// The pieces of a packet, each in memory of its own size, so that a sanitizer sees every octet
/// that is read beyond one.
struct Pieces {
  std::vector<std::unique_ptr<std::uint8_t[]>> memory;
  std::vector<Segment> list;

  void add(std::span<const std::uint8_t> octets) {
    memory.push_back(std::make_unique<std::uint8_t[]>(octets.size()));
    std::copy(octets.begin(), octets.end(), memory.back().get());
    list.push_back({memory.back().get(), static_cast<std::uint32_t>(octets.size())});
  }
  /// In up to `most` pieces at random places, empty ones among them.
  static Pieces of(std::span<const std::uint8_t> packet, unsigned most, Random& random) {
    std::vector<std::size_t> cuts = {0, packet.size()};
    for (unsigned n = 1; n < most; ++n) cuts.push_back(random.below(packet.size() + 1));
    std::sort(cuts.begin(), cuts.end());
    Pieces out;
    for (std::size_t i = 1; i < cuts.size(); ++i)
      out.add(packet.subspan(cuts[i - 1], cuts[i] - cuts[i - 1]));
    return out;
  }
};

class Segments : public TwoHosts {
 protected:
  using Way2 = Host::Way2;

  std::vector<Got> run(Host& host, Way2 way, const Pieces& pieces, std::span<std::uint8_t> room) {
    Packet p;
    p.cookie = 7;
    p.destination = room;
    p.segments = pieces.list;
    EXPECT_EQ((host.boundary.get()->*way)(kQueue, {&p, 1}), 1u);
    return host.poll();
  }
  std::vector<Got> run(Host& host, Way2 way, const Bytes& packet, unsigned most) {
    const Pieces pieces = Pieces::of(packet, most, random);
    Bytes room(packet.size() + 128);
    return run(host, way, pieces, room);
  }
  /// Identifications of fragments are each host's own (and IPv4's checksum with them).
  static void expect_same(std::vector<Got> got, std::vector<Got> expected) {
    ASSERT_EQ(got.size(), expected.size());
    for (std::size_t i = 0; i < got.size(); ++i) {
      EXPECT_EQ(got[i].verdict, expected[i].verdict);
      EXPECT_STREQ(spec::info(got[i].drop).name, spec::info(expected[i].drop).name);
      EXPECT_EQ(got[i].last, expected[i].last);
      for (Bytes* packet : {&got[i].packet, &expected[i].packet})
        if (got.size() > 1 && !packet->empty() && packet->front() == 0x45)
          for (const std::size_t at : {4, 5, 10, 11}) packet->at(at) = 0;
      EXPECT_EQ(got[i].packet, expected[i].packet);
    }
  }

  Random random;
};

TEST_F(Segments, CutAnywhereTheOutcomeIsTheSame) {
  for (const bool nat : {false, true}) {
    SaRole role;
    role.path_mtu = 1300;
    open(role, "aes256gcm16", driver::Mode::tunnel, nat);
    Host c;  // seals as `a` does: the same numbers
    c.open();
    Link at_c;
    connect(c, at_c, sa_config(0x1001, kA, kB, "aes256gcm16", driver::Mode::tunnel, nat),
            sa_config(0x2002, kB, kA, "aes256gcm16", driver::Mode::tunnel, nat), role);
    for (const std::size_t payload : {0u, 1u, 30u, 100u, 1200u, 1251u, 4000u}) {
      SCOPED_TRACE(std::to_string(payload) + " octets; " + random.replay());
      for (const Bytes& clear :
           {udp("10.1.0.1", "10.2.0.1", payload), udp("2001:db8::1", "2001:db8::2", payload),
            dont_fragment(udp("10.1.0.1", "10.2.0.1", payload))}) {
        const auto whole = a.out(clear);
        expect_same(run(c, &Boundary::outbound, clear, 16), whole);
        for (const Got& sealed : whole) {
          if (sealed.verdict != Verdict::sealed) continue;
          const auto arrived = run(b, &Boundary::inbound, sealed.packet, 16);
          ASSERT_EQ(arrived.size(), 1u);
          const bool waits = !sealed.last && arrived[0].verdict == Verdict::absorbed;
          EXPECT_TRUE(waits || arrived[0].verdict == Verdict::opened);
          if (whole.size() == 1) EXPECT_EQ(arrived[0].packet, clear);
        }
      }
    }
    a.expect_balance();
    b.expect_balance();
    c.expect_balance();
  }
}

TEST_F(Segments, BypassedIsJoinedInTheDestination) {
  Host host;
  host.open();
  host.add(Way::out, Action::bypass);
  const Bytes clear = udp("10.1.0.1", "10.2.0.1", 200);
  const auto got = run(host, &Boundary::outbound, clear, 5);
  ASSERT_EQ(got.size(), 1u);
  EXPECT_EQ(got[0].verdict, Verdict::bypassed);
  EXPECT_EQ(got[0].packet, clear);
}

TEST_F(Segments, TheFirstPieceMayStandInTheDestinationAlready) {
  open();
  const Bytes clear = udp("10.1.0.1", "10.2.0.1", 300);
  Bytes room(clear.size() + 128);
  std::copy_n(clear.begin(), 50, room.begin());
  Pieces rest;
  rest.add(std::span(clear).subspan(50));
  rest.list.insert(rest.list.begin(), Segment{room.data(), 50});
  const auto sealed = run(a, &Boundary::outbound, rest, room);
  ASSERT_EQ(sealed.size(), 1u);
  const Got opened = b.in1(sealed[0].packet);
  EXPECT_EQ(opened.packet, clear);
}

TEST_F(Segments, WhatDoesNotFitIsDroppedForItsReasonAndNothingElseIsLost) {
  open();
  const Bytes clear = udp("10.1.0.1", "10.2.0.1", 300);
  const Pieces pieces = Pieces::of(clear, 4, random);
  for (const std::size_t room : {std::size_t{0}, clear.size() - 1}) {
    Bytes small(room);
    const auto got = run(a, &Boundary::outbound, pieces, small);
    ASSERT_EQ(got.size(), 1u);
    EXPECT_EQ(got[0].drop, Drop::no_room);
    EXPECT_EQ(run(b, &Boundary::inbound, pieces, small)[0].drop, Drop::no_room);
  }
  Bytes room(clear.size());  // all of it, but not sealed
  EXPECT_EQ(run(a, &Boundary::outbound, pieces, room)[0].drop, Drop::no_room);
  EXPECT_EQ(run(a, &Boundary::outbound, clear, 17)[0].drop, Drop::bad_argument);
  Pieces none;
  none.add({});
  EXPECT_EQ(run(a, &Boundary::outbound, none, room)[0].drop, Drop::malformed_ip);
  EXPECT_EQ(carry(a, b, clear).at(0).packet, clear);
  a.expect_balance();
  b.expect_balance();
}

}  // namespace
}  // namespace espalier::test

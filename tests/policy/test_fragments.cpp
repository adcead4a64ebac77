// SPDX-License-Identifier: BSD-2-Clause-Patent
// Packets that are too long: cut before or after sealing, answered with ICMP, joined again.
#include <algorithm>

#include "fixture.hpp"
#include "policy/fragment.hpp"
#include "policy/icmp.hpp"

namespace espalier {
namespace {

using namespace test;
using driver::test::Random;

constexpr const char* kHere = "10.1.0.1";
constexpr const char* kThere = "10.2.0.1";
constexpr const char* kHere6 = "2001:db8:1::1";
constexpr const char* kThere6 = "2001:db8:2::1";

/// All that is sealed of one packet, in order.
std::vector<Bytes> sealed(std::vector<Got> all) {
  std::vector<Bytes> out;
  for (Got& g : all) {
    EXPECT_EQ(g.verdict, Verdict::sealed) << spec::info(g.drop).name;
    out.push_back(std::move(g.packet));
  }
  return out;
}
/// The packet that comes out when `pieces` arrive in this order; empty if none does.
Bytes joined(Host& host, const std::vector<Bytes>& pieces) {
  Bytes whole;
  for (std::size_t i = 0; i < pieces.size(); ++i)
    for (Got& g : host.in(pieces[i], i)) {
      EXPECT_EQ(g.cookie, i);
      if (g.verdict == Verdict::absorbed) continue;
      EXPECT_EQ(g.verdict, Verdict::opened) << spec::info(g.drop).name;
      EXPECT_TRUE(whole.empty());
      whole = std::move(g.packet);
    }
  return whole;
}
/// Cuts a clear packet into pieces of `limit` octets or less.
std::vector<Bytes> cut(const Bytes& packet, std::uint32_t limit, std::uint32_t id = 7) {
  IpHeader ip;
  EXPECT_EQ(parse_ip(packet, static_cast<std::uint32_t>(packet.size()), ip), Drop::none);
  const Cut pieces(packet, ip, limit, id);
  std::vector<Bytes> out;
  for (std::uint32_t i = 0; i < pieces.pieces(); ++i) {
    Bytes piece(limit);
    piece.resize(pieces.write(i, piece));
    out.push_back(std::move(piece));
  }
  return out;
}
Bytes mapped_id(Bytes p, std::uint8_t id) {
  return with(std::move(p), 5, id);
}

SaRole with_mtu(std::uint32_t mtu, Fragmenting fragmenting = Fragmenting::before) {
  SaRole role;
  role.path_mtu = mtu;
  role.fragmenting = fragmenting;
  return role;
}

class Fragments : public TwoHosts {};

TEST_F(Fragments, AreCutBeforeSealingAndEachFits) {
  for (const std::uint32_t mtu : {576u, 1280u, 1500u}) {
    open(with_mtu(mtu));
    const Bytes packet = mapped_id(udp(kHere, kThere, 4000), 9);
    const auto pieces = sealed(a.out(packet));
    ASSERT_GT(pieces.size(), 2u);
    std::vector<Bytes> inner;
    for (const Bytes& p : pieces) {
      EXPECT_LE(p.size(), mtu);
      EXPECT_EQ(load_be16(p.data() + 6) & 0x3fff, 0) << "no fragment outside";
      Got got = b.in1(p);
      ASSERT_EQ(got.verdict, Verdict::opened);
      EXPECT_TRUE(header_sum_ok(got.packet));
      EXPECT_EQ(got.packet[5], 9);
      inner.push_back(std::move(got.packet));
    }
    // The host behind b joins them.
    Host end;
    end.open();
    end.add(Way::in, Action::bypass);
    Bytes whole;
    std::reverse(inner.begin(), inner.end());
    for (Bytes& p : inner)
      for (Got& g : end.in(std::move(p)))
        if (g.verdict == Verdict::bypassed) whole = std::move(g.packet);
    EXPECT_EQ(whole, packet);
    EXPECT_EQ(a.boundary->counters().fragments_sent, pieces.size() - 1);
    a.expect_balance();
    b.expect_balance();
    end.expect_balance();
  }
}

TEST_F(Fragments, AreCutAfterSealingAndJoinedBeforeOpening) {
  Random random;
  SCOPED_TRACE(random.replay());
  for (const auto mode : {driver::Mode::tunnel, driver::Mode::transport})
    for (const bool nat : {false, true})
      for (const std::size_t payload : {1500, 3000, 6000}) {
        open(with_mtu(1500, Fragmenting::after), "aes256-sha256", mode, nat);
        const bool tunnel = mode == driver::Mode::tunnel;
        const Bytes packet = udp(tunnel ? kHere : kA, tunnel ? kThere : kB, payload);
        auto pieces = sealed(a.out(packet));
        ASSERT_GE(pieces.size(), 2u);
        for (const Bytes& p : pieces) {
          EXPECT_LE(p.size(), 1500u);
          EXPECT_TRUE(header_sum_ok(p));
          EXPECT_NE(load_be16(p.data() + 6) & 0x3fff, 0);
        }
        for (std::size_t i = pieces.size(); i > 1; --i)
          std::swap(pieces[i - 1], pieces[random.below(i)]);
        EXPECT_EQ(joined(b, pieces), packet);
        a.expect_balance();
        b.expect_balance();
      }
}

TEST_F(Fragments, OfIpv6TunnelsAreCutByTheirSource) {
  a.open();
  b.open();
  const SaConfig sa = sa_config(0x1001, "2001:db8::a", "2001:db8::b");
  connect(a, at_a, sa, sa_config(0x2002, "2001:db8::b", "2001:db8::a"), with_mtu(1280));
  connect(b, at_b, sa_config(0x2002, "2001:db8::b", "2001:db8::a"), sa, {});
  // 1,280 octets must pass, though they do not fit the tunnel.
  const Bytes packet = udp(kHere6, kThere6, 1280 - 48);
  ASSERT_EQ(packet.size(), 1280u);
  const auto pieces = sealed(a.out(packet));
  ASSERT_EQ(pieces.size(), 2u);
  for (const Bytes& p : pieces) {
    EXPECT_LE(p.size(), 1280u);
    EXPECT_EQ(p[6], 44) << "fragment header";
  }
  EXPECT_EQ(joined(b, {pieces[1], pieces[0]}), packet);
  // One more is told to be 1,280.
  const auto got = a.out(udp(kHere6, kThere6, 1281 - 48));
  ASSERT_EQ(got.size(), 2u);
  EXPECT_EQ(got[0].verdict, Verdict::reply);
  EXPECT_EQ(load_be32(got[0].packet.data() + 44), 1280u);
  EXPECT_EQ(got[0].packet[40], 2);
  EXPECT_EQ(checksum_fold(checksum_add(
                std::span(got[0].packet).subspan(40),
                checksum_add(std::span(got[0].packet).subspan(8, 32),
                             static_cast<std::uint32_t>(got[0].packet.size()) - 40 + 58))),
            0xffff);
  EXPECT_EQ(got[1].drop, Drop::too_long);
}

TEST_F(Fragments, TooLongWithDfIsAnsweredWithTheLengthThatFits) {
  for (const char* suite : {"aes256gcm16", "aes256-sha256", "chacha20poly1305"})
    for (const bool nat : {false, true}) {
      open(with_mtu(1500), suite, driver::Mode::tunnel, nat);
      const auto got = a.out(dont_fragment(udp(kHere, kThere, 1472)), 5);
      ASSERT_EQ(got.size(), 2u);
      EXPECT_EQ(got[0].verdict, Verdict::reply);
      EXPECT_FALSE(got[0].last);
      EXPECT_EQ(got[1].drop, Drop::too_long);
      EXPECT_EQ(got[1].cookie, 5u);
      const Bytes& icmp = got[0].packet;
      ASSERT_GT(icmp.size(), 28u);
      EXPECT_EQ(icmp.size(), 576u);
      EXPECT_TRUE(header_sum_ok(icmp));
      EXPECT_EQ(load_be16(icmp.data() + 20), 0x0304);
      EXPECT_EQ(checksum_fold(checksum_add(std::span(icmp).subspan(20), 0)), 0xffff);
      EXPECT_EQ(load_be32(icmp.data() + 16), 0x0a010001u) << "to the sender";
      const std::size_t mtu = load_be16(icmp.data() + 26);
      EXPECT_EQ(a.out1(dont_fragment(udp(kHere, kThere, mtu - 28))).verdict, Verdict::sealed);
      EXPECT_EQ(a.out(dont_fragment(udp(kHere, kThere, mtu - 27))).back().drop, Drop::too_long);
      a.expect_balance();
    }
}

TEST_F(Fragments, DfClearedOutsideIsCutAfterSealing) {
  a.open();
  const SetHandle set = a.add_set();
  SaConfig sa = sa_config(0x1001, kA, kB);
  sa.dont_fragment = DontFragment::clear;
  a.add_sa(set, sa, with_mtu(1500));
  a.add(Way::out, Action::protect, set);
  EXPECT_EQ(sealed(a.out(dont_fragment(udp(kHere, kThere, 1472)))).size(), 2u);
  // DF set outside: cut before, or not at all.
  SaConfig fixed = sa_config(0x1002, kA, kB);
  fixed.dont_fragment = DontFragment::set;
  a.add_sa(set, fixed, with_mtu(1500, Fragmenting::after));
  for (const Bytes& p : sealed(a.out(udp(kHere, kThere, 1472))))
    EXPECT_EQ(load_be16(p.data() + 6), 0x4000);
}

TEST_F(Fragments, NoIcmpAnswersWhatMustNotBeAnswered) {
  open(with_mtu(1500));
  Bytes error = with(dont_fragment(udp(kHere, kThere, 1472)), 9, 1);
  error[20] = 3;
  Bytes later = with(dont_fragment(udp(kHere, kThere, 1472)), 7, 1);
  const Bytes many = dont_fragment(udp(kHere, "224.0.0.5", 1472));
  for (const Bytes& p : {error, later, many}) EXPECT_EQ(a.out1(p).drop, Drop::too_long);
  // And no more than the rate allows.
  BoundaryConfig config;
  config.icmp_per_second = 3;
  open(with_mtu(1500), "aes256gcm16", driver::Mode::tunnel, false, config);
  std::size_t replies = 0;
  for (int i = 0; i < 10; ++i)
    for (const Got& g : a.out(dont_fragment(udp(kHere, kThere, 1472))))
      replies += g.verdict == Verdict::reply;
  EXPECT_EQ(replies, 3u);
}

TEST_F(Fragments, TransportModeTakesWholePacketsOnly) {
  open({}, "aes256gcm16", driver::Mode::transport);
  for (const Bytes& p : cut(udp(kA, kB, 3000), 1500)) EXPECT_EQ(a.out1(p).drop, Drop::fragment);
  open(with_mtu(1500), "aes256gcm16", driver::Mode::transport);
  EXPECT_EQ(a.out1(cut(udp(kA, kB, 3000), 1500)[0]).drop, Drop::fragment);
  EXPECT_EQ(a.out(dont_fragment(udp(kA, kB, 1472))).back().drop, Drop::too_long);
}

TEST_F(Fragments, PortPoliciesSeeTheFirstFragmentOnly) {
  a.open();
  const SetHandle one = a.add_set(), rest = a.add_set();
  const SaHandle by_port = a.add_sa(one, sa_config(0x1001, kA, kB));
  const SaHandle hidden = a.add_sa(rest, sa_config(0x1002, kA, kB));
  Selector port, opaque;
  port.remote_ports = ValueSet::one(2000);
  opaque.remote_ports = ValueSet::hidden();
  a.add(Way::out, Action::protect, one, port);
  const auto pieces = cut(udp(kHere, kThere, 3000), 1500);
  EXPECT_EQ(a.out1(pieces[0]).sa, by_port);
  EXPECT_EQ(a.out1(pieces[1]).drop, Drop::no_policy_out);
  a.add(Way::out, Action::protect, rest, opaque);
  EXPECT_EQ(a.out1(pieces[1]).sa, hidden);
  a.add(Way::out, Action::protect, rest, {}, 0);
  EXPECT_EQ(a.out1(pieces[0]).sa, by_port);
}

// ---- path MTU that ICMP claims (RFC 4301 8.2)

/// What a router on the way from a to b says of `packet`.
Bytes claim(const Bytes& packet, std::uint32_t mtu) {
  IpHeader ip;
  EXPECT_EQ(parse_ip(packet, static_cast<std::uint32_t>(packet.size()), ip), Drop::none);
  Bytes out(1280);
  out.resize(write_too_big(packet, ip, mtu, address("198.51.100.1").octets.data(), out));
  return out;
}

TEST_F(Fragments, ClaimsOfAPathMtuAreHeededWithinBoundsAndForgotten) {
  for (const bool nat : {false, true}) {
    open({}, "aes256gcm16", driver::Mode::tunnel, nat);
    a.boundary->tick(std::chrono::seconds(1));
    const Bytes packet = a.out1(udp(kHere, kThere, 1400)).packet;
    const auto mtu = [&] { return *a.boundary->path_mtu(at_a.out); };
    EXPECT_EQ(mtu(), 0u);
    EXPECT_EQ(a.in1(claim(packet, 1400)).verdict, Verdict::absorbed);
    EXPECT_EQ(mtu(), 1400u);
    std::size_t told = 0;
    for (const BoundaryEvent& e : a.events()) {
      told += e.kind == BoundaryEventKind::path_mtu;
      EXPECT_EQ(e.number, 1400u);
      EXPECT_EQ(e.sa, at_a.out);
    }
    EXPECT_EQ(told, 1u);
    a.in(claim(packet, 1450));
    EXPECT_EQ(mtu(), 1400u) << "ICMP only lowers";
    a.in(claim(packet, 68));
    EXPECT_EQ(mtu(), 576u) << "and not below the least";
    EXPECT_GT(sealed(a.out(udp(kHere, kThere, 1400))).size(), 1u);
    a.boundary->tick(std::chrono::minutes(9));
    EXPECT_EQ(mtu(), 576u);
    a.boundary->tick(std::chrono::minutes(11));
    EXPECT_EQ(mtu(), 0u) << "forgotten";
    a.expect_balance();
  }
}

TEST_F(Fragments, ClaimsAboutOtherPacketsAreNotHeeded) {
  open();
  const Bytes packet = a.out1(udp(kHere, kThere, 1400)).packet;
  const auto ignored = [&](Bytes icmp) {
    const Got got = a.in1(std::move(icmp));
    EXPECT_EQ(got.drop, Drop::policy_in) << "clear ICMP, like any other";
    EXPECT_EQ(*a.boundary->path_mtu(at_a.out), 0u);
  };
  Bytes spi = packet;
  spi[23] ^= 1;
  ignored(claim(spi, 1000));
  ignored(claim(with(packet, 15, 99), 1000));  // not from here
  ignored(claim(with(packet, 19, 99), 1000));  // not to the peer
  Bytes forged = claim(packet, 1000);
  forged[30] ^= 1;
  ignored(forged);
  ignored(claim(udp(kA, kB, 100), 1000));
  Bytes cut_short = claim(packet, 1000);
  cut_short.resize(20 + 8 + 20 + 3);
  store_be16(cut_short.data() + 2, static_cast<std::uint16_t>(cut_short.size()));
  cut_short = with(cut_short, 8, 64);
  store_be16(cut_short.data() + 22, 0);
  store_be16(cut_short.data() + 22, static_cast<std::uint16_t>(~checksum_fold(
                                        checksum_add(std::span(cut_short).subspan(20), 0))));
  ignored(cut_short);
}

// ---- joining: bounds in memory and time, overlaps (RFC 5722)

class Joining : public TwoHosts {
 protected:
  void open_joining(std::uint32_t packets = 4) {
    config_.reassemblies = packets;
    open({}, "aes256gcm16", driver::Mode::tunnel, false, config_);
    b.boundary->tick(std::chrono::seconds(1));
  }
  /// A sealed packet in pieces of 576 octets, with an identification of its own.
  std::vector<Bytes> pieces(std::size_t payload = 1500) {
    return cut(a.out1(udp(kHere, kThere, payload)).packet, 576);
  }
  std::uint64_t drops(Drop drop) {
    return b.boundary->counters().drops[static_cast<unsigned>(drop)];
  }
  BoundaryConfig config_;
};

TEST_F(Joining, AMissingPieceEndsByTime) {
  open_joining();
  const auto p = pieces();
  ASSERT_EQ(p.size(), 3u);
  EXPECT_EQ(b.in1(p[0]).verdict, Verdict::absorbed);
  EXPECT_EQ(b.in1(p[2]).verdict, Verdict::absorbed);
  EXPECT_EQ(b.boundary->counters().fragments_held, 2u);
  b.boundary->tick(std::chrono::seconds(30));
  b.poll();
  EXPECT_EQ(b.boundary->counters().fragments_held, 2u);
  b.boundary->tick(std::chrono::seconds(31));
  b.poll();
  EXPECT_EQ(b.boundary->counters().fragments_held, 0u);
  EXPECT_EQ(drops(Drop::reassembly_timeout), 2u);
  EXPECT_EQ(b.in1(p[1]).verdict, Verdict::absorbed) << "a new packet, as far as b can tell";
  b.expect_balance();
}

TEST_F(Joining, OverlapsSpoilTheWholePacket) {
  const auto overlapping = [&](unsigned again, bool other_octets, bool longer) {
    open_joining();
    auto p = pieces();
    Bytes bad = p[again];
    if (longer) {
      bad.resize(bad.size() + 8);
      store_be16(bad.data() + 2, static_cast<std::uint16_t>(bad.size()));
    }
    if (other_octets) bad[40] ^= 1;
    EXPECT_EQ(b.in1(p[0]).verdict, Verdict::absorbed);
    EXPECT_EQ(b.in1(p[1]).verdict, Verdict::absorbed);
    EXPECT_EQ(b.in1(with(bad, 8, 64)).drop, Drop::reassembly_overlap);
    EXPECT_EQ(b.in1(p[2]).drop, Drop::reassembly_overlap) << "also what is still to come";
    EXPECT_EQ(drops(Drop::reassembly_overlap), 4u);
    b.boundary->tick(std::chrono::seconds(40));
    b.poll();
    b.expect_balance();
    EXPECT_EQ(joined(b, pieces()).size(), 1528u) << "the next one passes";
  };
  for (const unsigned again : {0u, 1u})
    for (const bool other : {false, true})
      for (const bool longer : {false, true}) overlapping(again, other, longer);
}

TEST_F(Joining, ImpossibleLengthsAreDropped) {
  open_joining();
  const auto p = pieces();
  Bytes odd = p[0];
  odd.resize(odd.size() - 3);
  store_be16(odd.data() + 2, static_cast<std::uint16_t>(odd.size()));
  EXPECT_EQ(b.in1(with(odd, 8, 64)).drop, Drop::malformed_ip);
  // The ping of death: beyond 65,535.
  Bytes far = with(with(p[2], 6, 0x1f), 7, 0xff);
  EXPECT_EQ(b.in1(far).drop, Drop::malformed_ip);
  // A second end, and octets behind the end.
  open_joining();
  const auto q = pieces();
  EXPECT_EQ(b.in1(q[2]).verdict, Verdict::absorbed);
  EXPECT_EQ(b.in1(with(q[1], 6, 0)).drop, Drop::reassembly_overlap);
  EXPECT_EQ(b.in1(q[0]).drop, Drop::reassembly_overlap);
  b.expect_balance();
}

TEST_F(Joining, TheOldestPacketGivesWayToAFlood) {
  open_joining(2);
  const auto first = pieces(), second = pieces(), third = pieces();
  b.in(first[0]);
  b.boundary->tick(std::chrono::seconds(2));
  b.in(second[0]);
  b.in(third[0]);
  EXPECT_EQ(drops(Drop::reassembly_limit), 1u);
  EXPECT_EQ(joined(b, {second[1], second[2]}).size(), 1528u);
  EXPECT_EQ(joined(b, {third[2], third[1]}).size(), 1528u);
  b.expect_balance();
  // Every fragment of a flood is accounted for.
  for (int i = 0; i < 50; ++i) b.in(pieces()[i % 3]);
  EXPECT_LE(b.boundary->counters().fragments_held, 2u);
  b.expect_balance();
}

TEST_F(Joining, ManyPiecesInAnyOrderAndTooManyGaps) {
  Random random;
  SCOPED_TRACE(random.replay());
  open_joining();
  const Bytes whole = udp(kHere, kThere, 1200);
  for (int round = 0; round < 20; ++round) {
    auto p = cut(a.out1(whole).packet, 20 + 24);
    for (std::size_t i = p.size(); i > 1; --i) {
      const std::size_t near = i - 1 - random.below(std::min<std::size_t>(i, 20));
      std::swap(p[i - 1], p[near]);
    }
    EXPECT_EQ(joined(b, p), whole);
  }
  const auto p = cut(a.out1(udp(kHere, kThere, 3000)).packet, 20 + 8);
  Drop drop = Drop::none;
  for (std::size_t i = 0; i < p.size() && drop == Drop::none; i += 2) drop = b.in1(p[i]).drop;
  EXPECT_EQ(drop, Drop::reassembly_limit);
  b.expect_balance();
}

TEST_F(Joining, CongestionMarksOfPiecesAreKept) {
  open_joining();
  auto p = cut(with(a.out1(with(udp(kHere, kThere, 1500), 1, 2)).packet, 8, 64), 576);
  p[1] = with(p[1], 1, p[1][1] | 3);
  const Bytes inner = joined(b, p);
  ASSERT_FALSE(inner.empty());
  EXPECT_EQ(inner[1] & 3, 3);
}

TEST_F(Joining, OptionsAreCopiedAsTheySay) {
  // Router alert (copied), record route (not), in a clear packet cut in two.
  Bytes packet = udp(kHere, kThere, 100);
  const Bytes options = {0x94, 4, 0, 0, 7, 7, 4, 0, 0, 0, 0, 0};
  packet.insert(packet.begin() + 20, options.begin(), options.end());
  packet[0] = 0x48;
  store_be16(packet.data() + 2, static_cast<std::uint16_t>(packet.size()));
  store_be16(packet.data() + 10, 0);
  const auto p = cut(packet, 80);
  ASSERT_GE(p.size(), 3u);
  EXPECT_EQ(p[0][0], 0x48);
  EXPECT_EQ(p[1][0], 0x46);
  EXPECT_EQ(p[1][20], 0x94);
  for (const Bytes& piece : p) EXPECT_TRUE(header_sum_ok(piece));
  // A fragment can be cut again.
  const auto again = cut(p[0], 60);
  ASSERT_GE(again.size(), 2u);
  EXPECT_NE(again.back()[6] & 0x20, 0) << "more come after the last piece of a first fragment";
}

}  // namespace
}  // namespace espalier

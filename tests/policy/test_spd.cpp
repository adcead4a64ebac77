// SPDX-License-Identifier: BSD-2-Clause-Patent
// The SPD against the plainest thing that could be right: a list looked through from its head.
#include <gtest/gtest.h>

#include "../driver/support.hpp"
#include "packet/octets.hpp"
#include "policy/spd.hpp"

namespace espalier {
namespace {

using driver::test::Random;

Address v4(std::uint32_t address) {
  return narrow(Family::ipv4, {0, address});
}
Address v6(std::uint64_t high, std::uint64_t low) {
  return narrow(Family::ipv6, {high, low});
}
/// `shown`: the type, or the two ports, the source's first.
Flow make_flow(Way way, Family family, const WideAddress& local, const WideAddress& remote,
               std::uint8_t protocol, Flow::Shows shows, std::array<std::uint16_t, 2> shown) {
  std::uint32_t value = shown[0];
  if (shows == Flow::Shows::ports) {
    std::uint8_t octets[4];
    store_be16(octets, shown[0]);
    store_be16(octets + 2, shown[1]);
    std::memcpy(&value, octets, 4);
  }
  Flow f;
  f.meta = Flow::make_meta(way, family, protocol, shows, shows == Flow::Shows::nothing ? 0 : value);
  const Address source = narrow(family, way == Way::out ? local : remote);
  const Address destination = narrow(family, way == Way::out ? remote : local);
  std::memcpy(f.addresses, source.octets.data(), source.size());
  std::memcpy(reinterpret_cast<std::uint8_t*>(f.addresses) + source.size(),
              destination.octets.data(), source.size());
  return f;
}
/// Outbound IPv4.
Flow flow4(std::uint32_t local, std::uint32_t remote, std::uint8_t protocol = 17,
           Flow::Shows shows = Flow::Shows::ports, std::array<std::uint16_t, 2> shown = {1, 2}) {
  return make_flow(Way::out, Family::ipv4, {0, local}, {0, remote}, protocol, shows, shown);
}

// ---- the plain model

bool contains(const std::vector<AddressRange>& list, Family family, const WideAddress& a) {
  if (list.empty()) return true;
  for (const AddressRange& r : list)
    if (r.first.family == family && wide(r.first) <= a && a <= wide(r.last)) return true;
  return false;
}
bool contains(const ValueSet& set, std::uint32_t value) {
  if (set.any) return true;
  if (value == Flow::kHidden) return set.opaque;
  for (const ValueRange& r : set.ranges)
    if (r.first <= value && value <= r.last) return true;
  return false;
}
bool matches(const Selector& s, const Flow& f) {
  bool protocol = s.protocols.empty();
  for (const ValueRange& r : s.protocols)
    protocol = protocol || (r.first <= f.protocol() && f.protocol() <= r.last);
  return protocol && contains(s.local, f.family(), f.local()) &&
         contains(s.remote, f.family(), f.remote()) && contains(s.local_ports, f.local_port()) &&
         contains(s.remote_ports, f.remote_port()) && contains(s.types, f.type());
}

// ---- random selectors over few values, so that ranges meet, nest and share ends

struct Maker {
  Random& random;

  WideAddress address(Family family) {
    if (family == Family::ipv4) {
      static constexpr std::uint32_t kCorners[] = {0, 0xffffffff};
      return {0, random.below(8) == 0 ? kCorners[random.below(2)] : 0x0a000000 + random.below(64)};
    }
    switch (random.below(8)) {
      case 0:
        return {0, 0};
      case 1:
        return {~0ull, ~0ull};
      case 2:
        return {0x20010db800000000, ~0ull};
      default:
        return {0x20010db800000000 + random.below(2), random.below(32)};
    }
  }
  std::vector<AddressRange> addresses() {
    std::vector<AddressRange> out;
    for (std::uint64_t n = random.below(4); n != 0; --n) {
      const Family family = random.below(3) != 0 ? Family::ipv4 : Family::ipv6;
      WideAddress a = address(family), b = address(family);
      if (b < a) std::swap(a, b);
      out.push_back({narrow(family, a), narrow(family, b)});
    }
    return out;
  }
  std::uint16_t value() {
    static constexpr std::uint16_t kValues[] = {0, 1, 2, 79, 80, 81, 1024, 0xfffe, 0xffff};
    return kValues[random.below(9)];
  }
  ValueSet values() {
    if (random.below(2) != 0) return {};
    ValueSet set;
    set.any = false;
    set.opaque = random.below(3) == 0;
    for (std::uint64_t n = random.below(3) + !set.opaque; n != 0; --n) {
      std::uint16_t a = value(), b = value();
      if (b < a) std::swap(a, b);
      set.ranges.push_back({a, b});
    }
    return set;
  }
  Selector selector() {
    Selector s;
    s.local = addresses();
    s.remote = addresses();
    if (random.below(2) != 0) s.protocols = {{6, 17}};
    if (random.below(4) == 0) s.protocols.push_back({255, 255});
    s.local_ports = values();
    s.remote_ports = values();
    if (random.below(3) == 0) s.types = values();
    return s;
  }
  Flow flow(Way way) {
    const Family family = random.below(3) != 0 ? Family::ipv4 : Family::ipv6;
    static constexpr std::uint8_t kProtocols[] = {0, 1, 5, 6, 17, 18, 58, 255};
    const WideAddress local = address(family), remote = address(family);
    const auto shows = static_cast<Flow::Shows>(random.below(3));
    return make_flow(way, family, local, remote, kProtocols[random.below(8)], shows,
                     {value(), value()});
  }
};

TEST(Spd, AgreesWithAListLookedThroughFromItsHead) {
  Random random;
  SCOPED_TRACE(random.replay());
  Maker make{random};
  std::size_t found = 0, missed = 0;
  for (std::uint32_t version = 1; version <= 60; ++version) {
    std::vector<SpdView::Entry> entries(random.below(version % 10 == 0 ? 500 : 12));
    for (std::size_t i = 0; i < entries.size(); ++i) {
      entries[i].view.handle = PolicyHandle(i + 1);
      entries[i].config.way = static_cast<Way>(random.below(3));
      entries[i].config.selector = make.selector();
      ASSERT_EQ(check(entries[i].config.selector), "");
    }
    const SpdView spd(entries, version);
    FlowCache cache(16);
    for (int k = 0; k < 300; ++k) {
      const Flow flow = make.flow(static_cast<Way>(random.below(3)));
      PolicyHandle expected = PolicyHandle::none;
      for (const auto& e : entries)
        if (e.config.way == flow.way() && matches(e.config.selector, flow)) {
          expected = e.view.handle;
          break;
        }
      const PolicyView* found_one = spd.find(flow);
      ASSERT_EQ(found_one == nullptr ? PolicyHandle::none : found_one->handle, expected);
      for (int again = 0; again < 2; ++again)
        ASSERT_EQ(cache.find(spd, flow, flow.hash()).policy->handle, expected) << "flow " << k;
      ++(expected == PolicyHandle::none ? missed : found);
    }
  }
  EXPECT_GT(found, 1000u);
  EXPECT_GT(missed, 1000u);
}

/// The policy an SPD of one entry gives, or none.
bool hits(const Selector& selector, const Flow& flow) {
  SpdView::Entry entry;
  entry.view.handle = PolicyHandle(1);
  entry.config.selector = selector;
  return SpdView({&entry, 1}, 1).find(flow) != nullptr;
}

TEST(Spd, RangesEndWhereTheySay) {
  Selector s;
  s.local = {*AddressRange::parse("10.0.0.5-10.0.0.9")};
  s.remote = {*AddressRange::parse("192.168.0.0/30")};
  s.protocols = {{17, 17}};
  s.remote_ports = ValueSet::of({{1000, 1002}});
  const auto at = [&](std::uint32_t local, std::uint32_t remote, std::uint8_t protocol,
                      std::uint16_t port) {
    return hits(s, flow4(local, remote, protocol, Flow::Shows::ports, {7, port}));
  };
  constexpr std::uint32_t kLocal = 0x0a000005, kRemote = 0xc0a80000;
  EXPECT_TRUE(at(kLocal, kRemote, 17, 1000));
  EXPECT_TRUE(at(kLocal + 4, kRemote + 3, 17, 1002));
  EXPECT_FALSE(at(kLocal - 1, kRemote, 17, 1000));
  EXPECT_FALSE(at(kLocal + 5, kRemote, 17, 1000));
  EXPECT_FALSE(at(kLocal, kRemote - 1, 17, 1000));
  EXPECT_FALSE(at(kLocal, kRemote + 4, 17, 1000));
  EXPECT_FALSE(at(kLocal, kRemote, 16, 1000));
  EXPECT_FALSE(at(kLocal, kRemote, 18, 1000));
  EXPECT_FALSE(at(kLocal, kRemote, 17, 999));
  EXPECT_FALSE(at(kLocal, kRemote, 17, 1003));

  Selector ping;
  ping.protocols = {{1, 1}};
  ping.types = ValueSet::of({{8 << 8, 8 << 8 | 0xff}, {3 << 8 | 4, 3 << 8 | 4}});
  const auto type = [&](std::uint16_t value) {
    return hits(ping, flow4(1, 2, 1, Flow::Shows::type, {value}));
  };
  EXPECT_TRUE(type(8 << 8));
  EXPECT_TRUE(type(8 << 8 | 255));
  EXPECT_FALSE(type(9 << 8));
  EXPECT_TRUE(type(3 << 8 | 4));
  EXPECT_FALSE(type(3 << 8 | 3));
  EXPECT_FALSE(hits(ping, flow4(1, 2, 1, Flow::Shows::nothing)));
}

TEST(Spd, HiddenValuesMatchOpaqueAndAnyAlone) {
  const Flow hidden = flow4(1, 2, 17, Flow::Shows::nothing);
  const Flow shown = flow4(1, 2, 17, Flow::Shows::ports, {500, 500});
  Selector any, all, opaque, both;
  all.local_ports = ValueSet::of({{0, 0xffff}});
  opaque.local_ports = ValueSet::hidden();
  both.local_ports = {false, true, {{500, 500}}};
  EXPECT_TRUE(hits(any, hidden));
  EXPECT_TRUE(hits(any, shown));
  EXPECT_FALSE(hits(all, hidden)) << "every port is not ANY";
  EXPECT_TRUE(hits(all, shown));
  EXPECT_TRUE(hits(opaque, hidden));
  EXPECT_FALSE(hits(opaque, shown));
  EXPECT_TRUE(hits(both, hidden));
  EXPECT_TRUE(hits(both, shown));
}

TEST(Spd, ACachedAnswerEndsWithItsView) {
  SpdView::Entry entry;
  entry.view.handle = PolicyHandle(1);
  FlowCache cache(2);
  const Flow flow = flow4(1, 2);
  {
    const SpdView first({&entry, 1}, 1);
    EXPECT_EQ(cache.find(first, flow, flow.hash()).policy->handle, PolicyHandle(1));
    EXPECT_EQ(cache.find(first, flow, flow.hash()).policy->handle, PolicyHandle(1));
  }
  entry.view.handle = PolicyHandle(2);
  const SpdView second({&entry, 1}, 2);
  EXPECT_EQ(cache.find(second, flow, flow.hash()).policy->handle, PolicyHandle(2));
}

TEST(Spd, SelectorsThatMatchNothingAreRefused) {
  Selector backwards;
  backwards.local = {{v4(2), v4(1)}};
  Selector mixed;
  mixed.remote = {{v4(1), v6(0, 2)}};
  Selector nothing;
  nothing.types = ValueSet::of({});
  Selector protocol;
  protocol.protocols = {{0, 256}};
  for (const Selector& s : {backwards, mixed, nothing, protocol}) EXPECT_NE(check(s), "");
  for (const char* text : {"10.0.0.9-10.0.0.1", "10.0.0.1-::1", "10.0.0.0/33", "x", "1-2-3"})
    EXPECT_FALSE(AddressRange::parse(text)) << text;
  EXPECT_EQ(AddressRange::parse("10.1.2.3/20")->first, v4(0x0a010000));
  EXPECT_EQ(AddressRange::parse("10.1.2.3/20")->last, v4(0x0a010fff));
  EXPECT_EQ(AddressRange::parse("2001:db8::/32")->last, v6(0x20010db8ffffffff, ~0ull));
  EXPECT_EQ(AddressRange::parse("::/0")->last, v6(~0ull, ~0ull));
}

// ---- what a packet shows of itself

Flow read(const std::vector<std::uint8_t>& packet, Way way = Way::out) {
  IpHeader ip;
  EXPECT_EQ(parse_ip(packet, static_cast<std::uint32_t>(packet.size()), ip), Drop::none);
  return flow_of(way, packet.data(), ip);
}

TEST(FlowOf, PortsTypesAndFragments) {
  std::vector<std::uint8_t> p(28);
  p[0] = 0x45;
  p[3] = 28;
  p[9] = 17;
  store_be32(p.data() + 12, 0x0a000001);
  store_be32(p.data() + 16, 0x0a000002);
  store_be16(p.data() + 20, 1111);
  store_be16(p.data() + 22, 2222);
  EXPECT_EQ(read(p).local_port(), 1111u);
  EXPECT_EQ(read(p).remote_port(), 2222u);
  EXPECT_EQ(read(p).local()[1], 0x0a000001u);
  EXPECT_EQ(read(p, Way::in).local_port(), 2222u) << "inbound, the destination is local";
  EXPECT_EQ(read(p, Way::in).local()[1], 0x0a000002u);
  p[6] = 0x20;  // first fragment
  EXPECT_EQ(read(p).local_port(), 1111u);
  p[7] = 3;  // a later one
  EXPECT_EQ(read(p).local_port(), Flow::kHidden);
  EXPECT_EQ(read(p).remote_port(), Flow::kHidden);
  p[6] = p[7] = 0;
  p[9] = 1;
  EXPECT_EQ(read(p).type(), 1111u);
  EXPECT_EQ(read(p).local_port(), Flow::kHidden);
  p[9] = 50;
  EXPECT_EQ(read(p).local_port(), Flow::kHidden) << "ESP's payload is opaque";
  p[9] = 17;
  p[3] = 23;
  EXPECT_EQ(read(p).local_port(), Flow::kHidden) << "cut within the ports";

  std::vector<std::uint8_t> six(40 + 8 + 8);
  six[0] = 0x60;
  six[5] = 16;
  six[6] = 44;
  six[40] = 17;
  six[43] = 1;  // first fragment, more to come
  store_be16(six.data() + 48, 53);
  EXPECT_EQ(read(six).local_port(), 53u);
  EXPECT_EQ(read(six).protocol(), 17u);
  six[43] = 8;
  EXPECT_EQ(read(six).local_port(), Flow::kHidden);
}

}  // namespace
}  // namespace espalier

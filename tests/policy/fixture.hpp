// SPDX-License-Identifier: BSD-2-Clause-Patent
// Boundaries over software, packets to send through them, and a wire between two of them.
#pragma once

#include <gtest/gtest.h>

#include <deque>
#include <string>

#include "../driver/support.hpp"
#include "espalier/boundary.hpp"
#include "espalier/driver/software.hpp"
#include "packet/checksum.hpp"
#include "packet/ip.hpp"
#include "packet/octets.hpp"

namespace espalier::test {

using Bytes = std::vector<std::uint8_t>;
inline constexpr QueueId kQueue{0};

inline Address address(const std::string& text) {
  return Address::parse(text).value();
}

/// A UDP packet with `payload` octets that count up; checksums right.
inline Bytes udp(const std::string& from, const std::string& to, std::size_t payload,
                 std::uint16_t source_port = 1000, std::uint16_t destination_port = 2000) {
  const Address source = address(from), destination = address(to);
  const bool v4 = source.family == Family::ipv4;
  const std::size_t header = v4 ? 20 : 40, length = 8 + payload;
  Bytes p(header + length);
  std::uint8_t* d = p.data() + header;
  store_be16(d, source_port);
  store_be16(d + 2, destination_port);
  store_be16(d + 4, static_cast<std::uint16_t>(length));
  for (std::size_t i = 0; i < payload; ++i) d[8 + i] = static_cast<std::uint8_t>(i * 7 + i / 256);
  std::uint8_t* addresses = p.data() + (v4 ? 12 : 8);
  std::copy_n(source.octets.begin(), source.size(), addresses);
  std::copy_n(destination.octets.begin(), destination.size(), addresses + source.size());
  std::uint32_t sum = checksum_add({addresses, 2 * source.size()},
                                   static_cast<std::uint32_t>(length) + kProtocolUdp);
  store_be16(d + 6, static_cast<std::uint16_t>(~checksum_fold(checksum_add({d, length}, sum))));
  if (v4) {
    p[0] = 0x45;
    store_be16(p.data() + 2, static_cast<std::uint16_t>(p.size()));
    p[8] = 64;
    p[9] = kProtocolUdp;
    store_be16(p.data() + 10,
               static_cast<std::uint16_t>(~checksum_fold(checksum_add({p.data(), 20}, 0))));
  } else {
    p[0] = 0x60;
    store_be16(p.data() + 4, static_cast<std::uint16_t>(length));
    p[6] = kProtocolUdp;
    p[7] = 64;
  }
  return p;
}
/// Changes octets of an IPv4 header and mends its checksum.
inline Bytes with(Bytes p, std::size_t at, std::uint8_t value) {
  p[at] = value;
  store_be16(p.data() + 10, 0);
  store_be16(p.data() + 10,
             static_cast<std::uint16_t>(~checksum_fold(checksum_add({p.data(), 20}, 0))));
  return p;
}
inline Bytes dont_fragment(Bytes p) {
  return with(std::move(p), 6, 0x40);
}
inline bool header_sum_ok(const Bytes& p) {
  return checksum_fold(checksum_add({p.data(), (p[0] & 15u) * 4u}, 0)) == 0xffff;
}

struct Got {
  std::uint64_t cookie = 0;
  Verdict verdict = Verdict::discarded;
  Drop drop = Drop::none;
  Way way = Way::out;
  bool last = true;
  SaHandle sa = SaHandle::none;
  PolicyHandle policy = PolicyHandle::none;
  std::uint64_t number = 0;
  Bytes packet;
};

/// One side.
class Host {
 public:
  void open(const BoundaryConfig& config = {}, ContextConfig limits = {}) {
    boundary.reset();
    context.reset();
    std::vector<std::unique_ptr<driver::Device>> devices;
    driver::SoftwareOptions options;
    options.queues = limits.queues;
    options.slots = limits.max_sas;
    devices.push_back(driver::make_software(options));
    auto l1 = Context::create(limits, std::move(devices));
    ASSERT_TRUE(l1) << l1.error();
    context = std::move(*l1);
    auto l2 = Boundary::create(config, *context);
    ASSERT_TRUE(l2) << l2.error();
    boundary = std::move(*l2);
  }
  std::vector<Got> out(Bytes packet, std::uint64_t cookie = 0, QueueId queue = kQueue) {
    offer(&Boundary::outbound, std::move(packet), cookie, queue);
    return poll(queue);
  }
  std::vector<Got> in(Bytes packet, std::uint64_t cookie = 0, QueueId queue = kQueue) {
    offer(&Boundary::inbound, std::move(packet), cookie, queue);
    return poll(queue);
  }
  /// The one outcome of a packet.
  Got out1(Bytes packet, QueueId queue = kQueue) { return one(out(std::move(packet), 0, queue)); }
  Got in1(Bytes packet, QueueId queue = kQueue) { return one(in(std::move(packet), 0, queue)); }

  using Way2 = std::size_t (Boundary::*)(QueueId, std::span<const Packet>) noexcept;
  void offer(Way2 way, Bytes packet, std::uint64_t cookie, QueueId queue = kQueue) {
    memory.push_back(std::move(packet));
    memory.emplace_back(memory.back().size() + 2048);
    Packet p;
    p.cookie = cookie;
    p.source = memory[memory.size() - 2];
    p.destination = memory.back();
    ASSERT_EQ((boundary.get()->*way)(queue, {&p, 1}), 1u) << "no room";
  }
  std::vector<Got> poll(QueueId queue = kQueue) {
    std::vector<Got> all;
    Outcome outcomes[7];  // odd, so that bursts do not fit
    for (std::size_t n = 1; n != 0;) {
      n = boundary->poll(queue, outcomes);
      for (std::size_t i = 0; i < n; ++i) {
        const Outcome& o = outcomes[i];
        all.push_back({o.cookie, o.verdict, o.drop, o.way, o.last, o.sa, o.policy, o.number,
                       Bytes(o.packet.begin(), o.packet.end())});
        boundary->release(queue, o);
      }
    }
    return all;
  }
  std::vector<BoundaryEvent> events() {
    std::vector<BoundaryEvent> all;
    for (BoundaryEvent e; boundary->next_event(e);) all.push_back(e);
    return all;
  }
  std::size_t count(BoundaryEventKind kind) {
    std::size_t n = 0;
    for (const BoundaryEvent& e : events()) n += e.kind == kind;
    return n;
  }
  SetHandle add_set() {
    auto set = boundary->add_set();
    EXPECT_TRUE(set) << (set ? "" : set.error());
    return *set;
  }
  PolicyHandle add(Way way, Action action, SetHandle set = SetHandle::none, Selector selector = {},
                   std::uint32_t priority = 0) {
    PolicyConfig policy;
    policy.way = way;
    policy.action = action;
    policy.set = set;
    policy.selector = std::move(selector);
    policy.priority = priority;
    auto added = boundary->add(policy);
    EXPECT_TRUE(added) << (added ? "" : added.error());
    return added ? *added : PolicyHandle::none;
  }
  SaHandle add_sa(SetHandle set, const SaConfig& config, const SaRole& role = {}) {
    auto sa = boundary->add_sa(set, config, role);
    EXPECT_TRUE(sa) << (sa ? "" : sa.error());
    return sa ? *sa : SaHandle::none;
  }
  /// Every offered packet has had its verdict, and every drop its reason.
  void expect_balance() {
    const BoundaryCounters c = boundary->counters();
    std::uint64_t settled = 0, drops = 0;
    for (unsigned v = 0; v <= static_cast<unsigned>(Verdict::discarded); ++v)
      settled += c.verdicts[v];
    for (const std::uint64_t n : c.drops) drops += n;
    EXPECT_EQ(c.offered, settled);
    const std::uint64_t dropped_later =
        drops - c.verdicts[static_cast<unsigned>(Verdict::discarded)];
    EXPECT_EQ(c.verdicts[static_cast<unsigned>(Verdict::absorbed)],
              c.fragments_joined + c.fragments_held + dropped_later + c.icmp_noted);
  }

  std::deque<Bytes> memory;
  std::unique_ptr<Context> context;
  std::unique_ptr<Boundary> boundary;

 private:
  static Got one(std::vector<Got> all) {
    EXPECT_EQ(all.size(), 1u);
    return all.empty() ? Got{} : all[0];
  }
};

/// An SA from `from` to `to`, as its sender has it.
inline SaConfig sa_config(std::uint32_t spi, const std::string& from, const std::string& to,
                          const std::string& suite_name = "aes256gcm16",
                          driver::Mode mode = driver::Mode::tunnel,
                          bool udp_encapsulation = false) {
  std::string why;
  const auto suite = driver::parse_suite(suite_name, driver::Protocol::esp, why);
  EXPECT_TRUE(suite) << why;
  SaConfig config;
  driver::apply(*suite, config.transform);
  config.transform.spi = spi;
  config.transform.mode = mode;
  config.transform.udp_encapsulation = udp_encapsulation;
  const Bytes key(suite->cipher_key_length + suite->salt_length, static_cast<std::uint8_t>(spi));
  const Bytes auth(suite->integrity_key_length, static_cast<std::uint8_t>(spi + 1));
  EXPECT_EQ(driver::set_keys(*suite, key, auth, config.transform), "");
  const Address source = address(from), destination = address(to);
  config.transform.outer = source.family;
  config.ends.family = source.family;
  config.ends.source = source.octets;
  config.ends.destination = destination.octets;
  return config;
}
/// The same SA as its receiver has it.
inline SaConfig received(SaConfig config) {
  config.transform.direction = driver::Direction::open;
  return config;
}

/// Everything between one pair of hosts in a set.
struct Link {
  SetHandle set = SetHandle::none;
  SaHandle out = SaHandle::none, in = SaHandle::none;
};

/// a (10.1.0.0/16 behind 192.0.2.1) and b (10.2.0.0/16 behind 192.0.2.2), all between them
/// protected.
class TwoHosts : public ::testing::Test {
 protected:
  static constexpr const char* kA = "192.0.2.1";
  static constexpr const char* kB = "192.0.2.2";

  /// `role`: of what a sends.
  void open(const SaRole& role = {}, const std::string& suite = "aes256gcm16",
            driver::Mode mode = driver::Mode::tunnel, bool nat = false,
            BoundaryConfig config = {}) {
    a.open(config);
    b.open(config);
    const SaConfig there = sa_config(0x1001, kA, kB, suite, mode, nat);
    const SaConfig back = sa_config(0x2002, kB, kA, suite, mode, nat);
    connect(a, at_a, there, back, role);
    connect(b, at_b, back, there, {});
  }
  static void connect(Host& host, Link& link, const SaConfig& out, const SaConfig& in,
                      const SaRole& role) {
    link.set = host.add_set();
    link.out = host.add_sa(link.set, out, role);
    link.in = host.add_sa(link.set, received(in));
    host.add(Way::out, Action::protect, link.set);
    host.add(Way::in, Action::protect, link.set);
    host.add(Way::forward, Action::protect, link.set);
  }
  /// What comes out of `to` when `from` sends the packet and all that leaves it arrives in order.
  static std::vector<Got> carry(Host& from, Host& to, Bytes packet) {
    std::vector<Got> all;
    for (Got& g : from.out(std::move(packet)))
      if (g.verdict == Verdict::sealed)
        for (Got& arrived : to.in(std::move(g.packet))) all.push_back(std::move(arrived));
    return all;
  }

  Host a, b;
  Link at_a, at_b;
};

}  // namespace espalier::test

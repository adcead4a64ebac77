// SPDX-License-Identifier: BSD-2-Clause-Patent
// Queues beside each other and beside the control thread, which replaces policies and rekeys.
#include <atomic>
#include <thread>

#include "fixture.hpp"

namespace espalier {
namespace {

using namespace test;

constexpr unsigned kQueues = 3;

/// Polls until the one packet under way has its outcome.
Outcome wait(Host& host, QueueId queue) {
  Outcome out;
  while (host.boundary->poll(queue, {&out, 1}) == 0) std::this_thread::yield();
  return out;
}
Outcome through(Host& host, Host::Way2 way, QueueId queue, std::span<std::uint8_t> packet,
                std::span<std::uint8_t> room) {
  const Packet p{0, packet, room};
  while ((host.boundary.get()->*way)(queue, {&p, 1}) != 1) std::this_thread::yield();
  return wait(host, queue);
}

/// One queue: in turns a packet that is protected, from a to b, and one that a lets by or blocks.
struct Traffic {
  std::atomic<std::uint64_t> rounds{0};
  std::uint64_t bypassed = 0, blocked = 0, wrong = 0;
  Outcome last_wrong;

  void run(Host& a, Host& b, QueueId queue, const std::atomic<bool>& stop) {
    Bytes secret = udp("10.1.0.1", "10.2.0.1", 100, 1000, 2000);
    Bytes query = udp("10.1.0.1", "10.2.0.1", 100, 1000, 53);
    Bytes room_a(1024), room_b(1024);
    const auto want = [this](bool right, const Outcome& out) {
      if (right) return;
      ++wrong;
      last_wrong = out;
    };
    for (; !stop.load(); ++rounds) {
      const Outcome sealed = through(a, &Boundary::outbound, queue, secret, room_a);
      want(sealed.verdict == Verdict::sealed, sealed);
      if (sealed.verdict == Verdict::sealed) {
        const Outcome opened = through(b, &Boundary::inbound, queue, sealed.packet, room_b);
        want(opened.verdict == Verdict::opened, opened);
      }
      const Outcome out = through(a, &Boundary::outbound, queue, query, room_a);
      bypassed += out.verdict == Verdict::bypassed;
      blocked += out.drop == Drop::policy_block_out;
      want(out.verdict == Verdict::bypassed || out.drop == Drop::policy_block_out, out);
    }
  }
};

TEST(PolicyThreads, RekeysAndNewPoliciesLoseNothing) {
  ContextConfig limits;
  limits.queues = kQueues;
  limits.max_sas = 64;
  Host a, b;
  a.open({}, limits);
  b.open({}, limits);
  const SetHandle at_a = a.add_set(), at_b = b.add_set();
  a.add(Way::out, Action::protect, at_a, {}, 10);
  b.add(Way::in, Action::protect, at_b);
  PolicyConfig query;
  query.selector.remote_ports = ValueSet::one(53);
  PolicyHandle current = a.add(Way::out, Action::discard, SetHandle::none, query.selector);

  // Each queue has an SA of its own (RFC 9611), so that its packets arrive in order.
  struct Pair {
    SaHandle out = SaHandle::none, in = SaHandle::none;
  } pairs[kQueues];
  std::uint32_t spi = 0x1000;
  const auto add_pair = [&](unsigned queue) {
    const SaConfig sa = sa_config(++spi, "192.0.2.1", "192.0.2.2");
    SaRole role;
    role.queues = static_cast<std::uint16_t>(1u << queue);
    const SaHandle in = b.add_sa(at_b, received(sa));
    return Pair{a.add_sa(at_a, sa, role), in};
  };
  for (unsigned q = 0; q < kQueues; ++q) pairs[q] = add_pair(q);

  Traffic traffic[kQueues];
  std::atomic<bool> stop{false};
  std::vector<std::thread> threads;
  for (unsigned q = 0; q < kQueues; ++q)
    threads.emplace_back([&, q] { traffic[q].run(a, b, QueueId(q), stop); });
  Time now{0};
  for (unsigned i = 0; i < 150; ++i) {
    query.action = i % 2 == 0 ? Action::bypass : Action::discard;
    auto swapped = a.boundary->replace({&current, 1}, {&query, 1});
    ASSERT_TRUE(swapped) << swapped.error();
    current = swapped->front();

    const unsigned q = i % kQueues;
    const Pair old = std::exchange(pairs[q], add_pair(q));
    EXPECT_TRUE(a.boundary->remove_sa(old.out));
    // The peer has moved when what was sealed before has arrived.
    const std::uint64_t then = traffic[q].rounds;
    while (traffic[q].rounds < then + 2) std::this_thread::yield();
    EXPECT_TRUE(b.boundary->remove_sa(old.in));
    now += std::chrono::milliseconds(1);
    for (Host* host : {&a, &b}) {
      host->boundary->tick(now);
      host->events();
    }
  }
  stop = true;
  for (std::thread& thread : threads) thread.join();
  std::uint64_t bypassed = 0, blocked = 0;
  for (const Traffic& t : traffic) {
    EXPECT_EQ(t.wrong, 0u) << name(t.last_wrong.verdict) << ' '
                           << spec::info(t.last_wrong.drop).name;
    EXPECT_GE(t.rounds, 100u);
    bypassed += t.bypassed;
    blocked += t.blocked;
  }
  EXPECT_GT(bypassed, 0u);
  EXPECT_GT(blocked, 0u);
  a.expect_balance();
  b.expect_balance();
}

}  // namespace
}  // namespace espalier

// SPDX-License-Identifier: BSD-2-Clause-Patent
// The whole engine, natively, against the reference: known bytes both ways, every length, mixed
// traffic, and the number of steps it takes.
#include <gtest/gtest.h>

#include "card.h"

namespace espalier::test {
namespace {

using spec::Status;

constexpr unsigned kGeneration = 7;

/// Slot 2 n seals and slot 2 n + 1 opens for tunnel n.
void install_both(Card& card, unsigned n, const Tunnel& tunnel) {
  card.install(2 * n, record_of(tunnel, true, kGeneration));
  card.install(2 * n + 1, record_of(tunnel, false, kGeneration));
  card.run();
  EXPECT_EQ(card.take().status, Status::ok);
  EXPECT_EQ(card.take().status, Status::ok);
}

/// A job and the answer it must get.
struct Case {
  Bytes expected;
  unsigned next_header = 0, tos = 0;
  std::size_t bound = 0;
};

Case submit_random(Card& card, Random& random, unsigned n, const Tunnel& tunnel, std::size_t length,
                   bool open, bool pad_more = false) {
  const Bytes packet = random_ipv4(random, length);
  Sealing s = random_sealing(random, length);
  if (!pad_more) s.pad_length = least_padding(length);
  const Bytes wire = seal(tunnel, s, packet);
  Case c;
  c.bound = Card::bound(wire.size(), packet.size());
  c.expected = open ? packet : wire;
  c.next_header = open ? 4 : 50;
  c.tos = open ? s.tos : 0;
  if (open) {
    card.submit(open_job(s.sequence, wire.size(), 2 * n + 1, kGeneration), wire);
  } else {
    card.submit(seal_job(s, length, 2 * n, kGeneration), packet);
  }
  return c;
}

constexpr std::size_t kNone = ~std::size_t{0};
std::size_t first_difference(const Bytes& a, const Bytes& b) {
  for (std::size_t i = 0; i < std::max(a.size(), b.size()); ++i) {
    if (i >= a.size() || i >= b.size() || a[i] != b[i]) return i;
  }
  return kNone;
}

void expect(Card& card, const Case& c) {
  const Answer answer = card.take();
  ASSERT_EQ(answer.status, Status::ok) << spec::info(answer.status).name;
  ASSERT_EQ(first_difference(answer.data, c.expected), kNone)
      << answer.data.size() << " octets, expected " << c.expected.size();
  EXPECT_EQ(answer.next_header, c.next_header);
  EXPECT_EQ(answer.tos, c.tos);
}

TEST(Engine, SealsAndOpensEveryLength) {
  Random random(20);
  Card card;
  std::vector<Tunnel> tunnels;
  for (unsigned n = 0; n < 6; ++n) {
    tunnels.push_back(random_tunnel(random));
    install_both(card, n, tunnels[n]);
  }
  for (bool open : {false, true}) {
    std::vector<Case> cases;
    for (std::size_t length = 20; length <= 1600; ++length) {
      const unsigned n = length % tunnels.size();
      cases.push_back(submit_random(card, random, n, tunnels[n], length, open, true));
    }
    for (std::size_t length : {2000, 4095, 4096, 8191, 8800, 8900}) {
      const unsigned n = length % tunnels.size();
      cases.push_back(submit_random(card, random, n, tunnels[n], length, open, true));
    }
    card.run();
    for (const Case& c : cases) ASSERT_NO_FATAL_FAILURE(expect(card, c)) << c.expected.size();
  }
}

/// Steps from the first to the last of a batch of jobs that are all there, and what bounds them.
struct Batch {
  std::size_t steps = 0, bound = 0, inner_octets = 0;
};

Batch run_batch(Card& card, Random& random, const std::vector<Tunnel>& tunnels,
                const std::vector<std::size_t>& lengths, const std::vector<bool>& open,
                std::size_t count) {
  Batch run;
  std::vector<Case> cases;
  for (std::size_t i = 0; i < count; ++i) {
    const unsigned n = random() % tunnels.size();
    const std::size_t length = lengths[random() % lengths.size()];
    cases.push_back(
        submit_random(card, random, n, tunnels[n], length, open[random() % open.size()]));
    run.bound += cases.back().bound;
    run.inner_octets += length;
  }
  run.steps = card.run();
  for (const Case& c : cases) EXPECT_NO_FATAL_FAILURE(expect(card, c));
  return run;
}

/// From the first beat in to the last beat out of a packet that is alone; stages and their streams.
constexpr std::size_t kLatency = 64;

TEST(Engine, TakesNoMoreStepsThanThePorts) {
  const std::uint64_t seed = 21;
  Random random(seed);
  Card card;
  std::vector<Tunnel> tunnels;
  for (unsigned n = 0; n < 8; ++n) {
    tunnels.push_back(random_tunnel(random));
    install_both(card, n, tunnels[n]);
  }
  std::vector<std::size_t> lengths;
  for (std::size_t length = 40; length <= 1500; ++length) lengths.push_back(length);
  const Batch run = run_batch(card, random, tunnels, lengths, {false, true}, 2000);
  EXPECT_LE(run.steps, run.bound + run.bound / 100 + kLatency) << "seed " << seed;
  RecordProperty("mixed_percent_of_bound", std::to_string(100.0 * run.bound / run.steps));
}

TEST(Engine, InnerOctetsPerStepBackToBack) {
  Random random(22);
  Card card;
  Tunnel tunnel = random_tunnel(random);
  tunnel.gcm = random_sa(random, kAes256);
  tunnel.icv_length = 16;
  install_both(card, 0, tunnel);
  struct Load {
    const char* name;
    std::vector<std::size_t> lengths;
    std::size_t packets;
    double at_least;
  };
  std::vector<std::size_t> imix(7, 40);
  imix.insert(imix.end(), 4, 576);
  imix.push_back(1500);
  const Load loads[] = {{"64", {64}, 2000, 31},
                        {"imix", imix, 2000, 50},
                        {"1500", {1500}, 500, 59},
                        {"9000", {9000}, 1000, 63}};
  for (const Load& load : loads) {
    for (bool open : {false, true}) {
      const Batch run = run_batch(card, random, {tunnel}, load.lengths, {open}, load.packets);
      const double rate = double(run.inner_octets) / double(run.steps);
      EXPECT_GE(rate, load.at_least) << load.name << (open ? " open" : " seal");
      RecordProperty(std::string("octets_per_step_") + load.name + (open ? "_open" : "_seal"),
                     std::to_string(rate));
    }
  }
}

TEST(Engine, SameAnswersWhateverThePortsDo) {
  for (std::uint64_t seed = 61; seed < 64; ++seed) {
    Random random(seed);
    Card card;
    std::vector<Tunnel> tunnels;
    for (unsigned n = 0; n < 4; ++n) {
      tunnels.push_back(random_tunnel(random));
      install_both(card, n, tunnels[n]);
    }
    card.disturb(seed);
    std::vector<Case> cases;
    for (int i = 0; i < 400; ++i) {
      const unsigned n = random() % tunnels.size();
      const std::size_t length = i % 40 == 7 ? 8900 : 20 + random() % 200;
      cases.push_back(submit_random(card, random, n, tunnels[n], length, random() & 1, true));
    }
    card.run();
    for (const Case& c : cases) ASSERT_NO_FATAL_FAILURE(expect(card, c)) << "seed " << seed;
  }
}

TEST(Engine, LatencyOfALonePacket) {
  Random random(23);
  Card card;
  Tunnel tunnel = random_tunnel(random);
  tunnel.gcm = random_sa(random, kAes256);
  install_both(card, 0, tunnel);
  for (std::size_t length : {20, 64, 576, 1500, 8900}) {
    for (bool open : {false, true}) {
      const Batch run = run_batch(card, random, {tunnel}, {length}, {open}, 1);
      // A sealed packet leaves while it comes in; an opened one when all of it was verified.
      EXPECT_LE(run.steps, kLatency + (open ? 2 : 1) * run.bound)
          << length << (open ? " open" : " seal");
      RecordProperty("latency_" + std::to_string(length) + (open ? "_open" : "_seal"),
                     std::to_string(run.steps));
    }
  }
}

}  // namespace
}  // namespace espalier::test

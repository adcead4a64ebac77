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
                   bool open) {
  const Bytes packet = random_ipv4(random, length);
  const Sealing s = random_sealing(random, length);
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
      cases.push_back(submit_random(card, random, n, tunnels[n], length, open));
    }
    for (std::size_t length : {2000, 4095, 4096, 8191, 8800, 8900}) {
      const unsigned n = length % tunnels.size();
      cases.push_back(submit_random(card, random, n, tunnels[n], length, open));
    }
    card.run();
    for (const Case& c : cases) ASSERT_NO_FATAL_FAILURE(expect(card, c)) << c.expected.size();
  }
}

TEST(Engine, TakesNoMoreStepsThanThePorts) {
  const std::uint64_t seed = 21;
  Random random(seed);
  Card card;
  std::vector<Tunnel> tunnels;
  for (unsigned n = 0; n < 8; ++n) {
    tunnels.push_back(random_tunnel(random));
    install_both(card, n, tunnels[n]);
  }
  std::vector<Case> cases;
  std::size_t bound = 0;
  for (int i = 0; i < 3000; ++i) {
    const unsigned n = random() % tunnels.size();
    const std::size_t length = 40 + random() % (i % 2 ? 1461 : 100);
    cases.push_back(submit_random(card, random, n, tunnels[n], length, random() & 1));
    bound += cases.back().bound;
  }
  const std::size_t steps = card.run();
  for (const Case& c : cases) ASSERT_NO_FATAL_FAILURE(expect(card, c)) << "seed " << seed;
  EXPECT_LE(steps, bound + 64) << "seed " << seed;
}

}  // namespace
}  // namespace espalier::test

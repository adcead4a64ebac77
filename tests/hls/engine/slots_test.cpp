// SPDX-License-Identifier: BSD-2-Clause-Patent
// SA slots: install and remove in order with packets, generations, records the engine does not
// have, the wipe after reset.
#include <gtest/gtest.h>

#include <deque>
#include <optional>

#include "card.h"

namespace espalier::test {
namespace {

using spec::Status;

/// A job that seals one packet, and what the reference makes of it.
struct Shot {
  spec::Descriptor descriptor;
  Bytes packet, wire;
};
Shot shot(Random& random, const Tunnel& tunnel, unsigned slot, unsigned generation) {
  Shot s;
  const std::size_t length = 20 + random() % 200;
  s.packet = random_ipv4(random, length);
  const Sealing sealing = random_sealing(random, length);
  s.wire = seal(tunnel, sealing, s.packet);
  s.descriptor = seal_job(sealing, length, slot, generation);
  return s;
}

TEST(Slots, InstallAndRemoveTakeEffectInOrderWithPackets) {
  const std::uint64_t seed = 41;
  Random random(seed);
  Card card;
  constexpr unsigned kSlots_ = 4;
  std::optional<Tunnel> tunnels[kSlots_];
  unsigned generations[kSlots_] = {};
  struct Expected {
    Status status;
    Bytes data;
  };
  std::deque<Expected> expected;
  const unsigned places[kSlots_] = {0, 1, 8191, 16383};
  for (int i = 0; i < 2000; ++i) {
    const unsigned n = random() % kSlots_;
    const unsigned choice = random() % 16;
    if (choice == 0) {
      tunnels[n] = random_tunnel(random);
      card.install(places[n], record_of(*tunnels[n], true, ++generations[n]));
      expected.push_back({Status::ok, {}});
    } else if (choice == 1) {
      tunnels[n].reset();
      card.remove(places[n]);
      expected.push_back({Status::ok, {}});
    } else if (choice == 2) {
      card.nop();
      expected.push_back({Status::ok, {}});
    } else {
      const bool stale = choice == 3;
      const Tunnel tunnel = tunnels[n] ? *tunnels[n] : random_tunnel(random);
      const Shot s = shot(random, tunnel, places[n], generations[n] - stale);
      card.submit(s.descriptor, s.packet);
      const bool good = tunnels[n] && !stale;
      expected.push_back({good ? Status::ok : Status::sa_gone, good ? s.wire : Bytes{}});
    }
  }
  card.run();
  for (std::size_t i = 0; !expected.empty(); ++i, expected.pop_front()) {
    const Answer answer = card.take();
    ASSERT_EQ(answer.ticket, (i + 1) & 0xffff) << "results leave in job order";
    ASSERT_EQ(answer.status, expected.front().status) << "job " << i << ", seed " << seed;
    ASSERT_EQ(answer.data, expected.front().data) << "job " << i << ", seed " << seed;
  }
}

TEST(Slots, RecordsThatTheEngineDoesNotHave) {
  Random random(42);
  Card card;
  const Tunnel tunnel = random_tunnel(random);
  const auto install = [&](auto change) {
    spec::SaRecord record = record_of(tunnel, true, 1);
    change(record);
    card.install(3, record);
    const Shot s = shot(random, tunnel, 3, 1);
    card.submit(s.descriptor, s.packet);
    card.run();
    const Status status = card.take().status;
    EXPECT_EQ(card.take().status, status == Status::ok ? Status::ok : Status::sa_gone);
    return status;
  };
  using R = spec::SaRecord;
  EXPECT_EQ(install([](R&) {}), Status::ok);
  for (unsigned flag : {spec::kSaAh, spec::kSaOuterIpv6, spec::kSaUdp, spec::kSaImplicitIv}) {
    EXPECT_EQ(install([&](R& r) { r.flags |= flag; }), Status::unsupported) << flag;
  }
  EXPECT_EQ(install([](R& r) { r.flags &= ~spec::kSaTunnel; }), Status::unsupported);
  EXPECT_EQ(install([](R& r) { r.flags &= ~spec::kSaValid; }), Status::unsupported);
  for (unsigned cipher = 0; cipher < 8; ++cipher) {
    const bool gcm = cipher == static_cast<unsigned>(spec::Cipher::aes_gcm);
    EXPECT_EQ(install([&](R& r) { r.cipher = static_cast<std::uint8_t>(cipher); }),
              gcm ? Status::ok : Status::unsupported);
  }
  EXPECT_EQ(install([](R& r) { r.integrity = 2; }), Status::unsupported);
  EXPECT_EQ(install([](R& r) { r.rounds = 11; }), Status::unsupported);
  EXPECT_EQ(install([](R& r) { r.icv_length = 10; }), Status::unsupported);
  EXPECT_EQ(install([](R& r) { r.iv_length = 16; }), Status::unsupported);
  EXPECT_EQ(install([](R& r) { r.block_length = 16; }), Status::unsupported);
  EXPECT_EQ(install([](R& r) { r.header_length = 28; }), Status::unsupported);
  EXPECT_EQ(install([](R& r) { r.header_template[9] = 17; }), Status::unsupported);
  EXPECT_EQ(install([](R& r) { r.ecn_mode = 2; }), Status::unsupported);
}

TEST(Slots, ResetInMidTrafficForgetsEverySa) {
  const std::uint64_t seed = 43;
  Random random(seed);
  Card card;
  const Tunnel tunnel = random_tunnel(random);
  const unsigned places[] = {0, 1, 8191, 16383};
  const auto install_all = [&] {
    for (unsigned place : places) card.install(place, record_of(tunnel, true, 1));
    card.run();
    for ([[maybe_unused]] unsigned place : places) ASSERT_EQ(card.take().status, Status::ok);
  };
  const auto expect_all = [&](bool known) {
    std::deque<Bytes> wires;
    for (unsigned place : places) {
      const Shot s = shot(random, tunnel, place, 1);
      card.submit(s.descriptor, s.packet);
      wires.push_back(s.wire);
    }
    card.run();
    for (const Bytes& wire : wires) {
      const Answer answer = card.take();
      EXPECT_EQ(answer.status, known ? Status::ok : Status::sa_gone) << "seed " << seed;
      EXPECT_EQ(answer.data, known ? wire : Bytes{}) << "seed " << seed;
    }
    EXPECT_TRUE(card.out.empty());
  };
  for (unsigned steps : {1u, 10u, 20u, 30u, 40u, 60u, 90u}) {  // where packets and a record are
    install_all();
    card.install(2, record_of(tunnel, true, 1));
    for (int i = 0; i < 30; ++i) {
      const Shot s = shot(random, tunnel, places[i % 4], 1);
      card.submit(s.descriptor, s.packet);
    }
    for (unsigned i = 0; i < steps; ++i) card.step();
    card.reset();
    expect_all(false);
  }
  install_all();
  expect_all(true);
}

}  // namespace
}  // namespace espalier::test

// SPDX-License-Identifier: BSD-2-Clause-Patent
// The hold buffer (D3): when octets leave, seen at the ports, step by step.
#include <gtest/gtest.h>

#include "card.h"

namespace espalier::test {
namespace {

using spec::Status;

constexpr unsigned kGeneration = 3, kSealSlot = 0, kOpenSlot = 1;
constexpr int kLong = 400;            // steps, far more than the engine is deep
constexpr std::size_t kLatency = 64;  // steps from a beat in to what it causes

class Hold : public testing::Test {
 protected:
  Hold() : tunnel_(random_tunnel(random_)) {
    card_.install(kSealSlot, record_of(tunnel_, true, kGeneration));
    card_.install(kOpenSlot, record_of(tunnel_, false, kGeneration));
    card_.run();
    EXPECT_EQ(card_.take().status, Status::ok);
    EXPECT_EQ(card_.take().status, Status::ok);
  }

  Sealing sealing(std::size_t length) {
    Sealing s = random_sealing(random_, length);
    s.pad_length = least_padding(length);
    return s;
  }
  void submit_open(const Sealing& s, const Bytes& wire) {
    card_.submit(open_job(s.sequence, wire.size(), kOpenSlot, kGeneration), wire);
  }
  /// Takes the last beat from the input.
  Beat keep_last_beat() {
    for (std::size_t left = card_.in.size(); left > 1; --left) card_.in.write(card_.in.read());
    return card_.in.read();
  }

  static constexpr std::uint64_t kSeed = 71;
  Random random_{kSeed};
  Tunnel tunnel_;
  Card card_;
};

TEST_F(Hold, NothingOfAnOpenedPacketLeavesBeforeItsLastOctetIsIn) {
  for (std::size_t length : {20, 64, 600, 1500, 8900}) {
    for (bool good : {true, false}) {
      const Bytes packet = random_ipv4(random_, length);
      const Sealing s = sealing(length);
      Bytes wire = seal(tunnel_, s, packet);
      if (!good) wire.back() ^= 1;  // in the ICV
      submit_open(s, wire);
      const Beat last = keep_last_beat();
      for (int i = 0; i < kLong; ++i) {
        card_.step();
        ASSERT_TRUE(card_.out.empty() && card_.results.empty()) << length << " octets, step " << i;
      }
      ASSERT_TRUE(card_.in.empty()) << "all beats but the last are on the card";
      card_.in.write(last);
      card_.run();
      const Answer answer = card_.take();
      EXPECT_EQ(answer.status, good ? Status::ok : Status::icv_mismatch) << "seed " << kSeed;
      EXPECT_EQ(answer.data, good ? packet : Bytes{}) << "seed " << kSeed;
      EXPECT_TRUE(card_.out.empty()) << "no beat that no result tells of";
    }
  }
}

TEST_F(Hold, ASealedPacketLeavesWhileItComesIn) {
  const std::size_t length = 8900;
  const Bytes packet = random_ipv4(random_, length);
  const Sealing s = sealing(length);
  card_.submit(seal_job(s, length, kSealSlot, kGeneration), packet);
  const Beat last = keep_last_beat();
  const std::size_t beats = card_.in.size();
  for (std::size_t i = 0; i < beats + kLatency; ++i) card_.step();
  EXPECT_GE(card_.out.size() + 2, beats) << "the ICV and what shares its beats must wait";
  EXPECT_LE(card_.out.size(), beats);
  card_.in.write(last);
  card_.run();
  EXPECT_EQ(card_.take().data, seal(tunnel_, s, packet)) << "seed " << kSeed;
}

TEST_F(Hold, AFailedPacketBetweenGoodOnesTakesNothingFromThem) {
  std::vector<Bytes> expected;
  std::size_t bound = 0;
  for (int i = 0; i < 300; ++i) {
    const std::size_t length = i % 30 == 0 ? 8900 : 20 + random_() % 1481;
    const bool good = random_() % 3 != 0;
    const Bytes packet = random_ipv4(random_, length);
    const Sealing s = sealing(length);
    Bytes wire = seal(tunnel_, s, packet);
    if (!good) wire[28 + random_() % (wire.size() - 28)] ^= 1;  // from the IV on
    submit_open(s, wire);
    bound += Card::bound(wire.size(), 0);
    expected.push_back(good ? packet : Bytes{});
  }
  const std::size_t steps = card_.run();
  for (const Bytes& data : expected) {
    const Answer answer = card_.take();
    ASSERT_EQ(answer.status, data.empty() ? Status::icv_mismatch : Status::ok) << "seed " << kSeed;
    ASSERT_EQ(answer.data, data) << "seed " << kSeed;
  }
  EXPECT_TRUE(card_.out.empty());
  // The last packet may leave alone.
  EXPECT_LE(steps, bound + bound / 100 + kLatency + Card::bound(kMaxPacket, 0));
}

}  // namespace
}  // namespace espalier::test

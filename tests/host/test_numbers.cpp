// SPDX-License-Identifier: BSD-2-Clause-Patent
// L1's numbers and IVs (RFC 4303 3.3.3, D2).
#include <set>

#include "fixture.hpp"

namespace espalier {
namespace {

using test::ipv4;

class L1 : public test::Fixture {};

TEST_F(L1, NumbersBeginAtOneAndTheIvIsTheNumber) {
  open();
  const SaHandle sa = add(test::outbound());
  for (int i = 0; i < 3; ++i) ASSERT_TRUE(offer(sa, ipv4(64)));
  const auto done = poll();
  ASSERT_EQ(done.size(), 3u);
  for (std::uint64_t i = 0; i < 3; ++i) {
    EXPECT_EQ(done[i].number, i + 1);
    EXPECT_EQ(card->seen[i].job.sequence_number, i + 1);
    std::uint8_t iv[8];
    store_be64(iv, i + 1);
    EXPECT_TRUE(std::equal(iv, iv + 8, card->seen[i].job.iv.begin()));
  }
}

TEST_F(L1, NumbersStopForGoodAtTheirEnd) {
  for (const bool esn : {false, true}) {
    SCOPED_TRACE(esn);
    open();
    SaConfig config = test::outbound();
    config.transform.esn = esn;
    config.last_number = (esn ? ~0ull : 0xffffffffull) - 1;
    config.hard.packets = kNoLimit - 1;  // the owner's limit, so that numbers go to their end
    const SaHandle sa = add(config);
    for (int i = 0; i < 3; ++i) ASSERT_TRUE(offer(sa, ipv4(64)));
    const auto done = poll();
    ASSERT_EQ(done.size(), 3u);
    EXPECT_EQ(done[0].drop, Drop::none);
    EXPECT_EQ(done[0].number, esn ? ~0ull : 0xffffffffull);
    EXPECT_EQ(done[1].drop, Drop::sequence_overflow);
    EXPECT_EQ(done[2].drop, Drop::sequence_overflow);
    EXPECT_EQ(card->seen.size(), 1u);
    EXPECT_EQ(count(EventKind::sequence_overflow), 1u);
  }
}

TEST_F(L1, AesKeysHaveALimitOfTheirOwn) {
  for (const bool own : {false, true}) {
    SCOPED_TRACE(own);
    open();
    SaConfig config = test::outbound();
    config.transform.esn = true;
    config.last_number = kKeyUseLimit - 1;
    if (own) config.number_limit = kKeyUseLimit + 1;
    const SaHandle sa = add(config);
    for (int i = 0; i < 3; ++i) ASSERT_TRUE(offer(sa, ipv4(64)));
    const auto done = poll();
    ASSERT_EQ(done.size(), 3u);
    EXPECT_EQ(done[0].drop, Drop::none);
    EXPECT_EQ(done[1].drop, own ? Drop::none : Drop::sequence_overflow);
    EXPECT_EQ(done[2].drop, Drop::sequence_overflow);
  }
}

TEST_F(L1, CbcIvsNeverRepeatAndAreNoCounter) {
  ContextConfig config;
  config.queue_capacity = 4096;
  open(config, false);
  const SaHandle sa = add(test::config_for("aes256-sha256", driver::Direction::seal));
  std::set<std::array<std::uint8_t, 16>> ivs;
  for (int i = 0; i < 2000; ++i) {
    ASSERT_TRUE(offer(sa, ipv4(64)));
    if (i % 100 == 0) poll();
  }
  poll();
  unsigned neighbours = 0;
  for (std::size_t i = 0; i < software->seen.size(); ++i) {
    ivs.insert(software->seen[i].job.iv);
    if (i != 0) {
      unsigned same = 0;
      for (int k = 0; k < 16; ++k)
        same += software->seen[i].job.iv[k] == software->seen[i - 1].job.iv[k];
      neighbours += same > 8;
    }
  }
  EXPECT_EQ(ivs.size(), 2000u);
  EXPECT_EQ(neighbours, 0u);
}

TEST_F(L1, SendersOfOneKeyNeverShareAnIv) {
  open();
  SaConfig config = test::outbound();
  config.sender_bits = 4;
  config.sender_id = 9;
  const SaHandle sa = add(config);
  ASSERT_TRUE(offer(sa, ipv4(64)));
  poll();
  EXPECT_EQ(card->seen[0].job.iv[0], 0x90);
  EXPECT_EQ(card->seen[0].job.iv[7], 1);
  config.sender_id = 16;
  EXPECT_FALSE(context->add(config));
}

}  // namespace
}  // namespace espalier

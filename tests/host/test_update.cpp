// SPDX-License-Identifier: BSD-2-Clause-Patent
// SAs that change while traffic runs, queues that sleep, and counters of everything.
#include <poll.h>

#include <numeric>

#include "fixture.hpp"

namespace espalier::test {
namespace {

using L1 = Fixture;

constexpr unsigned kOuterDestination = 16;  // in an IPv4 header

bool readable(int fd) {
  pollfd waiting{fd, POLLIN, 0};
  return ::poll(&waiting, 1, 0) == 1;
}

TEST_F(L1, EndpointsChangeUnderTrafficWithoutLoss) {
  open();
  const SaHandle sa = add(outbound());
  card->hold = true;
  ASSERT_TRUE(offer(sa, ipv4(100), 1));
  SaUpdate update;
  update.ends = outbound().ends;
  update.ends->destination = {192, 0, 2, 77};
  EXPECT_EQ(context->update(sa, update), "");
  EXPECT_FALSE(offer(sa, ipv4(100), 2)) << "the packet under way still has the old form";
  EXPECT_EQ(card->newest.header_template[kOuterDestination], 10);
  card->hold = false;
  EXPECT_EQ(poll().size(), 1u);
  context->tick(Time{1});
  EXPECT_EQ(card->newest.header_template[kOuterDestination], 192);
  EXPECT_EQ(software->newest.header_template[kOuterDestination], 192);
  ASSERT_TRUE(offer(sa, ipv4(100), 2));
  const auto done = poll();
  ASSERT_EQ(done.size(), 1u);
  EXPECT_EQ(done[0].drop, Drop::none);
  EXPECT_EQ(done[0].number, 2u) << "numbers go on";
}

TEST_F(L1, ANatThatAppearsTurnsEncapsulationOn) {
  open();
  const SaHandle sa = add(outbound());
  const std::uint32_t before = context->overhead(sa)->head;
  SaUpdate update;
  update.udp_encapsulation = true;
  EXPECT_EQ(context->update(sa, update), "");
  EXPECT_EQ(context->overhead(sa)->head, before + 8);
  EXPECT_EQ(card->newest.header_length, 28);
}

TEST_F(L1, AnUpdateThatIsNotSoundChangesNothing) {
  open();
  const SaHandle sa = add(outbound());
  SaUpdate update;
  EXPECT_NE(context->update(SaHandle::none, update), "");
  SaConfig multicast = inbound();
  multicast.ends.destination = {239, 1, 1, 1};
  const SaHandle group = add(multicast);
  update.ends = outbound().ends;
  EXPECT_NE(context->update(group, update), "");
  EXPECT_TRUE(offer(sa, ipv4(100)));
}

TEST_F(L1, AnSaRemovedInTheMiddleOfAnUpdateIsGone) {
  open();
  const SaHandle sa = add(outbound());
  card->hold = true;
  ASSERT_TRUE(offer(sa, ipv4(100)));
  SaUpdate update;
  update.udp_encapsulation = true;
  ASSERT_EQ(context->update(sa, update), "");
  EXPECT_TRUE(context->remove(sa));
  ASSERT_TRUE(offer(sa, ipv4(100)));
  card->hold = false;
  std::size_t gone = 0;
  for (const Completion& c : poll()) gone += c.drop == Drop::sa_gone;
  EXPECT_EQ(gone, 1u);
  context->tick(Time{1});
  EXPECT_EQ(count(EventKind::sa_drained), 1u);
  EXPECT_TRUE(offer(add(outbound()), ipv4(100))) << "its place is as good as new";
}

TEST_F(L1, LifetimesChangeAndGoOnCounting) {
  open();
  const SaHandle sa = add(outbound());
  for (int i = 0; i < 3; ++i) ASSERT_TRUE(offer(sa, ipv4(100)));
  EXPECT_EQ(poll().size(), 3u);
  SaUpdate update;
  update.soft.emplace().packets = 4;
  update.hard.emplace().packets = 5;
  update.hard->time = Time{1000};
  EXPECT_EQ(context->update(sa, update), "");
  for (int i = 0; i < 3; ++i) ASSERT_TRUE(offer(sa, ipv4(100)));
  const auto done = poll();
  ASSERT_EQ(done.size(), 3u);
  EXPECT_TRUE(done[0].soft_expired) << "the fourth packet reaches the soft limit";
  EXPECT_EQ(done[1].drop, Drop::none);
  EXPECT_EQ(done[2].drop, Drop::sa_expired_out);
  EXPECT_NE(context->update(sa, update), "") << "past its hard limit";
}

TEST_F(L1, ALifetimeByTimeCanBePutOff) {
  open();
  SaConfig config = outbound();
  config.hard.time = Time{100};
  const SaHandle sa = add(config);
  SaUpdate update;
  update.hard.emplace().time = Time{500};
  ASSERT_EQ(context->update(sa, update), "");
  context->tick(Time{499});
  EXPECT_EQ(count(EventKind::hard_expiry), 0u);
  context->tick(Time{500});
  EXPECT_EQ(count(EventKind::hard_expiry), 1u);
}

TEST_F(L1, AQueueSleepsOnlyWhenThereIsNothingToPoll) {
  open();
  const SaHandle sa = add(outbound());
  EXPECT_FALSE(context->arm(kQueue)) << "nothing under way";
  ASSERT_TRUE(offer(sa, ipv4(100)));
  EXPECT_TRUE(context->arm(kQueue)) << "done as soon as the batch is handed over";
  EXPECT_EQ(poll().size(), 1u);
  card->hold = true;
  ASSERT_TRUE(offer(sa, ipv4(100)));
  EXPECT_FALSE(context->arm(kQueue));
  EXPECT_FALSE(readable(context->queue_fd(kQueue)));
  card->hold = false;
  EXPECT_LE(context->tick(Time{1}), Time{1} + std::chrono::milliseconds(1));
  EXPECT_TRUE(readable(context->queue_fd(kQueue)));
  EXPECT_TRUE(context->arm(kQueue));
  EXPECT_FALSE(readable(context->queue_fd(kQueue)));
  EXPECT_EQ(poll().size(), 1u);
  EXPECT_EQ(context->queue_fd(QueueId{9}), -1);
}

TEST_F(L1, TotalsOutliveSasAndCountPacketsWithoutOne) {
  open();
  const SaHandle sa = add(outbound());
  ASSERT_TRUE(offer(sa, ipv4(100)));
  ASSERT_TRUE(offer(SaHandle::none, ipv4(100)));
  ASSERT_TRUE(offer(sa, {0x45}));
  EXPECT_EQ(poll().size(), 3u);
  context->remove(sa);
  const Totals totals = context->totals();
  EXPECT_EQ(totals.packets, 1u);
  EXPECT_EQ(totals.drops[static_cast<unsigned>(Drop::sa_gone)], 1u);
  EXPECT_EQ(std::accumulate(std::begin(totals.drops), std::end(totals.drops), std::uint64_t{0}),
            2u);
}

}  // namespace
}  // namespace espalier::test

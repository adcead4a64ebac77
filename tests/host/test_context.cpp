// SPDX-License-Identifier: BSD-2-Clause-Patent
// L1 over directed devices: order, replay, fallback, lifetimes, removal.
#include "fixture.hpp"

namespace espalier {
namespace {

using test::esp;
using test::ipv4;
using test::kQueue;

class L1 : public test::Fixture {};

// ---- taking a prefix, order

TEST_F(L1, AFullQueueTakesFewerAndNumbersOnlyThose) {
  ContextConfig config;
  config.queue_capacity = 8;
  config.batch = 8;
  open(config);
  const SaHandle sa = add(test::outbound());
  int taken = 0;
  while (offer(sa, ipv4(64))) ++taken;
  EXPECT_EQ(taken, 8);
  EXPECT_EQ(poll().size(), 8u);
  ASSERT_TRUE(offer(sa, ipv4(64)));
  EXPECT_EQ(poll().at(0).number, 9u);
}

TEST_F(L1, OverflowOfTheCardGoesToSoftwareAndIsCounted) {
  open();
  card->hold = true;
  const SaHandle sa = add(test::outbound());
  for (int i = 0; i < 100; ++i) ASSERT_TRUE(offer(sa, ipv4(64), i));
  EXPECT_TRUE(poll().empty()) << "the SA's first jobs are still with the card";
  EXPECT_EQ(software->seen.size(), 36u);
  EXPECT_EQ(context->counters(0).refusals[static_cast<unsigned>(Refusal::room)], 36u);
  card->hold = false;
  const auto done = poll();
  ASSERT_EQ(done.size(), 100u);
  for (std::uint64_t i = 0; i < 100; ++i) {
    EXPECT_EQ(done[i].cookie, i);
    EXPECT_EQ(done[i].number, i + 1);
    EXPECT_EQ(done[i].refusal, i < 64 ? Refusal::none : Refusal::room);
  }
}

TEST_F(L1, OrderHoldsWithinAnSaAndSasDoNotWaitForEachOther) {
  open();
  card->backwards = true;
  SaConfig second = test::outbound();
  second.transform.spi = 0x9999;
  const SaHandle a = add(test::outbound()), b = add(second);
  for (int i = 0; i < 20; ++i) ASSERT_TRUE(offer(i % 2 ? b : a, ipv4(64), i));
  const auto done = poll();
  ASSERT_EQ(done.size(), 20u);
  int last[2] = {-1, -1};
  for (const Completion& c : done) {
    const int cookie = static_cast<int>(c.cookie);
    EXPECT_GT(cookie, last[cookie % 2]);
    last[cookie % 2] = cookie;
  }
}

TEST_F(L1, SecondAndStaleCompletionsAreIgnored) {
  open();
  card->repeat = true;
  const SaHandle sa = add(test::outbound());
  for (int i = 0; i < 10; ++i) ASSERT_TRUE(offer(sa, ipv4(64), i));
  std::size_t n = 0;
  for (int i = 0; i < 5; ++i) n += poll().size();
  EXPECT_EQ(n, 10u);
  EXPECT_EQ(context->outstanding(kQueue), 0u);
}

// ---- fallback

TEST_F(L1, WhatTheCardFailsOnIsRunAgainWithTheSameInputs) {
  for (const Status failure : {Status::aborted, Status::internal_error, Status::read_error,
                               Status::timed_out, Status::sa_gone}) {
    SCOPED_TRACE(spec::info(failure).name);
    open();
    card->verdict = [&](const driver::Job& job) {
      return job.sequence_number % 3 == 0 ? failure : Status::ok;
    };
    const SaHandle sa = add(test::outbound());
    for (int i = 0; i < 9; ++i) ASSERT_TRUE(offer(sa, ipv4(64), i));
    std::vector<Completion> done;
    for (int i = 0; i < 4; ++i)
      for (const Completion& c : poll()) done.push_back(c);
    ASSERT_EQ(done.size(), 9u);
    for (std::uint64_t i = 0; i < 9; ++i) {
      EXPECT_EQ(done[i].cookie, i);
      EXPECT_EQ(done[i].drop, Drop::none);
      EXPECT_EQ(done[i].refusal, (i + 1) % 3 == 0 ? Refusal::failed : Refusal::none);
    }
    ASSERT_EQ(software->seen.size(), 3u);
    for (int i = 0; i < 3; ++i) {
      const auto& first = card->seen[3 * i + 2];
      const auto& again = software->seen[i];
      EXPECT_EQ(first.job.sequence_number, again.job.sequence_number);
      EXPECT_EQ(first.job.iv, again.job.iv);
      EXPECT_EQ(first.job.identity, again.job.identity);
      EXPECT_EQ(first.job.pad_length, again.job.pad_length);
      EXPECT_EQ(first.source, again.source);
    }
    EXPECT_EQ(context->counters(0).failed, 3u);
  }
}

/// What a device has spoilt in place must not be sealed by the next one.
TEST_F(L1, ASpoiltSourceIsNotRunAgain) {
  for (const bool keeps : {true, false}) {
    for (const bool in_place : {true, false}) {
      SCOPED_TRACE(std::string(keeps ? "keeps" : "spoils") + (in_place ? ", in place" : ""));
      open();
      card->can.keeps_source = keeps;
      card->verdict = [](const driver::Job&) { return Status::internal_error; };
      const SaHandle sa = add(test::outbound());
      std::vector<std::uint8_t> memory(400), apart(400);
      const auto packet = ipv4(200);
      std::copy(packet.begin(), packet.end(), memory.begin() + 64);
      const Segment source{memory.data(), 400}, destination{apart.data(), 400};
      Job job;
      job.sa = sa;
      job.source = {&source, 1};
      job.l3_offset = 64;
      if (!in_place) job.destination = {&destination, 1};
      ASSERT_EQ(context->submit(kQueue, {&job, 1}), 1u);
      std::vector<Completion> done;
      for (int i = 0; i < 4; ++i)
        for (const Completion& c : poll()) done.push_back(c);
      ASSERT_EQ(done.size(), 1u);
      const bool spoilt = !keeps && in_place;
      EXPECT_EQ(software->seen.size(), spoilt ? 0u : 1u);
      EXPECT_EQ(done[0].drop, spoilt ? Drop::device : Drop::none);
    }
  }
}

TEST_F(L1, AFailureThePacketCausedIsNotRunAgain) {
  open();
  card->verdict = [](const driver::Job&) { return Status::icv_mismatch; };
  const SaHandle sa = add(test::inbound());
  ASSERT_TRUE(offer(sa, esp(1)));
  const auto done = poll();
  ASSERT_EQ(done.size(), 1u);
  EXPECT_EQ(done[0].drop, Drop::icv_mismatch);
  EXPECT_TRUE(software->seen.empty());
}

TEST_F(L1, LentCardMemoryIsNotUsedAgainBeforeTheCardIsProvenQuiet) {
  open();
  const SaHandle sa = add(test::outbound());
  card->verdict = [](const driver::Job&) { return Status::timed_out; };
  std::span<std::uint8_t> pool = context->allocate(4096);
  const auto packet = ipv4(64);
  std::copy(packet.begin(), packet.end(), pool.begin());
  const Segment in{pool.data(), 64}, out{pool.data() + 2048, 2048};
  Job job;
  job.sa = sa;
  job.source = {&in, 1};
  job.destination = {&out, 1};
  ASSERT_EQ(context->submit(kQueue, {&job, 1}), 1u);
  card->quiet_on_reset = false;
  EXPECT_TRUE(poll().empty());
  card->state = driver::Health::quarantined;
  for (int i = 1; i < 5; ++i) {
    EXPECT_TRUE(poll().empty());
    context->tick(Time(i));
  }
  EXPECT_TRUE(software->seen.empty());
  card->quiet_on_reset = true;
  context->tick(Time(9));
  const auto done = poll();
  ASSERT_EQ(done.size(), 1u);
  EXPECT_EQ(done[0].drop, Drop::none);
  EXPECT_EQ(software->seen.size(), 1u);
}

TEST_F(L1, ACardThatComesBackIsFilledAgainAndUsed) {
  open();
  const SaHandle sa = add(test::outbound());
  card->state = driver::Health::quarantined;
  ASSERT_TRUE(offer(sa, ipv4(64)));
  auto done = poll();
  ASSERT_EQ(done.size(), 1u);
  EXPECT_EQ(done[0].device, 1);
  EXPECT_EQ(done[0].refusal, Refusal::health);
  context->tick(Time(1));
  EXPECT_EQ(card->resets, 1u);
  ASSERT_TRUE(offer(sa, ipv4(64)));
  done = poll();
  ASSERT_EQ(done.size(), 1u);
  EXPECT_EQ(done[0].device, 0);
  EXPECT_EQ(done[0].number, 2u);
}

TEST_F(L1, AnSaRunsInSoftwareUntilItsSlotIsReady) {
  open();
  card->slow_install = true;
  const SaHandle sa = add(test::outbound());
  ASSERT_TRUE(offer(sa, ipv4(64)));
  auto done = poll();
  EXPECT_EQ(done.at(0).refusal, Refusal::installing);
  card->slow_install = false;
  context->tick(Time(1));
  EXPECT_EQ(count(EventKind::slot_ready), 1u);
  ASSERT_TRUE(offer(sa, ipv4(64)));
  done = poll();
  EXPECT_EQ(done.at(0).device, 0);
}

// ---- inbound (RFC 4303 3.4)

TEST_F(L1, OfTwoCopiesInOneBatchOneIsAccepted) {
  open();
  const SaHandle sa = add(test::inbound());
  ASSERT_TRUE(offer(sa, esp(5)));
  ASSERT_TRUE(offer(sa, esp(5)));
  const auto done = poll();
  ASSERT_EQ(done.size(), 2u);
  EXPECT_EQ(done[0].drop, Drop::none);
  EXPECT_EQ(done[1].drop, Drop::replayed);
  EXPECT_EQ(buffers[3], std::vector<std::uint8_t>(2048)) << "the second copy's octets are gone";
  ASSERT_TRUE(offer(sa, esp(5)));
  EXPECT_EQ(poll().at(0).drop, Drop::replayed);
  EXPECT_EQ(card->seen.size(), 2u) << "a known replay never reaches a device";
}

TEST_F(L1, WhatABusyCardAnswersLateIsNoReplay) {
  open();
  card->hold = true;
  const SaHandle sa = add(test::inbound());  // a window of 64
  for (std::uint32_t i = 1; i <= 300; ++i) ASSERT_TRUE(offer(sa, esp(i)));
  EXPECT_TRUE(poll().empty());
  EXPECT_EQ(software->seen.size(), 236u) << "more than the window past the card's first packet";
  card->hold = false;
  const auto done = poll();
  ASSERT_EQ(done.size(), 300u);
  for (const Completion& c : done) EXPECT_EQ(c.drop, Drop::none) << c.number;
}

TEST_F(L1, OnlyAnAuthenticPacketMovesTheWindow) {
  open();
  const SaHandle sa = add(test::inbound());
  card->verdict = [](const driver::Job& job) {
    return job.sequence_number == 10000 ? Status::icv_mismatch : Status::ok;
  };
  ASSERT_TRUE(offer(sa, esp(10000)));
  EXPECT_EQ(poll().at(0).drop, Drop::icv_mismatch);
  ASSERT_TRUE(offer(sa, esp(3)));
  EXPECT_EQ(poll().at(0).drop, Drop::none);
  EXPECT_EQ(context->statistics(sa)->number, 3u);
}

TEST_F(L1, WhatIsNoPacketOfTheSaIsDroppedUnderItsReason) {
  open();
  const SaHandle sa = add(test::inbound());
  auto fragment = esp(1);
  fragment[6] = 0x20;
  auto truncated = esp(1);
  store_be16(truncated.data() + 2, 30);
  const std::pair<std::vector<std::uint8_t>, Drop> cases[] = {
      {fragment, Drop::fragment},           {truncated, Drop::bad_length},
      {esp(1, 0x4321), Drop::spi_mismatch}, {esp(0), Drop::replayed},
      {ipv4(100, 17), Drop::no_sa},         {std::vector<std::uint8_t>(100), Drop::malformed_ip},
  };
  for (const auto& [packet, reason] : cases) {
    ASSERT_TRUE(offer(sa, packet));
    EXPECT_EQ(poll().at(0).drop, reason);
    EXPECT_EQ(context->statistics(sa)->drops[static_cast<unsigned>(reason)], 1u);
  }
  EXPECT_TRUE(card->seen.empty());
  EXPECT_EQ(count(EventKind::audit), std::size(cases));
}

TEST_F(L1, AnInboundSaIsFoundByItsSpi) {
  open();
  const SaHandle sa = add(test::inbound());
  const std::uint8_t here[4] = {10, 0, 0, 2}, there[4] = {10, 0, 0, 1};
  EXPECT_EQ(context->find(kQueue, test::kSpi, 50, Family::ipv4, here, there), sa);
  EXPECT_EQ(context->find(kQueue, test::kSpi, 51, Family::ipv4, here, there), SaHandle::none);
  EXPECT_EQ(context->find(kQueue, 0x4321, 50, Family::ipv4, here, there), SaHandle::none);
  EXPECT_FALSE(context->add(test::inbound())) << "a second SA with the same SPI";
  context->remove(sa);
  EXPECT_EQ(context->find(kQueue, test::kSpi, 50, Family::ipv4, here, there), SaHandle::none);
}

TEST_F(L1, MulticastSasAreFoundByTheirAddresses) {
  open();
  SaConfig a = test::inbound(), b = test::inbound();
  a.ends.destination = b.ends.destination = {224, 0, 0, 5};
  a.ends.source = {10, 0, 0, 7};
  b.ends.source = {10, 0, 0, 8};
  const SaHandle first = add(a), second = add(b);
  const std::uint8_t group[4] = {224, 0, 0, 5}, from_b[4] = {10, 0, 0, 8},
                     from_a[4] = {10, 0, 0, 7};
  EXPECT_EQ(context->find(kQueue, test::kSpi, 50, Family::ipv4, group, from_a), first);
  EXPECT_EQ(context->find(kQueue, test::kSpi, 50, Family::ipv4, group, from_b), second);
}

// ---- lifetimes (RFC 4301 4.4.2.1)

TEST_F(L1, PacketLifetimesAreExactBothWays) {
  for (const bool seal : {true, false}) {
    SCOPED_TRACE(seal);
    open();
    SaConfig config = seal ? test::outbound() : test::inbound();
    config.soft.packets = 3;
    config.hard.packets = 5;
    const SaHandle sa = add(config);
    unsigned delivered = 0, soft = 0;
    for (std::uint32_t i = 1; i <= 8; ++i) {
      ASSERT_TRUE(offer(sa, seal ? ipv4(64) : esp(i)));
      const auto done = poll();
      ASSERT_EQ(done.size(), 1u);
      delivered += done[0].drop == Drop::none;
      soft += done[0].soft_expired;
      if (i > 5) {
        EXPECT_EQ(done[0].drop, seal ? Drop::sa_expired_out : Drop::sa_expired);
      }
    }
    EXPECT_EQ(delivered, 5u);
    EXPECT_EQ(soft, 3u);
    const auto all = events();
    EXPECT_EQ(std::count_if(all.begin(), all.end(),
                            [](const Event& e) { return e.kind == EventKind::soft_expiry; }),
              1);
    EXPECT_EQ(std::count_if(all.begin(), all.end(),
                            [](const Event& e) { return e.kind == EventKind::hard_expiry; }),
              1);
  }
}

TEST_F(L1, BytesAreThoseGivenToTheAlgorithm) {
  open();
  SaConfig config = test::outbound();
  config.hard.bytes = 68 + 72;  // 64 + 2 and 68 + 2 octets, padded to a multiple of 4
  const SaHandle sa = add(config);
  for (const std::uint16_t length : {64, 68, 64}) ASSERT_TRUE(offer(sa, ipv4(length)));
  const auto done = poll();
  EXPECT_EQ(done.at(0).drop, Drop::none);
  EXPECT_EQ(done.at(1).drop, Drop::none);
  EXPECT_EQ(done.at(2).drop, Drop::sa_expired_out);
  EXPECT_EQ(context->statistics(sa)->bytes, 140u);
}

TEST_F(L1, TimeIsTheCallersAndTickSaysWhenItIsNeeded) {
  using std::chrono::seconds;
  open();
  context->tick(seconds(100));
  SaConfig config = test::outbound();
  config.soft.time = seconds(10);
  config.hard.time = seconds(20);
  const SaHandle sa = add(config);
  EXPECT_EQ(context->tick(seconds(101)), seconds(110));
  EXPECT_EQ(context->tick(seconds(110)), seconds(120));
  EXPECT_EQ(count(EventKind::soft_expiry), 1u);
  ASSERT_TRUE(offer(sa, ipv4(64)));
  EXPECT_TRUE(poll().at(0).soft_expired);
  context->tick(seconds(120));
  EXPECT_EQ(count(EventKind::hard_expiry), 1u);
  ASSERT_TRUE(offer(sa, ipv4(64)));
  EXPECT_EQ(poll().at(0).drop, Drop::sa_expired_out);
}

// ---- removal (conformance D11)

TEST_F(L1, ARemovedSaTakesNothingMoreAndIsWipedWhenItsLastPacketIsOut) {
  open();
  card->hold = true;
  const SaHandle sa = add(test::outbound());
  ASSERT_TRUE(offer(sa, ipv4(64)));
  ASSERT_TRUE(context->remove(sa));
  EXPECT_FALSE(context->remove(sa));
  ASSERT_TRUE(offer(sa, ipv4(64), 77));
  auto done = poll();
  ASSERT_EQ(done.size(), 1u);
  EXPECT_EQ(done[0].cookie, 77u);
  EXPECT_EQ(done[0].drop, Drop::sa_gone);
  context->tick(Time(1));
  EXPECT_EQ(card->slots.size(), 1u) << "a packet of it is still under way";
  EXPECT_EQ(count(EventKind::sa_drained), 0u);
  card->hold = false;
  done = poll();
  ASSERT_EQ(done.size(), 1u);
  EXPECT_EQ(done[0].drop, Drop::none);
  context->tick(Time(2));
  EXPECT_TRUE(card->slots.empty());
  EXPECT_TRUE(software->slots.empty());
  EXPECT_EQ(count(EventKind::sa_drained), 1u);
}

TEST_F(L1, AnOldHandleNeverReachesALaterSa) {
  open();
  const SaHandle old = add(test::outbound());
  context->remove(old);
  context->tick(Time(1));
  const SaHandle fresh = add(test::outbound());
  EXPECT_NE(old, fresh);
  ASSERT_TRUE(offer(old, ipv4(64)));
  EXPECT_EQ(poll().at(0).drop, Drop::sa_gone);
  ASSERT_TRUE(offer(fresh, ipv4(64)));
  EXPECT_EQ(poll().at(0).number, 1u);
}

TEST_F(L1, UnsoundSasAreRefusedWithAReason) {
  open();
  SaConfig window = test::inbound();
  window.replay_window = 16;
  SaConfig esn = test::inbound();
  esn.replay_window = 0;
  esn.transform.esn = true;
  SaConfig spi = test::outbound();
  spi.transform.spi = 255;
  SaConfig ttl = test::outbound();
  ttl.ttl = 0;
  SaConfig spent = test::outbound();
  spent.last_number = 1ull << 32;
  for (const SaConfig& config : {window, esn, spi, ttl, spent}) {
    const auto refused = context->add(config);
    ASSERT_FALSE(refused);
    EXPECT_FALSE(refused.error().empty());
    EXPECT_EQ(refused.error().find('\n'), std::string::npos);
  }
}

TEST_F(L1, AFullTableRefusesAndEmptiesAgain) {
  ContextConfig config;
  config.max_sas = 3;
  open(config);
  std::vector<SaHandle> all;
  for (int i = 0; i < 3; ++i) all.push_back(add(test::outbound()));
  EXPECT_FALSE(context->add(test::outbound()));
  context->remove(all[1]);
  EXPECT_TRUE(context->add(test::outbound()));
}

}  // namespace
}  // namespace espalier

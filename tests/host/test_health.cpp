// SPDX-License-Identifier: BSD-2-Clause-Patent
// Devices that fail, fall silent or answer wrongly: taken out of service, tested, taken back.
#include "espalier/driver/fault.hpp"
#include "espalier/driver/software.hpp"
#include "fixture.hpp"
#include "health/errand.hpp"
#include "health/known_answers.hpp"
#include "trusted.hpp"

namespace espalier {
namespace {

using test::ipv4;
using test::kQueue;
using namespace std::chrono_literals;

class Health : public test::Fixture {
 protected:
  Trouble trouble() { return context->device_state(0).trouble; }
};

TEST_F(Health, AJobWithoutAnAnswerTakesTheDeviceOutAndRunsInSoftware) {
  open();
  card->hold = true;
  const SaHandle sa = add(test::outbound());
  ASSERT_TRUE(offer(sa, ipv4(64), 7));
  Time now = 1s;
  std::vector<Completion> done;
  for (; now < 10s && done.empty(); now += 10ms) {
    context->tick(now);
    done = poll();
    if (card->resets != 0) card->hold = false;
  }
  ASSERT_EQ(done.size(), 1u);
  EXPECT_EQ(done[0].drop, Drop::none);
  EXPECT_EQ(done[0].refusal, Refusal::failed);
  EXPECT_GE(now, 1s + 1s) << "not before the time-out";
  EXPECT_LE(now, 1s + 1600ms) << "and at most 1.5 times as long after";
  EXPECT_EQ(context->device_state(0).last_trouble, Trouble::timed_out);
  EXPECT_EQ(card->seen[0].job.iv, software->seen[0].job.iv);
}

TEST_F(Health, TimeThatJumpsIsNoTimeOut) {
  open();
  const SaHandle sa = add(test::outbound());
  context->tick(1s);
  ASSERT_TRUE(offer(sa, ipv4(64)));
  context->tick(1000s);
  EXPECT_EQ(poll().size(), 1u);
  context->tick(5000s);
  poll();
  context->tick(9000s);
  EXPECT_EQ(trouble(), Trouble::none);
}

TEST_F(Health, ADeviceThatForgetsItsJobsInAResetLosesNone) {
  open();
  card->hold = true;
  const SaHandle sa = add(test::outbound());
  for (int i = 0; i < 8; ++i) ASSERT_TRUE(offer(sa, ipv4(64), i));
  poll();  // to the card
  card->state = driver::Health::quarantined;
  context->tick(1s);  // reset: quiet, and not a word on the jobs
  std::vector<Completion> done;
  for (int i = 0; i < 3; ++i)
    for (const Completion& c : poll()) done.push_back(c);
  ASSERT_EQ(done.size(), 8u);
  for (std::uint64_t i = 0; i < 8; ++i) {
    EXPECT_EQ(done[i].cookie, i);
    EXPECT_EQ(done[i].drop, Drop::none);
  }
  card->hold = false;
  EXPECT_TRUE(poll().empty()) << "what it says of them later counts no more";
}

TEST_F(Health, JobsItWasNotGivenYetDoNotWaitForIt) {
  ContextConfig config;
  config.batch_age = 1h;
  open(config);
  const SaHandle sa = add(test::outbound());
  ASSERT_TRUE(offer(sa, ipv4(64)));
  EXPECT_TRUE(poll().empty()) << "kept back for the batch";
  card->state = driver::Health::quarantined;
  card->quiet_on_reset = false;
  const auto done = poll();
  ASSERT_EQ(done.size(), 1u);
  EXPECT_EQ(done[0].device, 1);
  EXPECT_TRUE(card->seen.empty());
}

TEST_F(Health, TooManyFailuresTakeTheDeviceOut) {
  ContextConfig config;
  config.health.quarantine_per_million = 200'000;
  for (const unsigned every : {2u, 10u}) {
    SCOPED_TRACE(every);
    open(config);
    card->verdict = [every](const driver::Job& job) {
      return job.sequence_number % every == 0 ? Status::internal_error : Status::ok;
    };
    const SaHandle sa = add(test::outbound());
    std::size_t done = 0;
    for (int i = 0; i < 200; ++i) {
      ASSERT_TRUE(offer(sa, ipv4(64)));
      done += poll().size();
    }
    done += poll().size();
    EXPECT_EQ(done, 200u);
    context->tick(1ms);
    EXPECT_EQ(context->device_state(0).last_trouble, every == 2 ? Trouble::errors : Trouble::none);
    context->tick(2s);
    EXPECT_EQ(context->device_state(0).health,
              every == 2 ? driver::Health::ready : driver::Health::suspect);
  }
}

TEST_F(Health, ReturnsTakeTwiceAsLongEachTime) {
  open();
  Time now = 1s, waited{0};
  for (int round = 0; round < 4; ++round) {
    card->state = driver::Health::quarantined;
    const Time since = now;
    context->tick(now);
    while (trouble() != Trouble::none) context->tick(now += 10ms);
    if (round == 0) EXPECT_EQ(now - since, 0s);
    if (round == 1) EXPECT_EQ(now - since, 100ms);
    if (round > 1) EXPECT_EQ(now - since, 2 * waited);
    waited = now - since;
    now += 1s;
  }
  now += 61s;
  card->state = driver::Health::quarantined;
  context->tick(now);
  EXPECT_EQ(trouble(), Trouble::none) << "it had been well for longer than the probation";
}

TEST_F(Health, LentMemoryIsGivenUpAfterTheHoldBack) {
  ContextConfig config;
  config.health.hold_back = 5s;
  open(config);
  const SaHandle sa = add(test::outbound());
  card->verdict = [](const driver::Job&) { return Status::timed_out; };
  card->quiet_on_reset = false;
  std::span<std::uint8_t> pool = context->allocate(4096);
  const auto packet = ipv4(64);
  std::copy(packet.begin(), packet.end(), pool.begin());
  const Segment in{pool.data(), 64}, out{pool.data() + 2048, 2048};
  Job job;
  job.sa = sa;
  job.source = {&in, 1};
  job.destination = {&out, 1};
  context->tick(1s);
  ASSERT_EQ(context->submit(kQueue, {&job, 1}), 1u);
  std::vector<Completion> done;
  Time now = 1s;
  for (; done.empty() && now < 60s; now += 100ms) {
    context->tick(now);
    done = poll();
  }
  ASSERT_EQ(done.size(), 1u);
  EXPECT_EQ(now, 1s + 5s + 100ms);
  EXPECT_EQ(done[0].drop, Drop::device);
  EXPECT_EQ(done[0].status, Status::timed_out);
  EXPECT_TRUE(software->seen.empty()) << "the card may write there still";
}

// ---- known answers

TEST(KnownAnswers, SoftwareKnowsThemAll) {
  auto software = driver::make_software();
  for (const KnownAnswer& answer : known_answers()) {
    const Question q = question(answer);
    EXPECT_FALSE(q.clear.empty()) << answer.id;
    EXPECT_TRUE(software->supports(q.sa)) << answer.id;
    EXPECT_LE(q.sealed.size(), Errand::kRoom);
  }
  auto made = test::over(std::move(software));
  ASSERT_TRUE(made);
  const DeviceState state = (*made)->device_state(0);
  EXPECT_EQ(state.trouble, Trouble::none);
  EXPECT_EQ(state.tests_passed, 1u);
}

TEST(KnownAnswers, ADeviceThatAnswersWronglyIsNotUsedAtAll) {
  for (const char* fault : {"flip", "false_icv", "write_error"}) {
    SCOPED_TRACE(fault);
    driver::FaultOptions faults;
    ASSERT_EQ(driver::set_faults(fault, 1'000'000, faults), "");
    auto made = test::over(driver::make_fault_device(driver::make_software(), faults),
                           driver::make_software());
    ASSERT_TRUE(made);
    Context& context = **made;
    EXPECT_EQ(context.device_state(0).last_trouble,
              std::string(fault) == "flip" ? Trouble::wrong_answer : Trouble::refused);
    auto sa = context.add(test::outbound());
    ASSERT_TRUE(sa);
    Completion done;
    EXPECT_TRUE(test::pass(context, *sa, ipv4(64), done));
    EXPECT_EQ(done.device, 1);
    EXPECT_EQ(done.refusal, Refusal::health);
    EXPECT_EQ(context.counters(0).taken, 0u);
  }
}

TEST(KnownAnswers, TheyAreAskedAgainOnSchedule) {
  auto made = test::over(driver::make_software());
  ASSERT_TRUE(made);
  Context& context = **made;
  for (Time now = 0s; now < 35s; now += 10ms) {
    context.tick(now);
    Completion none;
    context.poll(kQueue, {&none, 1});
  }
  EXPECT_EQ(context.device_state(0).tests_passed, 4u) << "at open, and every ten seconds";
}

/// A device that begins to lie when told so.
TEST(KnownAnswers, ADeviceThatGoesWrongIsFoundOutAndComesBackWhenItIsMended) {
  auto liar = std::make_unique<test::Liar>(driver::make_software());
  test::Liar& lying = *liar;
  ContextConfig config;
  config.health.shadow_per_million = 0;
  config.health.rechecks_per_second = 0;
  auto made = test::over(std::move(liar), driver::make_software(), config);
  ASSERT_TRUE(made);
  Context& context = **made;
  auto sa = context.add(test::outbound());
  ASSERT_TRUE(sa);
  Completion done;
  Time now = 0s;
  const auto run = [&](Time until) {
    for (; now < until; now += 50ms) {
      context.tick(now);
      ASSERT_TRUE(test::pass(context, *sa, ipv4(64), done));
    }
  };
  run(1s);
  EXPECT_EQ(done.device, 0);
  lying.lies = true;
  run(15s);
  EXPECT_EQ(done.device, 1);
  EXPECT_EQ(context.device_state(0).trouble, Trouble::wrong_answer);
  EXPECT_GE(context.device_state(0).tests_failed, 2u) << "on schedule, then before it comes back";
  lying.lies = false;
  run(80s);
  EXPECT_EQ(done.device, 0);
  EXPECT_EQ(context.device_state(0).trouble, Trouble::none);
}

}  // namespace
}  // namespace espalier

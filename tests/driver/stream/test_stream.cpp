// SPDX-License-Identifier: BSD-2-Clause-Patent
// The adapter around an engine, with engines of the test's making: what it sends, and what it does
// when the engine misbehaves.
#include <gtest/gtest.h>

#include <cstring>
#include <deque>

#include "../one_job.hpp"
#include "../packets.hpp"
#include "espalier/spec/descriptor.h"
#include "stream/engine_port.hpp"
#include "stream/latency.hpp"

namespace espalier::driver::test {
namespace {

using stream::BeatWord;
using stream::Clock;
using stream::JobWord;
using stream::ResultWord;

/// Copies sources to results, with stalls; in `mood`, breaks a promise.
enum class Mood { good, silent, wrong_ticket, stray_beat, wrong_last };

struct CopyEngine final : stream::EnginePort {
  struct Pending {
    JobWord job;
    std::size_t beats_left;
    std::size_t out_left;
  };
  CopyEngine(Mood m, Random& r, unsigned* r_count) : mood(m), random(r), resets(r_count) {}

  void step(Clock& clock) noexcept override {
    if (mood == Mood::silent) return;
    if (clock.job != nullptr && random.below(3) != 0) accept(clock);
    if (clock.in != nullptr && feeding < jobs.size() && random.below(3) != 0) {
      clock.in_taken = true;
      Pending& p = jobs[feeding];
      EXPECT_EQ(clock.in->last, p.beats_left == 1);
      if (p.out_left != 0) beats.push_back(*clock.in);
      if (--p.beats_left == 0) ++feeding;
    }
    while (feeding < jobs.size() && jobs[feeding].beats_left == 0) ++feeding;
    if (mood == Mood::stray_beat) clock.out_given = true;
    if (feeding == 0 || random.below(3) == 0) return;
    answer(clock);
  }
  void reset() noexcept override {
    jobs.clear();
    beats.clear();
    feeding = 0;
    ++*resets;
  }

 private:
  void accept(Clock& clock) {
    clock.job_taken = true;
    spec::Descriptor d;
    std::memcpy(&d, clock.job->descriptor.data(), sizeof d);
    const std::size_t in = (d.source_length + 63u) / 64;
    const bool packet = d.opcode == static_cast<std::uint8_t>(spec::Opcode::seal);
    jobs.push_back({*clock.job, in, packet ? in : 0});
    lengths.push_back(packet ? d.source_length : std::uint16_t{0});
  }
  void answer(Clock& clock) {
    Pending& p = jobs.front();
    if (!answered) {
      clock.result_given = true;
      clock.result = {static_cast<std::uint16_t>(p.job.ticket + (mood == Mood::wrong_ticket)),
                      spec::status_code(Status::ok), lengths.front(), 50, 0};
      answered = true;
    }
    if (p.out_left != 0) {
      clock.out_given = true;
      clock.out = beats.front();
      beats.pop_front();
      --p.out_left;
      clock.out.last = (p.out_left == 0) != (mood == Mood::wrong_last);
    }
    if (p.out_left == 0) {
      jobs.pop_front();
      lengths.pop_front();
      answered = false;
      --feeding;
    }
  }

  Mood mood;
  Random& random;
  unsigned* resets;
  std::deque<Pending> jobs;
  std::deque<std::uint16_t> lengths;
  std::deque<BeatWord> beats;
  std::size_t feeding = 0;
  bool answered = false;
};

class Stream : public ::testing::Test {
 protected:
  Random random_;
  unsigned resets_ = 0;
  std::unique_ptr<Device> device_;

  void open_with(Mood mood) {
    device_ =
        stream::make_stream_device("copy", std::make_unique<CopyEngine>(mood, random_, &resets_),
                                   {16, 2048}, {.queue_depth = 8});
    ASSERT_NE(device_, nullptr);
  }
};

TEST_F(Stream, PacketsComeBackInOrderAndWhole) {
  open_with(Mood::good);
  ASSERT_EQ(install(*device_, Slot{3}, Generation{1}, make_sa(suite("aes128gcm16"), random_)),
            Status::ok);
  std::deque<std::pair<std::uint64_t, Bytes>> waiting;
  std::deque<Bytes> sources, results;
  std::deque<Segment> segments;
  for (std::uint64_t i = 0; i < 500; ++i) {
    sources.push_back(random_.bytes(1 + random_.below(300)));
    results.push_back(Bytes(512));
    segments.push_back({sources.back().data(), static_cast<std::uint32_t>(sources.back().size())});
    const Segment* in = &segments.back();
    segments.push_back({results.back().data(), 512});
    Job job;
    job.cookie = i;
    job.source = {in, 1};
    job.destination = {&segments.back(), 1};
    while (!device_->submit_one(QueueId{0}, job)) {
      const Completion c = wait_for(*device_);
      ASSERT_EQ(c.cookie, i - 8) << "a full queue of eight, in order";
      ASSERT_EQ(c.length, sources[c.cookie].size());
      ASSERT_TRUE(
          std::equal(sources[c.cookie].begin(), sources[c.cookie].end(), results[c.cookie].begin()))
          << random_.replay();
    }
  }
  const SimulatedCost cost = device_->simulated_cost();
  EXPECT_EQ(cost.open.jobs, 0u);
  EXPECT_GE(cost.seal.jobs, 492u);
  EXPECT_LE(cost.seal.minimum, cost.seal.median);
  EXPECT_LE(cost.seal.median, cost.seal.maximum);
  EXPECT_LE(cost.seal.maximum, cost.cycles);
  EXPECT_EQ(cost.seal_first.jobs, cost.seal.jobs);
  EXPECT_LE(cost.seal_first.minimum, cost.seal.minimum);
  EXPECT_LT(cost.seal_first.median, cost.seal.median) << "most results have several beats";
  device_->restart_latency();
  EXPECT_EQ(device_->simulated_cost().seal.jobs, 0u);
  EXPECT_EQ(device_->simulated_cost().seal_first.jobs, 0u);
  EXPECT_EQ(device_->simulated_cost().cycles, cost.cycles);
}

TEST_F(Stream, ABrokenEngineIsQuarantinedUntilReset) {
  for (const Mood mood : {Mood::silent, Mood::wrong_ticket, Mood::stray_beat, Mood::wrong_last}) {
    open_with(mood);
    const unsigned before = resets_;
    Bytes source(100, 7), result(100, 0xee);
    const Segment in{source.data(), 100}, out{result.data(), 100};
    Job job;
    job.source = {&in, 1};
    job.destination = {&out, 1};
    ASSERT_TRUE(device_->submit_one(QueueId{0}, job));
    Completion c;
    for (unsigned i = 0; i < 1000 && device_->health() == Health::ready; ++i)
      device_->poll(QueueId{0}, {&c, 1});
    EXPECT_EQ(device_->health(), Health::quarantined) << static_cast<int>(mood);
    EXPECT_FALSE(device_->submit_one(QueueId{0}, job)) << "takes no jobs";
    EXPECT_TRUE(device_->reset());
    EXPECT_EQ(resets_, before + 1);
    EXPECT_EQ(device_->health(), Health::ready);
  }
}

TEST_F(Stream, ResetAbortsWhatIsUnderWay) {
  open_with(Mood::silent);
  Bytes source(100, 7), result(100, 0xee);
  const Segment in{source.data(), 100}, out{result.data(), 100};
  Job job;
  job.cookie = 77;
  job.source = {&in, 1};
  job.destination = {&out, 1};
  ASSERT_TRUE(device_->submit_one(QueueId{0}, job));
  EXPECT_TRUE(device_->reset());
  const Completion c = wait_for(*device_);
  EXPECT_EQ(c.cookie, 77u);
  EXPECT_EQ(c.status, Status::aborted);
  EXPECT_EQ(result, Bytes(100, 0xee)) << "nothing was written";
}

TEST_F(Stream, WhatTheEngineCannotTakeIsSaidWithoutIt) {
  open_with(Mood::silent);
  Bytes source(2049), result(4096);
  const Segment in{source.data(), 2049}, out{result.data(), 4096};
  Job job;
  job.source = {&in, 1};
  job.destination = {&out, 1};
  ASSERT_TRUE(device_->submit_one(QueueId{0}, job));
  EXPECT_EQ(wait_for(*device_).status, Status::too_long);
  job.source = {};
  ASSERT_TRUE(device_->submit_one(QueueId{0}, job));
  EXPECT_EQ(wait_for(*device_).status, Status::bad_descriptor);
  EXPECT_FALSE(device_->supports(make_sa(suite("aes128-sha256"), random_)));
}

TEST(Latency, MedianOfOddAndEvenCounts) {
  stream::LatencyHistogram h;
  EXPECT_EQ(h.summary().jobs, 0u);
  for (const std::uint64_t cycles : {90u, 50u, 70u}) h.add(cycles);
  EXPECT_EQ(h.summary().median, 70u);
  h.add(1'000'000);
  EXPECT_EQ(h.summary().median, 70u) << "the lower of the middle two";
  EXPECT_EQ(h.summary().minimum, 50u);
  EXPECT_EQ(h.summary().maximum, 1'000'000u);
}

}  // namespace
}  // namespace espalier::driver::test

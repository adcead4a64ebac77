// SPDX-License-Identifier: BSD-2-Clause-Patent
// The card driver against the simulated card, with the copying engine of tests/hw: rings, staging,
// time-outs, resets.  What the real engine does with packets is tested in test_engine_card.cpp.
#include <algorithm>
#include <deque>
#include <map>
#include <vector>

#include "card_fixture.hpp"

namespace espalier::driver::test {
namespace {

using Bytes = std::vector<std::uint8_t>;

/// One job whose buffers belong to the test.
struct Work {
  Bytes outside;                 // memory the card cannot reach
  std::span<std::uint8_t> pool;  // or it can
  std::vector<Segment> source, destination;
  Bytes expected;
  bool fails = false;
};

class Load {
 public:
  Load(CardUnderTest& card, unsigned max_length, unsigned max_segments)
      : card_(card), random_(seed()), max_length_(max_length), max_segments_(max_segments) {}

  /// Runs `jobs` random jobs over all queues; ticks and polls as a library would.
  void run(unsigned jobs, unsigned patience = 20000) {
    const unsigned queues = card_->capabilities().queues;
    order_.resize(queues);
    unsigned submitted = 0, idle = 0;
    while ((submitted < jobs || !work_.empty()) && idle < patience) {
      for (unsigned k = 0; k < 4 && submitted < jobs && work_.size() < 200; ++k)
        submitted += submit(static_cast<unsigned>(random_.below(queues)), submitted);
      const auto before = work_.size();
      for (unsigned q = 0; q < queues; ++q) take(q);
      card_->tick(Time{0});
      idle = work_.size() == before ? idle + 1 : 0;
    }
    EXPECT_EQ(submitted, jobs);
    EXPECT_TRUE(work_.empty()) << work_.size() << " accepted jobs were lost";
  }

  std::map<Status, unsigned> counts;

 private:
  std::vector<Segment> cut(std::uint8_t* at, std::uint32_t length) {
    std::vector<Segment> parts;
    const unsigned n = 1 + static_cast<unsigned>(random_.below(max_segments_));
    for (unsigned i = 0; i < n; ++i) {
      at += random_.below(40);
      const auto take = i + 1 == n ? length : static_cast<std::uint32_t>(random_.below(length + 1));
      parts.push_back({at, take});
      at += take;
      length -= take;
    }
    return parts;
  }

  bool submit(unsigned queue, std::uint64_t cookie) {
    Work w;
    const auto length = static_cast<std::uint32_t>(20 + random_.below(max_length_ - 20));
    const std::size_t half = max_length_ + 700;
    w.pool = card_->allocate(2 * half);
    if (w.pool.empty()) return false;
    w.outside.resize(2 * half);
    const bool source_outside = random_.below(4) == 0, result_outside = random_.below(4) == 0;
    const bool in_place = random_.below(8) == 0;
    w.source = cut(source_outside ? w.outside.data() : w.pool.data(), length);
    w.destination = in_place ? w.source : cut((result_outside ? w.outside : Bytes{}).data(), 0);
    if (!in_place)
      w.destination = cut(result_outside ? w.outside.data() + half : w.pool.data() + half, length);
    for (const Segment& s : w.source)
      for (std::uint32_t i = 0; i < s.length; ++i) {
        s.data[i] = static_cast<std::uint8_t>(random_.next());
        w.expected.push_back(s.data[i]);
      }
    Job job;
    job.cookie = cookie;
    job.direction = random_.below(2) ? Direction::seal : Direction::open;
    w.fails = random_.below(16) == 0;
    job.ttl = w.fails ? 1 : 64;
    job.source = w.source;
    job.destination = w.destination;
    if (!card_->submit_one(QueueId{static_cast<std::uint8_t>(queue)}, job)) {
      card_->release(w.pool);
      return false;
    }
    work_.emplace(cookie, std::move(w));
    order_[queue].push_back(cookie);
    return true;
  }

  void take(unsigned queue) {
    std::array<Completion, 16> done;
    const std::size_t n = card_->poll(QueueId{static_cast<std::uint8_t>(queue)}, done);
    for (std::size_t i = 0; i < n; ++i) check(queue, done[i]);
  }

  void check(unsigned queue, const Completion& c) {
    ASSERT_FALSE(order_[queue].empty()) << "a job completed twice";
    ASSERT_EQ(order_[queue].front(), c.cookie) << "order within a queue";
    order_[queue].pop_front();
    const auto it = work_.find(c.cookie);
    ASSERT_NE(it, work_.end());
    Work& w = it->second;
    ++counts[c.status];
    if (c.status == Status::ok) {
      ASSERT_FALSE(w.fails);
      ASSERT_EQ(c.length, w.expected.size());
      Bytes got;
      for (const Segment& s : w.destination) got.insert(got.end(), s.data, s.data + s.length);
      got.resize(c.length);
      ASSERT_TRUE(got == w.expected) << "cookie " << c.cookie;
    } else if (c.status == Status::icv_mismatch) {
      ASSERT_TRUE(w.fails);
    } else {
      ASSERT_TRUE(spec::info(c.status).retry) << spec::info(c.status).name;
    }
    card_->release(w.pool);
    work_.erase(it);
  }

  CardUnderTest& card_;
  sim::Random random_;
  unsigned max_length_, max_segments_;
  std::map<std::uint64_t, Work> work_;
  std::vector<std::deque<std::uint64_t>> order_;
};

class CardTest : public ::testing::Test {
 protected:
  CardTest() : trace_(__FILE__, __LINE__, "replay: ESPALIER_SEED=" + std::to_string(seed())) {}
  ::testing::ScopedTrace trace_;
};

sim::CardOptions with(const sim::Faults& faults) {
  sim::CardOptions options;
  options.faults = faults;
  return options;
}

TEST_F(CardTest, SaysWhatItIs) {
  CardUnderTest card;
  EXPECT_EQ(card->capabilities().name, "cosim");
  EXPECT_EQ(card->capabilities().queues, 4u);
  EXPECT_EQ(card->capabilities().slots, 16384u);
  EXPECT_EQ(card->capabilities().max_packet, 9216u);
  EXPECT_TRUE(card->capabilities().simulated);
  EXPECT_EQ(card->health(), Health::ready);
}

TEST_F(CardTest, RandomJobs) {
  CardUnderTest card;
  Load load(card, 2000, 1);
  load.run(600);
  EXPECT_GT(load.counts[Status::ok], 500u);
  EXPECT_EQ(card.simulation->activity().stray_accesses, 0u);
}

TEST_F(CardTest, SixteenSegmentsEachWay) {
  CardUnderTest card;
  Load load(card, 3000, 16);
  load.run(400);
  EXPECT_GT(load.counts[Status::ok], 330u);
}

TEST_F(CardTest, SteadyStateReadsNoRegister) {
  CardSettings settings = quick_settings();
  settings.heartbeat = std::chrono::seconds(1);
  CardUnderTest card({}, settings);
  Job job;
  job.ttl = 64;
  expect_no_register_read(card, job, Bytes(100));
}

TEST_F(CardTest, StallsAndReorderedMemory) {
  CardUnderTest card(with({.stall = 0.2, .delay = 0.1, .reorder = true, .reordered_writes = true}));
  Load load(card, 1500, 3);
  load.run(400);
  EXPECT_EQ(load.counts[Status::ok] + load.counts[Status::icv_mismatch], 400u);
}

TEST_F(CardTest, TornWrites) {
  CardUnderTest card(with({.torn_writes = true}));
  Load load(card, 1500, 3);
  load.run(400);
  EXPECT_EQ(load.counts[Status::ok] + load.counts[Status::icv_mismatch], 400u)
      << "a half-written completion is waited for, not refused";
}

TEST_F(CardTest, FlippedCompletions) {
  CardUnderTest card(with({.completion_flip = 0.1}));
  Load load(card, 1500, 1);
  load.run(400);
  EXPECT_GT(load.counts[Status::internal_error] + load.counts[Status::timed_out], 5u);
  EXPECT_GT(load.counts[Status::ok], 200u);
}

TEST_F(CardTest, AxiErrors) {
  CardUnderTest card(with({.read_error = 0.03, .write_error = 0.03}));
  Load load(card, 1500, 2);
  load.run(400);
  EXPECT_GT(load.counts[Status::read_error], 3u);
  EXPECT_GT(load.counts[Status::write_error], 3u);
  EXPECT_GT(load.counts[Status::ok], 250u);
}

TEST_F(CardTest, LostDoorbells) {
  CardUnderTest card(with({.lost_doorbell = 0.3}));
  Load load(card, 1500, 2);
  load.run(400);
  EXPECT_EQ(load.counts[Status::ok] + load.counts[Status::icv_mismatch], 400u);
}

TEST_F(CardTest, HangThenRecovery) {
  CardUnderTest card(with({.hang_at = 30000, .hang_cycles = 30000}));
  Load load(card, 1500, 2);
  load.run(1500);
  EXPECT_GT(load.counts[Status::timed_out], 0u);
  EXPECT_GT(load.counts[Status::ok], 1000u);
}

TEST_F(CardTest, SomebodyElseResetsTheCard) {
  CardUnderTest card(with({.reset_at = 25000}));
  Load load(card, 1500, 2);
  load.run(1500);
  EXPECT_GT(load.counts[Status::timed_out], 0u);
  EXPECT_GT(load.counts[Status::ok], 1000u);
}

TEST_F(CardTest, LateWritesNeverReachReusedMemory) {
  // Load compares every result and hands its memory back at once: a write of a timed-out job that
  // landed in memory meanwhile given to another would show.
  CardUnderTest card(with({.late_write = 0.004, .late_cycles = 40000}));
  Load load(card, 1500, 2);
  load.run(800);
  EXPECT_GT(load.counts[Status::timed_out], 0u);
}

TEST_F(CardTest, ResetAnswersEverything) {
  CardUnderTest card;
  const auto memory = card->allocate(1 << 16);
  for (int round = 0; round < 3; ++round) {
    const Segment in{memory.data(), 1000}, out{memory.data() + 4096, 2000};
    Job job;
    job.ttl = 64;
    job.source = {&in, 1};
    job.destination = {&out, 1};
    unsigned taken = 0;
    for (; taken < 50; ++taken) {
      job.cookie = taken;
      ASSERT_TRUE(card->submit_one(QueueId{1}, job));
    }
    ASSERT_TRUE(card->reset());
    EXPECT_EQ(card->health(), Health::quarantined);
    EXPECT_FALSE(card->submit_one(QueueId{1}, job));
    std::array<Completion, 64> done;
    std::size_t n = 0;
    for (int i = 0; i < 100 && n < taken; ++i)
      n += card->poll(QueueId{1}, std::span(done).subspan(n));
    ASSERT_EQ(n, taken);
    for (std::size_t i = 0; i < n; ++i) EXPECT_EQ(done[i].cookie, i);
    for (int i = 0; i < 2000 && card->health() == Health::quarantined; ++i) card->tick(Time{0});
    EXPECT_NE(card->health(), Health::quarantined);
  }
}

}  // namespace
}  // namespace espalier::driver::test

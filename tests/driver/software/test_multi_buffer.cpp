// SPDX-License-Identifier: BSD-2-Clause-Patent
// libipsec-mb against OpenSSL: random bursts of all suites mixed, the same octets and statuses, and
// no octet touched that is not the job's.
#include <gtest/gtest.h>

#include "../one_job.hpp"
#include "../packets.hpp"
#include "espalier/driver/software.hpp"

namespace espalier::driver::test {
namespace {

constexpr std::size_t kGuard = 32;
constexpr std::uint8_t kFill = 0xdd;

/// One SA in two slots of both devices: sealing in the even, opening in the odd one.
struct Pair {
  SaParameters sa;
  Slot seal{}, open{};
};

/// All by libipsec-mb that it can; few jobs by OpenSSL, as device `software` has it.
class MultiBufferTest : public ::testing::TestWithParam<bool> {
 protected:
  void SetUp() override {
    if (!multi_buffer_available()) GTEST_SKIP() << "no libipsec-mb in this build, or no AES-NI";
    fast_ = make_software({.queues = 1,
                           .queue_depth = 256,
                           .slots = 512,
                           .multi_buffer = true,
                           .few_by_openssl = GetParam()});
    plain_ = make_software({.queues = 1, .queue_depth = 256, .slots = 512});
    ASSERT_TRUE(fast_ && plain_);
    unsigned slot = 0;
    for (const Suite& s : all_suites()) {
      SaParameters sa =
          make_sa(s, random_, random_.below(4) != 0 ? Mode::tunnel : Mode::transport, Family::ipv4);
      sa.esn = random_.below(3) == 0;
      const Pair pair{sa, static_cast<Slot>(slot), static_cast<Slot>(slot + 1)};
      slot += 2;
      SaParameters opener = sa;
      opener.direction = Direction::open;
      for (Device* device : {fast_.get(), plain_.get()}) {
        ASSERT_EQ(install(*device, pair.seal, Generation{1}, sa), Status::ok) << suite_name(s);
        ASSERT_EQ(install(*device, pair.open, Generation{1}, opener), Status::ok);
      }
      pairs_.push_back(pair);
    }
  }

  struct Result {
    Completion completion;
    Bytes memory;  ///< Guard, destination, guard.
    bool operator==(const Result& o) const {
      return completion.status == o.completion.status && completion.length == o.completion.length &&
             completion.next_header == o.completion.next_header && memory == o.memory;
    }
  };

  /// All jobs in one submit(), with destinations of `rooms` octets.
  static std::vector<Result> run_burst(Device& device, std::vector<Job> jobs,
                                       const std::vector<Bytes>& sources,
                                       const std::vector<std::uint32_t>& rooms) {
    std::vector<Bytes> in = sources;
    std::vector<Result> results(jobs.size());
    std::vector<Segment> from(jobs.size()), to(jobs.size());
    for (std::size_t i = 0; i < jobs.size(); ++i) {
      results[i].memory.assign(rooms[i] + 2 * kGuard, kFill);
      from[i] = {in[i].data(), static_cast<std::uint32_t>(in[i].size())};
      to[i] = {results[i].memory.data() + kGuard, rooms[i]};
      jobs[i].cookie = i;
      jobs[i].source = {&from[i], 1};
      jobs[i].destination = {&to[i], 1};
    }
    EXPECT_EQ(submit_all(device, QueueId{0}, jobs), jobs.size());
    for (std::size_t i = 0; i < jobs.size(); ++i) {
      const Completion c = wait_for(device);
      EXPECT_EQ(c.cookie, i) << "completions in the order of submission";
      results[i].completion = c;
      // Octets behind a result are undefined; a device leaves other ones there.
      const std::size_t used = kGuard + c.length, end = kGuard + rooms[i];
      const bool spent = c.status != Status::ok;
      for (std::size_t k = used; k < end; ++k) {
        if (spent) EXPECT_TRUE(results[i].memory[k] == 0 || !leaks(results[i].memory, sources[i]));
        results[i].memory[k] = 0;
      }
      EXPECT_EQ(in[i], sources[i]) << "the source is not the device's to change";
    }
    return results;
  }
  /// True if the first eight octets of the inner packet's payload stand anywhere.
  static bool leaks(const Bytes& memory, const Bytes& clear) {
    if (clear.size() < 60) return false;
    return std::search(memory.begin(), memory.end(), clear.begin() + 40, clear.begin() + 52) !=
           memory.end();
  }

  Random random_;
  std::unique_ptr<Device> fast_, plain_;
  std::vector<Pair> pairs_;
};

std::size_t random_payload(Random& random) {
  switch (random.below(8)) {
    case 0:
      return random.below(20);
    case 1:
      return 1400 + random.below(200);
    case 2:
      return 8000 + random.below(1200);
    default:
      return random.below(700);
  }
}

TEST_P(MultiBufferTest, GivesTheSameOctetsAndStatuses) {
  constexpr unsigned kRounds = 30;
  for (unsigned round = 0; round < kRounds; ++round) {
    const std::size_t n = 1 + random_.below(200);
    std::vector<Job> jobs;
    std::vector<Bytes> clear;
    std::vector<std::uint32_t> rooms;
    std::vector<const Pair*> of;
    for (std::size_t i = 0; i < n; ++i) {
      const Pair& pair = pairs_[random_.below(pairs_.size())];
      clear.push_back(make_packet(Family::ipv4, random_payload(random_), random_));
      Job job = seal_job(pair.sa, clear.back(), random_);
      job.slot = pair.seal;
      job.generation = Generation{1};
      if (pair.sa.mode == Mode::tunnel && pair.sa.protocol == Protocol::esp &&
          random_.below(8) == 0)
        job.tfc_length = static_cast<std::uint16_t>(16 * random_.below(20));
      jobs.push_back(job);
      rooms.push_back(static_cast<std::uint32_t>(clear.back().size() + 600));
      of.push_back(&pair);
    }
    const auto sealed = run_burst(*fast_, jobs, clear, rooms);
    const auto expected = run_burst(*plain_, jobs, clear, rooms);
    std::vector<Job> opens;
    std::vector<Bytes> wire;
    for (std::size_t i = 0; i < n; ++i) {
      ASSERT_EQ(sealed[i].completion.status, Status::ok) << random_.replay();
      ASSERT_EQ(sealed[i], expected[i]) << suite_name(*suite_of(of[i]->sa)) << ", "
                                        << clear[i].size() << " octets; " << random_.replay();
      Job open = open_job(of[i]->sa, jobs[i]);
      open.slot = of[i]->open;
      opens.push_back(open);
      const auto first = sealed[i].memory.begin() + kGuard;
      wire.emplace_back(first, first + sealed[i].completion.length);
      if (random_.below(4) == 0) {  // one bit flips, anywhere
        const std::size_t at = random_.below(wire.back().size());
        wire.back()[at] ^= static_cast<std::uint8_t>(1 << random_.below(8));
      }
      // Room for the inner packet alone, for its padding too, or for neither.
      rooms[i] = random_.below(3) == 0 ? static_cast<std::uint32_t>(clear[i].size()) : rooms[i];
      if (random_.below(16) == 0) rooms[i] = static_cast<std::uint32_t>(clear[i].size() - 1);
    }
    const auto opened = run_burst(*fast_, opens, wire, rooms);
    const auto expected_open = run_burst(*plain_, opens, wire, rooms);
    for (std::size_t i = 0; i < n; ++i) {
      ASSERT_EQ(opened[i], expected_open[i]) << suite_name(*suite_of(of[i]->sa)) << ", "
                                             << clear[i].size() << " octets; " << random_.replay();
      if (opened[i].completion.status != Status::ok) {
        EXPECT_FALSE(leaks(opened[i].memory, clear[i])) << random_.replay();
      }
    }
  }
}

/// Packets that come alone: only libipsec-mb that insists does them in lanes.
class MultiBufferLimits : public MultiBufferTest {};

/// The longest packets there are, on every suite, on both.
TEST_P(MultiBufferLimits, TakesPacketsOfEveryLengthToTheLimit) {
  for (const Pair& pair : pairs_) {
    const std::string name = suite_name(*suite_of(pair.sa));
    for (std::size_t less : {0u, 1u, 15u, 16u, 17u, 200u}) {
      // From the longest result back: the last source that fits, and some beyond.
      const std::size_t payload = kMaxPacket - 20 - 72 - less;
      const Bytes clear = make_packet(Family::ipv4, payload, random_);
      Job job = seal_job(pair.sa, clear, random_);
      job.slot = pair.seal;
      job.generation = Generation{1};
      const Outcome fast = run(*fast_, job, clear), plain = run(*plain_, job, clear);
      ASSERT_EQ(fast, plain) << name << ", " << clear.size() << " octets; " << random_.replay();
      if (fast.status != Status::ok) {
        ASSERT_EQ(fast.status, Status::too_long) << name;
        continue;
      }
      Job open = open_job(pair.sa, job);
      open.slot = pair.open;
      const Outcome back = run(*fast_, open, fast.packet);
      ASSERT_EQ(back, run(*plain_, open, fast.packet)) << name;
      ASSERT_EQ(back.status, Status::ok) << name << ", " << clear.size() << " octets";
    }
  }
}

TEST_P(MultiBufferTest, SaysWhatEncrypts) {
  EXPECT_EQ(plain_->capabilities().cipher_library, "OpenSSL");
  EXPECT_TRUE(fast_->capabilities().cipher_library.starts_with("libipsec-mb, "))
      << fast_->capabilities().cipher_library;
}

INSTANTIATE_TEST_SUITE_P(Few, MultiBufferTest, ::testing::Bool(), [](const auto& info) {
  return info.param ? "by_openssl" : "by_ipsec_mb";
});
INSTANTIATE_TEST_SUITE_P(Few, MultiBufferLimits, ::testing::Values(false));

}  // namespace
}  // namespace espalier::driver::test

// SPDX-License-Identifier: BSD-2-Clause-Patent
// The replay window alone: recorded scripts, a plain model under random walks, threads.
#include <gtest/gtest.h>

#include <random>
#include <set>
#include <thread>

#include "replay/window.hpp"
#include "vector_file.hpp"

namespace espalier {
namespace {

TEST(Replay, RecordedScriptsGiveTheirVerdicts) {
  unsigned steps = 0;
  for (const auto& script : test::vectors("replay_scripts")) {
    const std::uint32_t window = script.at("window");
    const bool esn = script.at("esn");
    ReplayWindow replay;
    replay.start(window, 0, script.at("initial_highest"), Users::one);
    for (const auto& step : script.at("steps")) {
      SCOPED_TRACE(script.at("id").get<std::string>() + " step " + step.dump().substr(0, 60));
      const std::uint64_t sent = step.at("sequence");
      const std::uint32_t low = static_cast<std::uint32_t>(sent);
      const std::uint64_t number = esn ? infer_number(low, replay.highest(), window) : low;
      // A wrong guess of the high half shows as an ICV mismatch; so does a forged packet.
      const bool replayed = !replay.check(number);
      const bool forged = step.at("reason") == "icv";
      const bool accepted = !replayed && !forged && number == sent && replay.commit(number);
      EXPECT_EQ(accepted, step.at("expect") == "accept");
      EXPECT_EQ(replay.highest(), step.at("highest_after").get<std::uint64_t>());
      if (step.at("reason") == "replay") {
        EXPECT_TRUE(replayed || number != sent);
      }
      ++steps;
    }
  }
  EXPECT_EQ(steps, 3059u);
}

/// The window as the RFC words it, with a set for a memory.
struct Model {
  std::uint32_t size;
  std::uint64_t highest = 0;
  std::set<std::uint64_t> seen;
  bool accept(std::uint64_t n) {
    if (n == 0 || (n < highest && highest - n >= size) || seen.count(n)) return false;
    seen.insert(n);
    highest = std::max(highest, n);
    return true;
  }
};

TEST(Replay, RandomWalksAgreeWithAPlainModel) {
  for (const std::uint32_t size : {32u, 33u, 64u, 100u, 1024u, 4096u, 65536u}) {
    const std::uint64_t seed = 0x5eed0000 + size;
    SCOPED_TRACE("size " + std::to_string(size) + " seed " + std::to_string(seed));
    std::mt19937_64 random(seed);
    ReplayWindow replay;
    replay.start(size, 0, 0, Users::one);
    Model model{size, 0, {}};
    const std::uint64_t jumps[] = {1,    31,       32,          33,        size - 1,
                                   size, size + 1, 2ull * size, 1ull << 33};
    for (int i = 0; i < 20000; ++i) {
      std::uint64_t n = 0;
      if (random() % 4 != 0) {
        const std::uint64_t back = random() % (2ull * size);
        n = model.highest > back ? model.highest - back : 0;
      } else {
        n = model.highest + jumps[random() % std::size(jumps)];
      }
      const bool checked = replay.check(n);
      const bool expected = model.accept(n);
      ASSERT_EQ(checked, expected) << "number " << n << " highest " << model.highest;
      ASSERT_EQ(replay.commit(n), expected) << "number " << n;
      ASSERT_EQ(replay.highest(), model.highest);
    }
  }
}

TEST(Replay, OfManyCopiesExactlyOneIsAccepted) {
  constexpr std::uint64_t kNumbers = 20000;
  constexpr unsigned kThreads = 4;
  ReplayWindow replay;
  replay.start(65536, 0, 0, Users::any);
  std::atomic<unsigned> accepted[kNumbers + 1] = {};
  std::vector<std::thread> threads;
  for (unsigned t = 0; t < kThreads; ++t)
    threads.emplace_back([&, t] {
      std::mt19937_64 random(t);
      for (std::uint64_t n = 1; n <= kNumbers; ++n) {
        const std::uint64_t pick = random() % 8 == 0 ? 1 + random() % n : n;
        if (replay.check(pick) && replay.commit(pick)) accepted[pick].fetch_add(1);
        if (replay.commit(n)) accepted[n].fetch_add(1);
      }
    });
  for (std::thread& thread : threads) thread.join();
  for (std::uint64_t n = 1; n <= kNumbers; ++n) ASSERT_EQ(accepted[n].load(), 1u) << n;
}

TEST(Replay, ANumberInFlightSurvivesThePacketsThatOvertakeIt) {
  constexpr std::uint32_t kInFlight = 256;
  ReplayWindow replay;
  replay.start(32, kInFlight, 0, Users::any);
  ASSERT_TRUE(replay.check(10));
  for (std::uint64_t n = 11; n <= 10 + 32 + 100; ++n) ASSERT_TRUE(replay.commit(n));
  EXPECT_FALSE(replay.check(10)) << "left of the window for a packet that arrives now";
  EXPECT_TRUE(replay.commit(10, kInFlight)) << "but not for one that was under way";
  EXPECT_FALSE(replay.commit(10, kInFlight)) << "and once only";
}

TEST(Replay, InferenceFollowsAppendixA2) {
  const std::uint64_t k32 = 1ull << 32;
  EXPECT_EQ(infer_number(5, 10, 64), 5u);
  EXPECT_EQ(infer_number(0xffffffff, 10, 64), 0u) << "before the first number";
  EXPECT_EQ(infer_number(3, k32 - 1, 64), k32 + 3);
  EXPECT_EQ(infer_number(0xfffffff0, k32 + 3, 64), 0xfffffff0u) << "window spans two subspaces";
  EXPECT_EQ(infer_number(100, k32 + 1000, 64), 2 * k32 + 100);
  EXPECT_EQ(infer_number(5, ~0ull, 64), 0u) << "past the last number";
}

}  // namespace
}  // namespace espalier

// SPDX-License-Identifier: BSD-2-Clause-Patent
// A simulated card under the Device contract, with its simulation at hand.
#pragma once

#include <gtest/gtest.h>

#include <algorithm>
#include <array>
#include <cstdlib>
#include <memory>
#include <span>
#include <string>

#include "card/card.hpp"
#include "card/random.hpp"
#include "card/simulated_card.hpp"
#include "cosim/direct.hpp"

namespace espalier::driver::test {

inline std::uint64_t seed() {
  const char* text = std::getenv("ESPALIER_SEED");
  return text != nullptr ? std::strtoull(text, nullptr, 0) : 20261123;
}

/// Time-outs short enough for a simulation, long against a healthy link.
inline CardSettings quick_settings() {
  CardSettings s;
  s.name = "cosim";
  s.simulated = true;
  s.doorbell_timeout = std::chrono::microseconds(20);
  s.job_timeout = std::chrono::microseconds(60);
  s.reset_timeout = std::chrono::microseconds(60);
  s.heartbeat = std::chrono::microseconds(50);
  return s;
}

struct CardUnderTest {
  std::shared_ptr<sim::SimulatedCard> simulation;
  std::unique_ptr<Device> device;

  explicit CardUnderTest(sim::CardOptions options = {},
                         const CardSettings& settings = quick_settings()) {
    options.seed = seed();
    simulation = std::make_shared<sim::SimulatedCard>(options);
    std::string why;
    device = open_card(std::make_unique<DirectTransport>(simulation), settings, why);
    EXPECT_TRUE(device) << why;
  }
  Device* operator->() { return device.get(); }
};

/// Steady state: batches of `job` over `clear` cost a doorbell each, a credit for every half ring
/// of completions, and no register read.  `card` must send no heartbeat meanwhile.
inline void expect_no_register_read(CardUnderTest& card, Job job,
                                    std::span<const std::uint8_t> clear) {
  constexpr unsigned kBatches = 200, kBatch = 8;
  const auto memory = card->allocate(1 << 16);
  ASSERT_FALSE(memory.empty());
  std::copy(clear.begin(), clear.end(), memory.begin());
  const Segment in{memory.data(), static_cast<std::uint32_t>(clear.size())};
  const Segment out{memory.data() + 4096, 2048};
  job.source = {&in, 1};
  job.destination = {&out, 1};
  std::array<const Job*, kBatch> jobs;
  jobs.fill(&job);
  const auto before = card.simulation->activity();
  for (unsigned b = 0; b < kBatches; ++b) {
    ASSERT_EQ(card->submit(QueueId{0}, jobs), kBatch);
    std::array<Completion, kBatch> done;
    std::size_t n = 0;
    while (n < kBatch) n += card->poll(QueueId{0}, std::span(done).subspan(n));
    for (const Completion& c : done) ASSERT_EQ(c.status, Status::ok);
  }
  const auto after = card.simulation->activity();
  EXPECT_EQ(after.register_reads, before.register_reads);
  EXPECT_LE(after.register_writes - before.register_writes, kBatches + kBatches * kBatch / 512 + 1);
}

}  // namespace espalier::driver::test

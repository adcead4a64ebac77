// SPDX-License-Identifier: BSD-2-Clause-Patent
// Random traffic over four queues through the shell, first in peace, then under each fault.
#include "traffic.hpp"

namespace espalier::test {
namespace {

std::uint64_t seed() {
  const char* text = std::getenv("ESPALIER_SEED");
  return text != nullptr ? std::strtoull(text, nullptr, 0) : 20261123;
}

class TrafficTest : public ::testing::Test {
 protected:
  TrafficResult run(sim::CardOptions options, TrafficOptions traffic) {
    SCOPED_TRACE("replay: ESPALIER_SEED=" + std::to_string(seed()));
    options.seed = traffic.seed = seed();
    RawCard host(options);
    EXPECT_TRUE(host.wait_ready());
    const TrafficResult result = Traffic(host, traffic).run();
    EXPECT_EQ(result.missing, 0u) << "jobs were lost";
    EXPECT_EQ(host.card.activity().stray_accesses, 0u);
    EXPECT_EQ(host.read(spec::reg::errors) & spec::kErrorInternal, 0u);
    RecordProperty("cycles", static_cast<int>(result.cycles));
    return result;
  }
  static sim::CardOptions with(const sim::Faults& faults) {
    sim::CardOptions options;
    options.faults = faults;
    return options;
  }
};

TEST_F(TrafficTest, OneSegmentAnyAlignment) {
  const auto r = run({}, {.jobs = 1500});
  EXPECT_GT(r.ok, 1300u);
  EXPECT_EQ(r.wrong_data, 0u);
}

TEST_F(TrafficTest, SixteenSegments) {
  const auto r = run({}, {.jobs = 800, .max_segments = 16});
  EXPECT_GT(r.ok, 700u);
  EXPECT_EQ(r.wrong_data, 0u);
}

TEST_F(TrafficTest, LongPackets) {
  const auto r = run({}, {.jobs = 300, .max_length = 9216, .max_segments = 3});
  EXPECT_GT(r.ok, 250u);
  EXPECT_EQ(r.wrong_data, 0u);
}

TEST_F(TrafficTest, OverPcie) {
  sim::CardOptions options;
  options.link = sim::LinkProfile::pcie3x16();
  const auto r = run(options, {.jobs = 600, .max_segments = 4});
  EXPECT_EQ(r.wrong_data, 0u);
}

TEST_F(TrafficTest, MoreReadsThanTheCardHasIds) {
  sim::CardOptions options;
  options.link.latency = 3000;  // no answer before all of them are out
  const auto r = run(options, {.jobs = 200, .max_length = 200, .max_segments = 8});
  EXPECT_GT(r.ok, 150u);
  EXPECT_EQ(r.wrong_data, 0u);
}

TEST_F(TrafficTest, StallsDelaysAndReordering) {
  const auto r =
      run(with({.stall = 0.3, .delay = 0.2, .reorder = true}), {.jobs = 800, .max_segments = 5});
  EXPECT_GT(r.ok, 700u);
  EXPECT_EQ(r.wrong_data, 0u);
}

TEST_F(TrafficTest, TornAndReorderedWrites) {
  // A torn completion may be seen half written: its CRC says so, and it is whole a little later.
  const auto r =
      run(with({.reorder = true, .reordered_writes = true}), {.jobs = 800, .max_segments = 3});
  EXPECT_EQ(r.damaged_completions, 0u);
  EXPECT_EQ(r.wrong_data, 0u) << "a completion was visible before its data";
}

TEST_F(TrafficTest, ReadErrorsBecomeStatuses) {
  const auto r = run(with({.read_error = 0.05}), {.jobs = 600, .max_segments = 3});
  EXPECT_GT(r.read_errors, 10u);
  EXPECT_GT(r.ok, 300u);
  EXPECT_EQ(r.wrong_data, 0u);
}

TEST_F(TrafficTest, WriteErrorsBecomeStatuses) {
  const auto r = run(with({.write_error = 0.05}), {.jobs = 600, .max_segments = 3});
  EXPECT_GT(r.write_errors, 10u);
  EXPECT_GT(r.ok, 300u);
  EXPECT_EQ(r.wrong_data, 0u);
}

TEST_F(TrafficTest, FlippedPayloadIsNot) {
  const auto r = run(with({.payload_flip = 0.1}), {.jobs = 600});
  EXPECT_GT(r.wrong_data, 10u) << "a silent flip is for shadow verification to find";
}

}  // namespace
}  // namespace espalier::test

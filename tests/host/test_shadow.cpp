// SPDX-License-Identifier: BSD-2-Clause-Patent
// Second opinions: what a device does wrong in silence is found, and software's result goes out.
#include "espalier/driver/software.hpp"
#include "fixture.hpp"
#include "shadow/shadow.hpp"
#include "trusted.hpp"

namespace espalier {
namespace {

using test::ipv4;
using test::kQueue;
using namespace std::chrono_literals;

class Shadow : public ::testing::Test {
 protected:
  void open(std::uint32_t per_million, std::uint32_t rechecks = 1'000'000) {
    auto liar = std::make_unique<test::Liar>(driver::make_software());
    device = liar.get();
    ContextConfig config;
    config.health.shadow_per_million = per_million;
    config.health.rechecks_per_second = rechecks;
    config.health.shadow_seed = 7;
    auto made = test::over(std::move(liar), driver::make_software(), config);
    ASSERT_TRUE(made) << made.error();
    context = std::move(*made);
    auto in = context->add(test::inbound()), out = context->add(test::outbound());
    ASSERT_TRUE(in && out);
    opening = *in;
    sealing = *out;
    peer = std::move(*test::over(driver::make_software()));
    at_peer = *peer->add(test::outbound());
  }
  /// Runs one packet, in place if told; `buffer` holds the result.
  Completion run(Context& by, SaHandle sa, std::vector<std::uint8_t>& buffer, bool in_place) {
    const std::size_t length = buffer.size(), shift = in_place ? 64 : 0;
    std::vector<std::uint8_t> source(shift);
    source.insert(source.end(), buffer.begin(), buffer.end());
    source.resize(2048);
    std::vector<std::uint8_t> apart(2048, 0xee);
    const Segment from{source.data() + shift, static_cast<std::uint32_t>(length)};
    const Segment to{in_place ? source.data() : apart.data(), 2048};
    Job job;
    job.sa = sa;
    job.source = {&from, 1};
    job.destination = {&to, 1};
    Completion done;
    EXPECT_EQ(by.submit(kQueue, {&job, 1}), 1u);
    for (int i = 0; i < 100; ++i)
      if (by.poll(kQueue, {&done, 1}) == 1) break;
    buffer.assign(to.data, to.data + (done.drop == Drop::none ? done.length : 2048));
    return done;
  }
  std::vector<std::uint8_t> sealed() {
    auto packet = ipv4(200);
    run(*peer, at_peer, packet, false);
    return packet;
  }
  DeviceCounters counters() { return context->counters(0); }

  test::Liar* device = nullptr;
  std::unique_ptr<Context> context, peer;
  SaHandle opening{}, sealing{}, at_peer{};
};

TEST_F(Shadow, AgreementDeliversTheDevicesResult) {
  open(1'000'000);
  for (const bool in_place : {false, true}) {
    auto packet = ipv4(200), wanted = sealed();
    const Completion done = run(*context, sealing, packet, in_place);
    EXPECT_EQ(done.device, 0);
    EXPECT_EQ(done.refusal, Refusal::none);
    EXPECT_EQ(packet, wanted);
    EXPECT_EQ(run(*context, opening, wanted, in_place).device, 0);
    EXPECT_EQ(wanted, ipv4(200));
  }
  EXPECT_EQ(counters().verified, 4u);
  EXPECT_EQ(counters().mismatches, 0u);
}

TEST_F(Shadow, ASilentFlipIsReplacedBySoftwaresResultAndTheDeviceGoes) {
  for (const bool in_place : {false, true})
    for (const bool seal : {false, true}) {
      SCOPED_TRACE(testing::Message() << "in place " << in_place << ", seal " << seal);
      open(1'000'000);
      device->lies = true;
      auto packet = seal ? ipv4(200) : sealed(), wanted = seal ? sealed() : ipv4(200);
      const Completion done = run(*context, seal ? sealing : opening, packet, in_place);
      EXPECT_EQ(done.drop, Drop::none);
      EXPECT_EQ(done.device, 1);
      EXPECT_EQ(done.refusal, Refusal::failed);
      EXPECT_EQ(packet, wanted);
      EXPECT_EQ(counters().mismatches, 1u);
      EXPECT_EQ(context->device_state(0).trouble, Trouble::mismatch);
      auto next = ipv4(64);
      EXPECT_EQ(run(*context, sealing, next, false).refusal, Refusal::health);
    }
}

TEST_F(Shadow, NothingOfAForgedPacketThatADeviceLetsThroughIsLeft) {
  for (const bool in_place : {false, true}) {
    open(1'000'000);
    auto forged = sealed();
    forged.back() ^= 1;
    device->verdict = driver::Status::ok;  // and releases what it is told to: the packet's payload
    const Completion done = run(*context, opening, forged, in_place);
    EXPECT_EQ(done.drop, Drop::icv_mismatch);
    EXPECT_EQ(forged, std::vector<std::uint8_t>(2048));
    EXPECT_EQ(context->device_state(0).trouble, Trouble::mismatch);
  }
}

TEST_F(Shadow, AFalseVerdictIsFoundThoughNothingIsSampled) {
  open(0);
  device->verdict = driver::Status::icv_mismatch;
  auto packet = sealed();
  const Completion done = run(*context, opening, packet, false);
  EXPECT_EQ(done.drop, Drop::none);
  EXPECT_EQ(packet, ipv4(200));
  EXPECT_EQ(counters().rechecked, 1u);
  EXPECT_EQ(context->device_state(0).trouble, Trouble::refused);
}

/// What failed in place on a device that keeps no source can't be asked about: it is dropped.
TEST_F(Shadow, AVerdictOnASourceThatIsGoneStands) {
  open(0);
  device->verdict = driver::Status::icv_mismatch;
  auto packet = sealed();
  const Completion done = run(*context, opening, packet, true);
  EXPECT_EQ(done.drop, Drop::icv_mismatch);
  EXPECT_EQ(counters().rechecked, 0u);
}

TEST_F(Shadow, ForgedPacketsAreNotAllLookedAtTwice) {
  for (const std::uint32_t per_million : {0u, 1'000'000u}) {
    open(per_million, 100);
    Time now = 1s;
    context->tick(now);
    for (int i = 0; i < 1000; ++i) {
      auto forged = sealed();
      forged.back() ^= 1;
      EXPECT_EQ(run(*context, opening, forged, false).drop, Drop::icv_mismatch);
    }
    const std::uint64_t first = counters().rechecked + counters().verified;
    EXPECT_EQ(first, per_million == 0 ? 50u : 100u) << "half is kept for sampled packets";
    for (int i = 0; i < 1000; ++i) {
      context->tick(now += 1ms);
      auto forged = sealed();
      forged.back() ^= 1;
      run(*context, opening, forged, false);
    }
    EXPECT_LE(counters().rechecked + counters().verified, first + 100) << "within another second";
    EXPECT_GE(counters().rechecked + counters().verified, first + 90);
    EXPECT_EQ(context->device_state(0).trouble, Trouble::none);
  }
}

TEST_F(Shadow, WhatCanNotBeVerifiedGoesToSoftware) {
  open(1'000'000);
  std::vector<std::vector<std::uint8_t>> memory(40, std::vector<std::uint8_t>(512));
  for (std::size_t i = 0; i < memory.size(); ++i) {
    const auto packet = ipv4(100);
    std::copy(packet.begin(), packet.end(), memory[i].begin());
    const Segment from{memory[i].data(), 100}, to{memory[i].data() + 128, 384};
    Job job;
    job.sa = sealing;
    job.source = {&from, 1};
    job.destination = {&to, 1};
    ASSERT_EQ(context->submit(kQueue, {&job, 1}), 1u);
  }
  Completion done[64];
  ASSERT_EQ(context->poll(kQueue, done), 40u);
  EXPECT_EQ(counters().verified, 16u) << "shadow_slots";
  for (int i = 0; i < 40; ++i)
    EXPECT_EQ(done[i].refusal, i < 16 ? Refusal::none : Refusal::verification);
}

TEST_F(Shadow, NothingMoreOfADeviceThatWasFoundOutIsBelieved) {
  open(100'000);
  device->lies = true;
  // More jobs than a batch of the device: all are done by it, and lied about, before the first
  // sampled one is compared.
  std::vector<std::vector<std::uint8_t>> memory(60, std::vector<std::uint8_t>(512));
  for (auto& m : memory) {
    const auto packet = ipv4(100);
    std::copy(packet.begin(), packet.end(), m.begin());
    const Segment from{m.data(), 100}, to{m.data() + 128, 384};
    Job job;
    job.sa = sealing;
    job.cookie = static_cast<std::uint64_t>(&m - memory.data());
    job.source = {&from, 1};
    job.destination = {&to, 1};
    ASSERT_EQ(context->submit(kQueue, {&job, 1}), 1u);
    device->hold_after = 5;  // polls hand out a few at a time
  }
  std::vector<Completion> done;
  for (int i = 0; i < 100 && done.size() < 60; ++i) {
    Completion some[64];
    const std::size_t n = context->poll(kQueue, some);
    done.insert(done.end(), some, some + n);
  }
  ASSERT_EQ(done.size(), 60u);
  std::size_t by_software = 0;
  for (const Completion& c : done) {
    EXPECT_EQ(c.drop, Drop::none);
    by_software += c.device == 1;
  }
  EXPECT_EQ(context->device_state(0).trouble, Trouble::mismatch);
  EXPECT_GE(by_software, 30u) << "all that came after the first sampled packet";
}

TEST(ShadowSampler, StrikesAtItsRateAndBySeedAlone) {
  HealthConfig config;
  config.shadow_per_million = 50'000;
  const auto pattern = [&](std::uint64_t seed, unsigned stream) {
    config.shadow_seed = seed;
    ShadowSampler sampler(config, stream);
    std::vector<bool> out;
    for (int i = 0; i < 20'000; ++i) out.push_back(sampler.strikes());
    return out;
  };
  for (const std::uint64_t seed : {0u, 1u, 2u}) {
    const auto hits = pattern(seed, 0);
    EXPECT_NEAR(static_cast<double>(std::count(hits.begin(), hits.end(), true)), 1000, 200) << seed;
  }
  EXPECT_EQ(pattern(1, 0), pattern(1, 0));
  EXPECT_NE(pattern(1, 0), pattern(2, 0));
  EXPECT_NE(pattern(1, 0), pattern(1, 1));
  EXPECT_NE(pattern(0, 0), pattern(0, 0)) << "without a seed nobody can foretell it";
  config.shadow_per_million = 0;
  EXPECT_EQ(pattern(1, 0), std::vector<bool>(20'000, false));
  config.shadow_per_million = 1'000'000;
  EXPECT_EQ(pattern(1, 0), std::vector<bool>(20'000, true));
}

}  // namespace
}  // namespace espalier

// SPDX-License-Identifier: BSD-2-Clause-Patent
// Queues beside each other and beside the control thread.
#include <atomic>
#include <set>
#include <thread>

#include "espalier/driver/null.hpp"
#include "fixture.hpp"

namespace espalier {
namespace {

constexpr unsigned kQueues = 3;

std::unique_ptr<Context> open_null() {
  ContextConfig config;
  config.queues = kQueues;
  config.max_sas = 64;
  std::vector<std::unique_ptr<driver::Device>> devices;
  devices.push_back(driver::make_null_device(kQueues));
  auto made = Context::create(config, std::move(devices));
  EXPECT_TRUE(made) << made.error();
  return std::move(*made);
}

TEST(Threads, QueuesOfOneSaNeverShareANumber) {
  const auto context = open_null();
  const auto sa = context->add(test::outbound());
  ASSERT_TRUE(sa);
  constexpr unsigned kPackets = 20000;
  std::vector<std::uint64_t> numbers[kQueues];
  std::vector<std::thread> threads;
  for (unsigned q = 0; q < kQueues; ++q)
    threads.emplace_back([&, q] {
      auto packet = test::ipv4(64);
      std::vector<std::uint8_t> room(512);
      const Segment in{packet.data(), 64}, out{room.data(), 512};
      Job jobs[8];
      for (Job& job : jobs) {
        job.sa = *sa;
        job.source = {&in, 1};
        job.destination = {&out, 1};
      }
      Completion done[64];
      while (numbers[q].size() < kPackets) {
        context->submit(QueueId(q), jobs);
        const std::size_t n = context->poll(QueueId(q), done);
        for (std::size_t i = 0; i < n; ++i) numbers[q].push_back(done[i].number);
      }
    });
  for (std::thread& thread : threads) thread.join();
  std::set<std::uint64_t> all;
  std::size_t count = 0;
  for (const auto& mine : numbers) {
    EXPECT_TRUE(std::is_sorted(mine.begin(), mine.end())) << "order holds per SA and queue";
    all.insert(mine.begin(), mine.end());
    count += mine.size();
  }
  EXPECT_EQ(all.size(), count);
}

TEST(Threads, AHardLimitIsExactOverManyQueues) {
  const auto context = open_null();
  SaConfig config = test::outbound();
  config.hard.packets = 1000;
  const auto sa = context->add(config);
  ASSERT_TRUE(sa);
  std::atomic<unsigned> sealed{0}, dropped{0};
  std::vector<std::thread> threads;
  for (unsigned q = 0; q < kQueues; ++q)
    threads.emplace_back([&, q] {
      auto packet = test::ipv4(64);
      std::vector<std::uint8_t> room(512);
      const Segment in{packet.data(), 64}, out{room.data(), 512};
      Job job;
      job.sa = *sa;
      job.source = {&in, 1};
      job.destination = {&out, 1};
      Completion done[8];
      for (unsigned i = 0; i < 1000; ++i) {
        context->submit(QueueId(q), {&job, 1});
        const std::size_t n = context->poll(QueueId(q), done);
        for (std::size_t k = 0; k < n; ++k) ++(done[k].drop == Drop::none ? sealed : dropped);
      }
    });
  for (std::thread& thread : threads) thread.join();
  EXPECT_EQ(sealed.load(), 1000u);
  EXPECT_EQ(dropped.load(), kQueues * 1000 - 1000);
}

TEST(Threads, SasComeAndGoWhileTrafficRuns) {
  const auto context = open_null();
  std::atomic<std::uint64_t> current[4] = {};
  std::atomic<bool> stop{false};
  std::atomic<std::uint64_t> delivered{0}, gone{0}, other{0};
  std::vector<std::thread> threads;
  for (unsigned q = 0; q < kQueues; ++q)
    threads.emplace_back([&, q] {
      auto packet = test::ipv4(64);
      std::vector<std::uint8_t> room(512);
      const Segment in{packet.data(), 64}, out{room.data(), 512};
      std::uint64_t submitted = 0, completed = 0;
      Completion done[64];
      const auto drain = [&] {
        const std::size_t n = context->poll(QueueId(q), done);
        for (std::size_t i = 0; i < n; ++i)
          ++(done[i].drop == Drop::none ? delivered : done[i].drop == Drop::sa_gone ? gone : other);
        completed += n;
      };
      while (!stop.load()) {
        Job job;
        job.sa = static_cast<SaHandle>(current[submitted % 4].load());
        job.source = {&in, 1};
        job.destination = {&out, 1};
        submitted += context->submit(QueueId(q), {&job, 1});
        drain();
      }
      while (completed < submitted) drain();
    });
  std::uint64_t drained = 0, removed = 0;
  for (unsigned i = 0; i < 3000 || delivered.load() < 3000; ++i) {
    const auto sa = context->add(test::outbound());
    ASSERT_TRUE(sa) << sa.error();
    const std::uint64_t before = current[i % 4].exchange(static_cast<std::uint64_t>(*sa));
    if (before != 0) removed += context->remove(static_cast<SaHandle>(before));
    context->tick(Time(i));
    for (Event event; context->next_event(event);) drained += event.kind == EventKind::sa_drained;
    if (removed - drained > 32) std::this_thread::yield();
    while (removed - drained > 50) {
      context->tick(Time(i));
      for (Event event; context->next_event(event);) drained += event.kind == EventKind::sa_drained;
    }
  }
  stop.store(true);
  for (std::thread& thread : threads) thread.join();
  context->tick(Time(10000));
  for (Event event; context->next_event(event);) drained += event.kind == EventKind::sa_drained;
  EXPECT_EQ(drained, removed);
  EXPECT_EQ(other.load(), 0u);
  EXPECT_GT(delivered.load(), 0u);
}

}  // namespace
}  // namespace espalier

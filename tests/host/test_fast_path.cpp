// SPDX-License-Identifier: BSD-2-Clause-Patent
// submit() and poll() do not allocate, lock or make a system call.
#include "espalier/driver/null.hpp"
#include "espalier/driver/software.hpp"
#include "fixture.hpp"
#include "trusted.hpp"
#include "watch.hpp"

namespace espalier {
namespace {

class FastPath : public ::testing::TestWithParam<const char*> {};

TEST_P(FastPath, NeitherAllocatesNorLocksNorCallsTheSystem) {
  std::vector<std::unique_ptr<driver::Device>> devices;
  ContextConfig config;
  const bool multi_buffer = std::string(GetParam()) == "multi_buffer";
  if (multi_buffer && !driver::multi_buffer_available())
    GTEST_SKIP() << "no libipsec-mb in this build, or no AES instructions";
  if (std::string(GetParam()) == "null") {
    devices.push_back(driver::make_null_device());
  } else {
    devices.push_back(driver::make_software({.multi_buffer = multi_buffer}));
    if (std::string(GetParam()) == "verified") {
      devices.push_back(std::make_unique<test::Liar>(driver::make_software()));
      config.health.shadow_per_million = 500'000;
    }
  }
  auto made = Context::create(config, std::move(devices));
  ASSERT_TRUE(made) << made.error();
  Context& context = **made;
  std::vector<SaHandle> sas;
  for (const char* suite : {"aes256gcm16", "aes256-sha256", "chacha20poly1305"}) {
    const SaConfig sa_config = test::config_for(suite, driver::Direction::seal);
    auto sa = context.add(sa_config);
    ASSERT_TRUE(sa) << sa.error();
    sas.push_back(*sa);
  }
  const SaConfig in = test::inbound();
  auto inbound = context.add(in);
  ASSERT_TRUE(inbound) << inbound.error();
  sas.push_back(*inbound);

  auto clear = test::ipv4(576), forged = test::esp(9);
  std::vector<std::uint8_t> room(4 * 2048);
  const Segment source{clear.data(), 576}, attack{forged.data(), 100};
  Completion done[64];
  unsigned completed = 0;
  const auto traffic = [&](int rounds) {
    for (int i = 0; i < rounds; ++i) {
      Job jobs[4];
      Segment destination[4];
      for (int k = 0; k < 4; ++k) {
        jobs[k].sa = sas[k];
        jobs[k].source = {k == 3 ? &attack : &source, 1};
        destination[k] = {room.data() + 2048 * k, 2048};
        jobs[k].destination = {&destination[k], 1};
      }
      context.submit(QueueId{0}, jobs);
      completed += static_cast<unsigned>(context.poll(QueueId{0}, done));
    }
  };
  traffic(20);  // what is made once is made now
  completed = 0;
  const test::Seen seen = test::watched([&] { traffic(500); });
  EXPECT_EQ(completed, 2000u);
  EXPECT_EQ(context.device_state(0).trouble, Trouble::none);
  EXPECT_EQ(seen.allocations, 0u);
  EXPECT_EQ(seen.locks, 0u);
  EXPECT_EQ(seen.system_calls, 0u);
  if (!seen.all)
    GTEST_SKIP() << "this kernel has no system call dispatch; allocations and locks were counted";
}

INSTANTIATE_TEST_SUITE_P(Devices, FastPath,
                         ::testing::Values("null", "software", "verified", "multi_buffer"));

TEST(FastPathWatch, SeesWhatItLooksFor) {
  pthread_mutex_t mutex = PTHREAD_MUTEX_INITIALIZER;
  const test::Seen seen = test::watched([&] {
    void* volatile memory = std::malloc(10);
    pthread_mutex_lock(&mutex);
    pthread_mutex_unlock(&mutex);
    syscall(SYS_getppid);
    std::free(memory);
  });
  EXPECT_EQ(seen.allocations, 1u);
  EXPECT_EQ(seen.locks, 1u);
  if (seen.all) {
    EXPECT_EQ(seen.system_calls, 1u);
  }
}

}  // namespace
}  // namespace espalier

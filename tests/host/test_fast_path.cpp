// SPDX-License-Identifier: BSD-2-Clause-Patent
// submit() and poll() do not allocate, lock or make a system call.
#include <dlfcn.h>
#include <linux/prctl.h>
#include <pthread.h>
#include <signal.h>
#include <sys/prctl.h>
#include <sys/syscall.h>
#include <unistd.h>

#include <cstdlib>

#include "espalier/driver/null.hpp"
#include "espalier/driver/software.hpp"
#include "fixture.hpp"
#include "trusted.hpp"

namespace {

volatile unsigned char selector = SYSCALL_DISPATCH_FILTER_ALLOW;
bool counting = false;
unsigned allocations = 0, locks = 0, system_calls = 0;

/// A system call was made while they were blocked: count it and let everything through from now on.
void on_blocked(int, siginfo_t*, void*) {
  selector = SYSCALL_DISPATCH_FILTER_ALLOW;
  ++system_calls;
}

/// False if this kernel can't.
bool watch_system_calls() {
  struct sigaction action {};
  action.sa_sigaction = on_blocked;
  action.sa_flags = SA_SIGINFO;
  sigaction(SIGSYS, &action, nullptr);
  return prctl(PR_SET_SYSCALL_USER_DISPATCH, PR_SYS_DISPATCH_ON, 0, 0, &selector) == 0;
}

}  // namespace

// Take the place of libc's, count, and go on to it.
extern "C" void* __libc_malloc(std::size_t);
extern "C" void* malloc(std::size_t bytes) {
  allocations += counting;
  return __libc_malloc(bytes);
}

namespace {
/// The function of this name behind ours.
template <class Function>
Function behind(const char* name) {
  return reinterpret_cast<Function>(dlsym(RTLD_NEXT, name));
}
}  // namespace

extern "C" int pthread_mutex_lock(pthread_mutex_t* mutex) noexcept {
  static const auto real = behind<int (*)(pthread_mutex_t*)>("pthread_mutex_lock");
  locks += counting;
  return real(mutex);
}
extern "C" int pthread_rwlock_rdlock(pthread_rwlock_t* lock) noexcept {
  static const auto real = behind<int (*)(pthread_rwlock_t*)>("pthread_rwlock_rdlock");
  locks += counting;
  return real(lock);
}
extern "C" int pthread_rwlock_wrlock(pthread_rwlock_t* lock) noexcept {
  static const auto real = behind<int (*)(pthread_rwlock_t*)>("pthread_rwlock_wrlock");
  locks += counting;
  return real(lock);
}

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
  const bool watching = watch_system_calls();
  system_calls = allocations = locks = 0;
  counting = true;
  if (watching) selector = SYSCALL_DISPATCH_FILTER_BLOCK;
  traffic(500);
  selector = SYSCALL_DISPATCH_FILTER_ALLOW;
  counting = false;
  EXPECT_EQ(completed, 2000u);
  EXPECT_EQ(context.device_state(0).trouble, Trouble::none);
  EXPECT_EQ(allocations, 0u);
  EXPECT_EQ(locks, 0u);
  EXPECT_EQ(system_calls, 0u);
  if (!watching)
    GTEST_SKIP() << "this kernel has no system call dispatch; allocations and locks were counted";
}

INSTANTIATE_TEST_SUITE_P(Devices, FastPath,
                         ::testing::Values("null", "software", "verified", "multi_buffer"));

TEST(FastPathWatch, SeesWhatItLooksFor) {
  allocations = locks = system_calls = 0;
  pthread_mutex_t mutex = PTHREAD_MUTEX_INITIALIZER;
  const bool watching = watch_system_calls();
  counting = true;
  if (watching) selector = SYSCALL_DISPATCH_FILTER_BLOCK;
  void* volatile memory = std::malloc(10);
  pthread_mutex_lock(&mutex);
  pthread_mutex_unlock(&mutex);
  syscall(SYS_getppid);
  selector = SYSCALL_DISPATCH_FILTER_ALLOW;
  counting = false;
  std::free(memory);
  EXPECT_EQ(allocations, 1u);
  EXPECT_EQ(locks, 1u);
  if (watching) {
    EXPECT_EQ(system_calls, 1u);
  }
}

}  // namespace
}  // namespace espalier

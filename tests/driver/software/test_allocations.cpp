// SPDX-License-Identifier: BSD-2-Clause-Patent
// submit() and poll() of the software device allocate nothing, OpenSSL included, whatever comes.
// A program of its own, because it replaces operator new.
#include <gtest/gtest.h>
#include <openssl/crypto.h>

#include <atomic>
#include <cstdlib>
#include <new>

#include "../one_job.hpp"
#include "../packets.hpp"
#include "tested.hpp"

namespace {
std::atomic<bool> counting{false};
std::atomic<unsigned> allocations{0};

void* counted_malloc(std::size_t size, const char*, int) {
  if (counting) ++allocations;
  return std::malloc(size);
}
void* counted_realloc(void* p, std::size_t size, const char*, int) {
  if (counting) ++allocations;
  return std::realloc(p, size);
}
void plain_free(void* p, const char*, int) {
  std::free(p);
}
/// OpenSSL's own allocations count too; it takes these only before its first.
const bool openssl_counts =
    CRYPTO_set_mem_functions(counted_malloc, counted_realloc, plain_free) == 1;
}  // namespace

[[gnu::noinline]] void* operator new(std::size_t size) {
  if (void* p = counted_malloc(size, nullptr, 0)) return p;
  throw std::bad_alloc();
}
[[gnu::noinline]] void operator delete(void* p) noexcept {
  std::free(p);
}
[[gnu::noinline]] void operator delete(void* p, std::size_t) noexcept {
  std::free(p);
}

namespace espalier::driver::test {
namespace {

TEST(SoftwareAllocations, NoneOnThePacketPath) {
  ASSERT_TRUE(openssl_counts);
  Random random;
  const auto device = make_tested({.queues = 1, .queue_depth = 8, .slots = 4});
  for (const Suite& s : all_suites()) {
    const SaParameters sa = make_sa(s, random);
    SaParameters opener = sa;
    opener.direction = Direction::open;
    ASSERT_EQ(install(*device, Slot{1}, Generation{1}, sa), Status::ok);
    ASSERT_EQ(install(*device, Slot{2}, Generation{1}, opener), Status::ok);
    Bytes clear = make_packet(Family::ipv4, 300, random), result(1024), back(1024);
    Job job = seal_job(sa, clear, random);
    job.slot = Slot{1};
    job.generation = Generation{1};
    const Segment source{clear.data(), static_cast<std::uint32_t>(clear.size())};
    const Segment destination{result.data(), 1024};
    job.source = {&source, 1};
    job.destination = {&destination, 1};
    Completion completion;
    const auto round = [&] {
      device->submit_one(QueueId{0}, job);
      device->poll(QueueId{0}, {&completion, 1});
      const Segment from{result.data(), completion.length}, to{back.data(), 1024};
      Job open = open_job(sa, job);
      open.slot = Slot{2};
      open.source = {&from, 1};
      open.destination = {&to, 1};
      device->submit_one(QueueId{0}, open);
      device->poll(QueueId{0}, {&completion, 1});
      result[40] ^= 1;  // and a packet that fails
      device->submit_one(QueueId{0}, open);
      device->poll(QueueId{0}, {&completion, 1});
    };
    round();  // OpenSSL sets up its thread's error queue once
    allocations = 0;
    counting = true;
    for (unsigned i = 0; i < 10; ++i) round();
    counting = false;
    EXPECT_EQ(allocations, 0u) << suite_name(s);
    remove(*device, Slot{1});
    remove(*device, Slot{2});
  }
}

}  // namespace
}  // namespace espalier::driver::test

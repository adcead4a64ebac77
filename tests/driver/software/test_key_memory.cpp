// SPDX-License-Identifier: BSD-2-Clause-Patent
// Key memory as OpenSSL's allocator: what it promises, and that OpenSSL's contexts lie in it.
#include <gtest/gtest.h>
#include <openssl/core_names.h>
#include <openssl/crypto.h>
#include <openssl/evp.h>
#include <openssl/params.h>
#include <sys/mman.h>

#include <cinttypes>
#include <cstdio>
#include <cstring>
#include <fstream>
#include <random>
#include <string>
#include <thread>
#include <vector>

#include "espalier/driver/key_memory.hpp"

namespace espalier::driver::test {
namespace {

const KeptMemory kept = keep_openssl_memory();

/// The flags of the mapping that holds `memory`, as /proc/self/smaps has them.
std::string flags_of(const void* memory) {
  const auto at = reinterpret_cast<std::uint64_t>(memory);
  std::ifstream maps("/proc/self/smaps");
  bool inside = false;
  for (std::string line; std::getline(maps, line);) {
    std::uint64_t first = 0, end = 0;
    if (std::sscanf(line.c_str(), "%" SCNx64 "-%" SCNx64 " ", &first, &end) == 2)
      inside = first <= at && at < end;
    else if (inside && line.starts_with("VmFlags:"))
      return line + ' ';
  }
  return {};
}

/// Sanitizers have an mlock() of their own, which says yes and does nothing.
bool mlock_works() {
  alignas(4096) static std::uint8_t page[4096];
  return mlock(page, sizeof page) == 0 && flags_of(page).find(" lo ") != std::string::npos;
}

void expect_kept(const void* memory, const char* what) {
  const std::string flags = flags_of(memory);
  EXPECT_NE(flags.find(" dd "), std::string::npos) << what << " would be in core dumps: " << flags;
  if (kept == KeptMemory::locked && mlock_works()) {
    EXPECT_NE(flags.find(" lo "), std::string::npos) << what << " is not locked: " << flags;
  }
}

TEST(KeyMemory, InstallingAgainIsNothing) {
  EXPECT_TRUE(kept == KeptMemory::locked || kept == KeptMemory::unlocked);
  EXPECT_EQ(keep_openssl_memory(), kept);
  const KeyMemoryUse use = key_memory_use();
  EXPECT_GT(use.octets, 0u);
  EXPECT_LE(use.locked, use.octets);
  EXPECT_EQ(kept == KeptMemory::locked, use.locked == use.octets);
}

TEST(KeyMemory, HoldsContextsAndTheirSchedules) {
  EVP_CIPHER_CTX* context = EVP_CIPHER_CTX_new();
  const std::uint8_t key[32] = {1}, iv[12] = {2};
  ASSERT_EQ(EVP_EncryptInit_ex(context, EVP_aes_256_gcm(), nullptr, key, iv), 1);
  expect_kept(context, "a context");
  void* pointer = nullptr;  // to the IV, which stands in the provider's part beside the schedule
  OSSL_PARAM get[] = {OSSL_PARAM_octet_ptr(OSSL_CIPHER_PARAM_IV, &pointer, sizeof iv),
                      OSSL_PARAM_END};
  ASSERT_EQ(EVP_CIPHER_CTX_get_params(context, get), 1);
  ASSERT_NE(pointer, nullptr);
  expect_kept(pointer, "a key schedule");
  EVP_CIPHER_CTX_free(context);
}

TEST(KeyMemory, BlocksAreApartAlignedAndAsLongAsWanted) {
  std::vector<std::pair<std::uint8_t*, std::size_t>> blocks;
  for (std::size_t size = 1; size < 200'000; size += 1 + size / 7) {
    auto* block = static_cast<std::uint8_t*>(OPENSSL_malloc(size));
    ASSERT_NE(block, nullptr) << size;
    EXPECT_EQ(reinterpret_cast<std::uintptr_t>(block) % 64, 0u) << size;
    std::memset(block, static_cast<int>(size % 251), size);
    blocks.emplace_back(block, size);
  }
  for (const auto& [block, size] : blocks)
    for (std::size_t i = 0; i < size; ++i) ASSERT_EQ(block[i], size % 251) << size << ' ' << i;
  for (const auto& [block, size] : blocks) OPENSSL_free(block);
  EXPECT_EQ(OPENSSL_malloc(0), nullptr);
  EXPECT_EQ(OPENSSL_malloc(SIZE_MAX), nullptr);
  EXPECT_EQ(OPENSSL_malloc(SIZE_MAX / 2), nullptr);
}

TEST(KeyMemory, WhatIsGivenBackIsUsedAgain) {
  std::vector<void*> held(1000);
  const auto round = [&] {
    for (void*& block : held) block = OPENSSL_malloc(900);
    for (void* block : held) OPENSSL_free(block);
    OPENSSL_free(OPENSSL_malloc(3 << 20));  // a mapping of its own, which ends
  };
  round();
  const std::size_t octets = key_memory_use().octets;
  for (int i = 0; i < 10; ++i) round();
  EXPECT_EQ(key_memory_use().octets, octets);
}

TEST(KeyMemory, ReallocKeepsWhatIsThere) {
  std::size_t size = 1;
  auto* block = static_cast<std::uint8_t*>(OPENSSL_realloc(nullptr, size));
  ASSERT_NE(block, nullptr);
  block[0] = 0;
  while (size < 100'000) {
    const std::size_t grown = size + size / 3 + 1;
    block = static_cast<std::uint8_t*>(OPENSSL_realloc(block, grown));
    ASSERT_NE(block, nullptr);
    for (std::size_t i = 0; i < size; ++i) ASSERT_EQ(block[i], i % 251) << size;
    for (std::size_t i = size; i < grown; ++i) block[i] = static_cast<std::uint8_t>(i % 251);
    size = grown;
  }
  block = static_cast<std::uint8_t*>(OPENSSL_realloc(block, 10));
  for (std::size_t i = 0; i < 10; ++i) EXPECT_EQ(block[i], i);
  EXPECT_EQ(OPENSSL_realloc(block, 0), nullptr);
}

TEST(KeyMemory, ThreadsDoNotMeet) {
  const auto work = [](unsigned seed) {
    std::mt19937 random(seed);
    std::vector<std::pair<std::uint8_t*, std::size_t>> held(64);
    for (int i = 0; i < 5000; ++i) {
      auto& [block, size] = held[random() % held.size()];
      for (std::size_t at = 0; at < size; ++at)
        if (block[at] != seed) return false;
      OPENSSL_free(block);
      size = 1 + random() % (i % 64 == 0 ? 50'000 : 1500);
      block = static_cast<std::uint8_t*>(OPENSSL_malloc(size));
      std::memset(block, static_cast<int>(seed), size);
    }
    for (auto& [block, size] : held) OPENSSL_free(block);
    return true;
  };
  std::vector<std::thread> threads;
  std::vector<char> good(4);
  for (unsigned i = 0; i < good.size(); ++i)
    threads.emplace_back([&, i] { good[i] = work(i + 1); });
  for (std::thread& thread : threads) thread.join();
  EXPECT_EQ(good, std::vector<char>(4, 1));
}

#if defined(__has_feature)
#if __has_feature(address_sanitizer)
TEST(KeyMemoryDeathTest, OverrunsAndUseAfterFreeAreFound) {
  auto* block = static_cast<volatile std::uint8_t*>(OPENSSL_malloc(64));
  EXPECT_DEATH(block[64] = 1, "use-after-poison");
  OPENSSL_free(const_cast<std::uint8_t*>(block));
  EXPECT_DEATH(block[0] = 1, "use-after-poison");
}
#else
TEST(KeyMemory, IsWipedWhenGivenBack) {
  auto* block = static_cast<std::uint8_t*>(OPENSSL_malloc(900));
  std::memset(block, 0x5a, 900);
  const volatile std::uint8_t* seen = block;
  OPENSSL_free(block);
  // What links the free blocks may stand at the begin.
  for (std::size_t i = sizeof(void*); i < 900; ++i) ASSERT_EQ(seen[i], 0) << i;
}
#endif
#endif

}  // namespace

}  // namespace espalier::driver::test

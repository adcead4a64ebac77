// SPDX-License-Identifier: BSD-2-Clause-Patent
// Regions of 2 MiB, cut into pieces of whole cache lines; pieces given back wait in a list by size.
// A lock per page and SA would cost a system call per SA, and unlocking one piece would unlock its
// neighbours; so regions are locked whole, once, and stay.  Large pages where there are any: with
// thousands of SAs the keys would not fit the TLB otherwise.
#include "key_memory.hpp"

#include <openssl/crypto.h>
#include <sys/mman.h>

#include <cstdint>
#include <map>
#include <mutex>
#include <vector>

namespace espalier::driver::software {
namespace {

constexpr std::size_t kRegion = std::size_t{2} << 20;
constexpr std::size_t kLine = 64;

class Pool {
 public:
  void* allocate(std::size_t bytes) {
    const std::lock_guard lock(mutex_);
    std::vector<void*>& free = free_[bytes];
    if (!free.empty()) {
      void* memory = free.back();
      free.pop_back();
      return memory;
    }
    free.reserve(++pieces_[bytes]);  // so that giving back can't fail
    if (left_ < bytes && !grow()) return nullptr;
    void* memory = next_;
    next_ += bytes;
    left_ -= bytes;
    return memory;
  }
  void release(void* memory, std::size_t bytes) noexcept {
    const std::lock_guard lock(mutex_);
    free_[bytes].push_back(memory);
  }

 private:
  bool grow() {
    void* map =
        mmap(nullptr, 2 * kRegion, PROT_READ | PROT_WRITE, MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);
    if (map == MAP_FAILED) return false;
    const auto at = reinterpret_cast<std::uintptr_t>(map);
    const std::uintptr_t aligned = (at + kRegion - 1) / kRegion * kRegion;
    if (aligned != at) munmap(map, aligned - at);
    munmap(reinterpret_cast<void*>(aligned + kRegion), at + kRegion - aligned);
    next_ = reinterpret_cast<std::uint8_t*>(aligned);
    left_ = kRegion;
    // Each of these may be refused; the keys are as safe as the system lets them be.
    madvise(next_, kRegion, MADV_HUGEPAGE);
    madvise(next_, kRegion, MADV_DONTDUMP);
    (void)mlock(next_, kRegion);
    return true;
  }

  std::mutex mutex_;
  std::map<std::size_t, std::vector<void*>> free_;
  std::map<std::size_t, std::size_t> pieces_;
  std::uint8_t* next_ = nullptr;
  std::size_t left_ = 0;
};

/// Never destroyed: objects of static storage may still hold keys.
Pool& pool() {
  static Pool& instance = *new Pool;
  return instance;
}

constexpr std::size_t rounded(std::size_t bytes) {
  return (bytes + kLine - 1) / kLine * kLine;
}

}  // namespace

void* allocate_key_memory(std::size_t bytes) noexcept {
  if (bytes == 0 || bytes > kRegion) return nullptr;
  try {
    return pool().allocate(rounded(bytes));
  } catch (const std::bad_alloc&) {
    return nullptr;
  }
}

void release_key_memory(void* memory, std::size_t bytes) noexcept {
  if (memory == nullptr) return;
  OPENSSL_cleanse(memory, bytes);
  pool().release(memory, rounded(bytes));
}

}  // namespace espalier::driver::software

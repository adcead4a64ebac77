// SPDX-License-Identifier: BSD-2-Clause-Patent
// Regions of 2 MiB, aligned, cut into blocks of whole cache lines in the order they are asked for;
// blocks given back wait in a list by size, last in first out.  A lock per page and SA would cost a
// system call per SA, and unlocking one block would unlock its neighbours; so regions are locked
// whole, once, and stay.  Large pages where there are any.
//
// What an SA takes stands in a row: the object, OpenSSL's context, the provider's.  With thousands
// of SAs a packet then finds its SA behind one or two entries of the TLB, also where the machine
// beneath has small pages.  An SA that goes and one of the same suite that comes change places, so
// it stays like that.
//
// A region begins with a table of its lines, which is how free() learns a block's size; no header
// stands between blocks.  What is larger than any block is a mapping of its own, which ends when it
// is given back.
#include "key_memory.hpp"

#include <openssl/crypto.h>
#include <pthread.h>
#include <sys/mman.h>

#include <algorithm>
#include <array>
#include <bit>
#include <cstring>
#include <mutex>

#if defined(__SANITIZE_ADDRESS__)
#define ESPALIER_ASAN 1
#elif defined(__has_feature)
#if __has_feature(address_sanitizer)
#define ESPALIER_ASAN 1
#endif
#endif
#ifdef ESPALIER_ASAN
#include <sanitizer/asan_interface.h>
#include <sanitizer/lsan_interface.h>
#endif

namespace espalier::driver {
namespace software {
namespace {

constexpr std::size_t kRegion = std::size_t{2} << 20, kLine = 64;
constexpr std::size_t kLargest = std::size_t{32} << 10;  // block in a region

// AddressSanitizer finds what reads or writes beyond a block, or after it was given back; what only
// blocks point to is no leak.
#ifdef ESPALIER_ASAN
constexpr std::size_t kRedZone = 16;
void fence(void* at, std::size_t bytes) {
  __asan_poison_memory_region(at, bytes);
}
void unfence(void* at, std::size_t bytes) {
  __asan_unpoison_memory_region(at, bytes);
}
void hold(const void* region, std::size_t octets) {
  __lsan_register_root_region(region, octets);
}
void let_go(const void* region, std::size_t octets) {
  __lsan_unregister_root_region(region, octets);
}
#else
constexpr std::size_t kRedZone = 0;
void fence(void*, std::size_t) {}
void unfence(void*, std::size_t) {}
void hold(const void*, std::size_t) {}
void let_go(const void*, std::size_t) {}
#endif

/// What stands at a region's begin.
struct alignas(kLine) Region {
  std::size_t large;  ///< Octets of the mapping if it is one block's alone, else 0.
  bool locked;
  std::array<std::uint16_t, kRegion / kLine> lines;  ///< Of the block that begins at a line.
};

Region* region_of(void* memory) {
  return reinterpret_cast<Region*>(reinterpret_cast<std::uintptr_t>(memory) & ~(kRegion - 1));
}

/// Where `memory` has its entry.
std::uint16_t& lines_of(void* memory) {
  return region_of(memory)->lines[reinterpret_cast<std::uintptr_t>(memory) % kRegion / kLine];
}

/// Octets from `memory` to its block's end.
std::size_t block_size(void* memory) {
  const std::size_t large = region_of(memory)->large;
  return large != 0 ? large - sizeof(Region) : lines_of(memory) * kLine;
}

std::size_t round_up(std::size_t bytes, std::size_t unit) {
  return (bytes + unit - 1) / unit * unit;
}

/// Lines up to 1 KiB, then eight sizes to each doubling.
std::size_t size_class(std::size_t bytes) {
  constexpr std::size_t kByLines = 1024, kSteps = 8;
  return round_up(bytes, bytes <= kByLines ? kLine : std::bit_floor(bytes - 1) / kSteps);
}

class Pool {
 public:
  void* allocate(std::size_t bytes) {
    if (bytes > kLargest - kRedZone) return allocate_large(bytes);
    const std::size_t size = size_class(bytes + kRedZone);
    const std::lock_guard lock(mutex_);
    void* block = take(size);
    if (block != nullptr) resize(block, bytes);
    return block;
  }
  void release(void* memory) {
    const std::size_t size = block_size(memory);
    unfence(memory, size);
    OPENSSL_cleanse(memory, size);
    Region* region = region_of(memory);
    const std::lock_guard lock(mutex_);
    if (region->large != 0)
      unmap_large(region);
    else
      push(memory, size);
  }
  /// True if the block, where it stands, is good for so many octets.
  bool resize(void* memory, std::size_t bytes) {
    const std::size_t size = block_size(memory);
    if (bytes > size - kRedZone) return false;
    unfence(memory, bytes);
    fence(static_cast<std::uint8_t*>(memory) + bytes, size - bytes);
    return true;
  }
  KeyMemoryUse use() {
    const std::lock_guard lock(mutex_);
    return use_;
  }
  std::mutex& mutex() { return mutex_; }

 private:
  struct Free {
    Free* next;
  };

  void push(void* memory, std::size_t size) {
    Free*& list = free_[size / kLine];
    list = new (memory) Free{list};
    fence(memory, size);
  }

  void* take(std::size_t size) {
    Free*& list = free_[size / kLine];
    if (list != nullptr) {
      Free* block = list;
      unfence(block, sizeof(Free));
      list = block->next;
      block->next = nullptr;
      return block;
    }
    if (left_ < size) {
      Region* region = map(kRegion);
      if (region == nullptr) return nullptr;
      next_ = reinterpret_cast<std::uint8_t*>(region + 1);
      left_ = kRegion - sizeof(Region);
    }
    void* block = next_;
    lines_of(block) = static_cast<std::uint16_t>(size / kLine);
    next_ += size;
    left_ -= size;
    return block;
  }

  void* allocate_large(std::size_t bytes) {
    if (bytes > SIZE_MAX / 2) return nullptr;
    constexpr std::size_t kPage = 4096;
    const std::size_t octets = round_up(sizeof(Region) + bytes + kRedZone, kPage);
    const std::lock_guard lock(mutex_);
    Region* region = map(octets);
    if (region == nullptr) return nullptr;
    region->large = octets;
    resize(region + 1, bytes);
    return region + 1;
  }

  /// Zeros, aligned to a region.
  Region* map(std::size_t octets) {
    void* map =
        mmap(nullptr, octets + kRegion, PROT_READ | PROT_WRITE, MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);
    if (map == MAP_FAILED) return nullptr;
    const auto at = reinterpret_cast<std::uintptr_t>(map);
    const std::uintptr_t aligned = round_up(at, kRegion);
    if (aligned != at) munmap(map, aligned - at);
    if (at + kRegion != aligned)
      munmap(reinterpret_cast<void*>(aligned + octets), at + kRegion - aligned);
    auto* region = reinterpret_cast<Region*>(aligned);
    // Each of these may be refused; the keys are as safe as the system lets them be.
    madvise(region, octets, MADV_HUGEPAGE);
    madvise(region, octets, MADV_DONTDUMP);
    region->locked = mlock(region, octets) == 0;
    hold(region, octets);
    use_.octets += octets;
    if (region->locked) use_.locked += octets;
    return region;
  }

  void unmap_large(Region* region) {
    const std::size_t octets = region->large;
    use_.octets -= octets;
    if (region->locked) use_.locked -= octets;
    let_go(region, octets);
    munmap(region, octets);
  }

  std::mutex mutex_;
  std::array<Free*, kLargest / kLine + 1> free_{};  // by size
  std::uint8_t* next_ = nullptr;                    // of the newest region
  std::size_t left_ = 0;                            // octets it has from there on
  KeyMemoryUse use_;
};

/// Never destroyed: objects of static storage may still hold keys, and OpenSSL frees at exit.
Pool& pool() {
  static Pool& instance = *[] {
    // A child forked while another thread is in here would find the lock taken for ever.
    pthread_atfork([] { pool().mutex().lock(); }, [] { pool().mutex().unlock(); },
                   [] { pool().mutex().unlock(); });
    return new Pool;
  }();
  return instance;
}

// OpenSSL's three calls.

void* openssl_malloc(std::size_t bytes, const char*, int) {
  return bytes == 0 ? nullptr : pool().allocate(bytes);
}

void openssl_free(void* memory, const char*, int) {
  release_key_memory(memory);
}

void* openssl_realloc(void* memory, std::size_t bytes, const char* file, int line) {
  if (memory == nullptr) return openssl_malloc(bytes, file, line);
  if (bytes == 0) {
    release_key_memory(memory);
    return nullptr;
  }
  if (pool().resize(memory, bytes)) return memory;
  void* grown = pool().allocate(bytes);
  if (grown == nullptr) return nullptr;
  const std::size_t kept = std::min(bytes, block_size(memory));
  unfence(memory, kept);
  std::memcpy(grown, memory, kept);
  release_key_memory(memory);
  return grown;
}

}  // namespace

void* allocate_key_memory(std::size_t bytes) noexcept {
  return bytes == 0 ? nullptr : pool().allocate(bytes);
}

void release_key_memory(void* memory) noexcept {
  if (memory != nullptr) pool().release(memory);
}

}  // namespace software

KeptMemory keep_openssl_memory() noexcept {
  using namespace software;
  // Asked first, so that nothing has to be taken back.
  void* one = allocate_key_memory(1);
  if (one == nullptr) return KeptMemory::no_memory;
  release_key_memory(one);
  CRYPTO_malloc_fn present = nullptr;
  CRYPTO_get_mem_functions(&present, nullptr, nullptr);
  if (present != openssl_malloc &&
      CRYPTO_set_mem_functions(openssl_malloc, openssl_realloc, openssl_free) == 0)
    return KeptMemory::too_late;
  const KeyMemoryUse use = key_memory_use();
  return use.locked == use.octets ? KeptMemory::locked : KeptMemory::unlocked;
}

KeyMemoryUse key_memory_use() noexcept {
  return software::pool().use();
}

}  // namespace espalier::driver

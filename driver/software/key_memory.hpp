// SPDX-License-Identifier: BSD-2-Clause-Patent
// Memory for key schedules: aligned to cache lines, kept out of swap and core dumps where the
// system permits, wiped when given back.
#pragma once

#include <cstddef>
#include <new>

namespace espalier::driver::software {

/// Null if there is none left.  Control threads; any number.
void* allocate_key_memory(std::size_t bytes) noexcept;
/// `bytes`: as allocated.  Wipes.
void release_key_memory(void* memory, std::size_t bytes) noexcept;

/// Makes `new` of a class that holds keys take key memory.
class InKeyMemory {
 public:
  static void* operator new(std::size_t bytes) {
    if (void* memory = allocate_key_memory(bytes)) return memory;
    throw std::bad_alloc();
  }
  static void* operator new(std::size_t bytes, std::align_val_t) { return operator new(bytes); }
  static void operator delete(void* memory, std::size_t bytes) noexcept {
    release_key_memory(memory, bytes);
  }
  static void operator delete(void* memory, std::size_t bytes, std::align_val_t) noexcept {
    release_key_memory(memory, bytes);
  }
};

}  // namespace espalier::driver::software

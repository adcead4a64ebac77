// SPDX-License-Identifier: BSD-2-Clause-Patent
// Memory for key schedules (espalier/driver/key_memory.hpp), aligned to cache lines.
#pragma once

#include <cstddef>
#include <new>

#include "espalier/driver/key_memory.hpp"

namespace espalier::driver::software {

/// Null if there is none left.  Control threads; any number.
void* allocate_key_memory(std::size_t bytes) noexcept;
/// Wipes.  Null is nothing.
void release_key_memory(void* memory) noexcept;

/// Makes `new` of a class that holds keys take key memory.
class InKeyMemory {
 public:
  static void* operator new(std::size_t bytes) {
    if (void* memory = allocate_key_memory(bytes)) return memory;
    throw std::bad_alloc();
  }
  static void* operator new(std::size_t bytes, std::align_val_t) { return operator new(bytes); }
  static void operator delete(void* memory) noexcept { release_key_memory(memory); }
  static void operator delete(void* memory, std::align_val_t) noexcept {
    release_key_memory(memory);
  }
};

}  // namespace espalier::driver::software

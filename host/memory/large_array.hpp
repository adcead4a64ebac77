// SPDX-License-Identifier: BSD-2-Clause-Patent
// An array that is read at random: on large pages where there are any, so that tens of thousands of
// elements do not cost a page walk each.
#pragma once

#include <sys/mman.h>

#include <cstddef>
#include <memory>
#include <new>

namespace espalier {

/// `size` elements as T{} makes them, for the array's whole life.  Throws std::bad_alloc.
template <class T>
class LargeArray {
 public:
  explicit LargeArray(std::size_t size)
      : memory_(::operator new(size * sizeof(T), kAlignment)), size_(size) {
    // Before anything is touched; may be refused, which costs time only.
    madvise(memory_.get(), size * sizeof(T) / kPage * kPage, MADV_HUGEPAGE);
    std::uninitialized_value_construct_n(data(), size);
  }
  ~LargeArray() { std::destroy_n(data(), size_); }
  LargeArray(const LargeArray&) = delete;
  LargeArray& operator=(const LargeArray&) = delete;

  T& operator[](std::size_t i) const noexcept { return data()[i]; }
  T* data() const noexcept { return static_cast<T*>(memory_.get()); }

 private:
  static constexpr std::size_t kPage = std::size_t{2} << 20;
  static constexpr std::align_val_t kAlignment{kPage};
  struct Free {
    void operator()(void* memory) const noexcept { ::operator delete(memory, kAlignment); }
  };

  std::unique_ptr<void, Free> memory_;
  std::size_t size_;
};

}  // namespace espalier

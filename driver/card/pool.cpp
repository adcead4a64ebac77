// SPDX-License-Identifier: BSD-2-Clause-Patent
#include "card/pool.hpp"

#include <cstring>

namespace espalier::driver {

namespace {
constexpr std::size_t kAlignment = 64;
}

Pool::Pool(std::span<std::uint8_t> memory, std::uint64_t io_base)
    : memory_(memory), io_base_(io_base), free_{{0, memory.size()}} {}

std::span<std::uint8_t> Pool::allocate(std::size_t bytes) {
  if (bytes == 0 || bytes > memory_.size()) return {};
  const std::size_t want = (bytes + kAlignment - 1) / kAlignment * kAlignment;
  for (auto it = free_.begin(); it != free_.end(); ++it) {
    const auto [offset, size] = *it;
    if (size < want) continue;
    free_.erase(it);
    if (size > want) free_.emplace(offset + want, size - want);
    used_.emplace(offset, want);
    std::memset(memory_.data() + offset, 0, want);
    return memory_.subspan(offset, bytes);
  }
  return {};
}

void Pool::release(std::span<std::uint8_t> memory) {
  if (!contains(memory.data(), memory.size())) return;
  const auto offset = static_cast<std::size_t>(memory.data() - memory_.data());
  const auto it = used_.find(offset);
  if (it == used_.end()) return;
  if (withholding_) {
    withheld_.push_back(offset);
    return;
  }
  const std::size_t bytes = it->second;
  used_.erase(it);
  put_back(offset, bytes);
}

void Pool::put_back(std::size_t offset, std::size_t bytes) {
  const auto next = free_.lower_bound(offset);
  if (next != free_.end() && offset + bytes == next->first) {
    bytes += next->second;
    free_.erase(next);
  }
  const auto after = free_.lower_bound(offset);
  if (after != free_.begin()) {
    const auto before = std::prev(after);
    if (before->first + before->second == offset) {
      before->second += bytes;
      return;
    }
  }
  free_.emplace(offset, bytes);
}

void Pool::withhold(bool on) {
  withholding_ = on;
  if (on) return;
  for (std::size_t offset : withheld_) {
    const auto it = used_.find(offset);
    if (it == used_.end()) continue;  // released twice
    const std::size_t bytes = it->second;
    used_.erase(it);
    put_back(offset, bytes);
  }
  withheld_.clear();
}

bool Pool::contains(const std::uint8_t* data, std::size_t bytes) const noexcept {
  return data >= memory_.data() && data <= memory_.data() + memory_.size() &&
         bytes <= static_cast<std::size_t>(memory_.data() + memory_.size() - data);
}

std::uint64_t Pool::io_address(const std::uint8_t* data) const noexcept {
  return io_base_ + static_cast<std::uint64_t>(data - memory_.data());
}

}  // namespace espalier::driver

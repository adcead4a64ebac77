// SPDX-License-Identifier: BSD-2-Clause-Patent
// Memory that the card reaches, given out in 64-byte aligned stretches.
#pragma once

#include <cstddef>
#include <cstdint>
#include <map>
#include <span>
#include <vector>

namespace espalier::driver {

/// First fit over an address-ordered list of free stretches.  Threads: one.
class Pool {
 public:
  /// Owns nothing: `memory` outlives the pool.
  Pool(std::span<std::uint8_t> memory, std::uint64_t io_base);

  /// Zeroed, 64-byte aligned; empty if there is no room.
  std::span<std::uint8_t> allocate(std::size_t bytes);
  /// Takes back what allocate() gave; anything else is ignored.
  void release(std::span<std::uint8_t> memory);

  /// While withheld, released memory is kept aside: the card may still write it (D2).
  void withhold(bool on);
  bool contains(const std::uint8_t* data, std::size_t bytes) const noexcept;
  std::uint64_t io_address(const std::uint8_t* data) const noexcept;

 private:
  void put_back(std::size_t offset, std::size_t bytes);

  std::span<std::uint8_t> memory_;
  std::uint64_t io_base_;
  std::map<std::size_t, std::size_t> free_, used_;  // offset -> bytes
  std::vector<std::size_t> withheld_;               // offsets in used_
  bool withholding_ = false;
};

}  // namespace espalier::driver

// SPDX-License-Identifier: BSD-2-Clause-Patent
// Finds the first of an ordered list of selectors that matches a flow, in time that hardly depends
// on how many there are.
//
// Each dimension (two addresses per family, protocol, two ports, type) is cut into intervals within
// which no selector changes its mind; an interval has one bit for each selector that matches there.
// A lookup is a binary search per dimension; the lowest bit of the intersection is the answer.
// Exact by construction: no decorrelation (RFC 4301 4.4.1), no approximation.
#pragma once

#include <algorithm>
#include <array>
#include <bit>
#include <cstdint>
#include <span>
#include <vector>

#include "espalier/selector.hpp"
#include "policy/flow.hpp"

namespace espalier {

/// One dimension.  T compares as the number it is.
template <class T>
class Axis {
 public:
  struct Range {
    T first, last;
    std::uint32_t selector;
  };
  /// `words`: 64-bit words of a row.  Allocates.
  void build(const std::vector<Range>& ranges, std::size_t words);
  /// The row of the interval `value` lies in.
  const std::uint64_t* find(const T& value) const noexcept {
    const T* base = starts_.data();
    std::size_t n = starts_.size();
    while (n > 1) {
      const std::size_t half = n / 2;
      base = base[half] <= value ? base + half : base;
      n -= half;
    }
    return bits_.data() + static_cast<std::size_t>(base - starts_.data()) * words_;
  }

 private:
  std::vector<T> starts_;  // of each interval; the first is the least value
  std::vector<std::uint64_t> bits_;
  std::size_t words_ = 0;
};

/// Immutable once built.
/// Threads: any number of callers of find().
class Classifier {
 public:
  static constexpr std::uint32_t kNone = 0xffffffffu;

  /// `selectors`: the first that matches wins.  Allocates.
  explicit Classifier(std::span<const Selector* const> selectors);

  /// Index of the first selector that matches, kNone if none does.
  std::uint32_t find(const Flow& flow) const noexcept;

 private:
  std::size_t words_;
  std::array<Axis<std::uint32_t>, 2> v4_;  // local, remote
  std::array<Axis<WideAddress>, 2> v6_;
  Axis<std::uint32_t> protocol_, local_port_, remote_port_, type_;
};

}  // namespace espalier

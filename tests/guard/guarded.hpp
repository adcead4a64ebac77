// SPDX-License-Identifier: BSD-2-Clause-Patent
// Memory that shows whoever touches an octet beside it: forbidden pages around it, and a moat of
// known octets between it and the page it does not stand against.
#pragma once

#include <gtest/gtest.h>
#include <sys/mman.h>
#include <unistd.h>

#include <algorithm>
#include <cstring>
#include <memory>
#include <vector>

#include "../driver/support.hpp"
#include "espalier/driver/job.hpp"

namespace espalier::driver::test {

/// Memory between two forbidden pages.
class Guarded {
 public:
  explicit Guarded(std::size_t room) {
    const auto page = static_cast<std::size_t>(sysconf(_SC_PAGESIZE));
    room_ = (room + page - 1) / page * page;
    size_ = room_ + 2 * page;
    base_ = static_cast<std::uint8_t*>(
        mmap(nullptr, size_, PROT_NONE, MAP_PRIVATE | MAP_ANONYMOUS, -1, 0));
    memory_ = base_ + page;
    allow(PROT_READ | PROT_WRITE);
  }
  ~Guarded() { munmap(base_, size_); }
  Guarded(const Guarded&) = delete;
  Guarded& operator=(const Guarded&) = delete;

  /// A stretch whose last octet is the last allowed one, or whose first is the first.
  Segment stretch(std::size_t length, bool at_end) const {
    return {at_end ? memory_ + room_ - length : memory_, static_cast<std::uint32_t>(length)};
  }
  std::size_t room() const { return room_; }
  void allow(int protection) { ASSERT_EQ(mprotect(memory_, room_, protection), 0); }

 private:
  std::size_t room_, size_;
  std::uint8_t *base_, *memory_;
};

/// A buffer in 1 to 16 segments, each in guarded memory of its own.
class GuardedBuffer {
 public:
  explicit GuardedBuffer(std::size_t most = 16, std::size_t room = 70'000) {
    for (std::size_t i = 0; i < most; ++i) places_.push_back(std::make_unique<Guarded>(room));
  }

  /// Cuts `length` octets anew: at random, now and then into one piece, into the smallest ones, or
  /// with an empty one.  The octets are 0xdd.  `first`: octets the first segment has at least.
  void shape(std::size_t length, Random& random, std::size_t first = 0) {
    segments_.clear();
    at_end_.clear();
    const std::size_t pieces = random.below(3) == 0 ? 1 : 1 + random.below(places_.size());
    for (std::size_t left = length; segments_.size() < pieces; ++first) {
      std::size_t take = left;
      if (segments_.size() + 1 < pieces)
        take = random.below(3) == 0 ? std::min<std::size_t>(left, random.below(20))
                                    : random.below(left + 1);
      if (segments_.empty()) take = std::max(take, std::min(first, left));
      at_end_.push_back(random.below(3) != 0);
      segments_.push_back(places_[segments_.size()]->stretch(take, at_end_.back()));
      left -= take;
    }
    for (std::size_t i = 0; i < segments_.size(); ++i) {
      const Segment& s = segments_[i];
      if (s.length != 0) std::memset(s.data, 0xdd, s.length);
      const Segment m = moat(i);
      std::memset(m.data, kMoat, m.length);
    }
  }
  /// Shapes it for these octets, and makes it read-only until release().
  void hold(const Bytes& octets, Random& random) {
    shape(octets.size(), random, 1);  // the first segment has to reach the packet
    write(octets);
    for (std::size_t i = 0; i < segments_.size(); ++i) places_[i]->allow(PROT_READ);
  }
  void release() {
    for (auto& place : places_) place->allow(PROT_READ | PROT_WRITE);
  }
  void write(const Bytes& octets, std::size_t at = 0) const {
    for (std::size_t i = 0; i < octets.size(); ++i) *octet(at + i) = octets[i];
  }
  Bytes read(std::size_t at, std::size_t length) const {
    Bytes all;
    for (const Segment& s : segments_) all.insert(all.end(), s.data, s.data + s.length);
    EXPECT_LE(at + length, all.size()) << "a completion claims more than there is";
    const auto end = std::min(all.size(), at + length);
    return {all.begin() + static_cast<std::ptrdiff_t>(std::min(at, end)),
            all.begin() + static_cast<std::ptrdiff_t>(end)};
  }
  std::span<const Segment> segments() const { return segments_; }
  /// True if the octets beside every segment are what they were.
  bool intact() const {
    for (std::size_t i = 0; i < segments_.size(); ++i) {
      const Segment m = moat(i);
      if (!std::all_of(m.data, m.data + m.length, [](std::uint8_t o) { return o == kMoat; }))
        return false;
    }
    return true;
  }

 private:
  static constexpr std::uint8_t kMoat = 0xa7;
  static constexpr std::size_t kMoatWidth = 256;

  Segment moat(std::size_t i) const {
    const Segment& s = segments_[i];
    const std::size_t width = std::min(kMoatWidth, places_[i]->room() - s.length);
    return {at_end_[i] ? s.data - width : s.data + s.length, static_cast<std::uint32_t>(width)};
  }
  std::uint8_t* octet(std::size_t at) const {
    for (const Segment& s : segments_) {
      if (at < s.length) return s.data + at;
      at -= s.length;
    }
    ADD_FAILURE() << "no such octet";
    return segments_[0].data;
  }

  std::vector<std::unique_ptr<Guarded>> places_;
  std::vector<Segment> segments_;
  std::vector<bool> at_end_;
};

}  // namespace espalier::driver::test

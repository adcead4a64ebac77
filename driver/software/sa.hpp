// SPDX-License-Identifier: BSD-2-Clause-Patent
// An SA as one queue has it: shape and keyed crypto in one piece of memory, so that a packet finds
// all of it behind one pointer and in few cache lines.
#pragma once

#include <memory>

#include "crypto.hpp"
#include "key_memory.hpp"
#include "shape.hpp"

namespace espalier::driver::software {

struct Work;

/// Threads: one queue's, but for construction and destruction, which wipes the keys.
class KeyedSa : public InKeyMemory {
 public:
  /// Null if the crypto library refused.  `multi_buffer`: the queue's, null without.
  static std::unique_ptr<KeyedSa> make(const SaParameters& sa, Generation generation,
                                       MultiBuffer* multi_buffer);
  virtual ~KeyedSa() = default;
  KeyedSa(const KeyedSa&) = delete;
  KeyedSa& operator=(const KeyedSa&) = delete;

  const SaShape& shape() const noexcept { return shape_; }
  bool serves(const Job& job) const noexcept {
    return shape_.generation == job.generation && shape_.direction == job.direction;
  }

  /// Does the whole work of a job of one segment each way (Linear).
  virtual Answer process(const Job& job, const Scratch& scratch) noexcept = 0;
  /// process() in two steps, for multi-buffer code; work.stage says when the second is due.
  /// Without such code the first does all.
  virtual void begin(const Job& job, const Scratch& scratch, Work& work) noexcept;
  virtual Answer finish(Work& work) noexcept;

  /// Has what a packet reads of the SA beyond this object brought near.
  virtual void prefetch() const noexcept {}

 protected:
  explicit KeyedSa(const SaShape& shape) : shape_(shape) {}

 private:
  SaShape shape_;
};

/// The SA if its keys could be set up.
template <class Sa>
std::unique_ptr<Sa> if_ready(std::unique_ptr<Sa> sa) {
  return sa->ready() ? std::move(sa) : nullptr;
}

}  // namespace espalier::driver::software

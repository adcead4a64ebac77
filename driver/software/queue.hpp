// SPDX-License-Identifier: BSD-2-Clause-Patent
// A queue of the software device: its view of the slots, and the packet path.
//
// A queue's thread reads slots without a lock.  The control thread publishes an SA with one atomic
// store and takes it back with one exchange; it frees the SA once every queue has been seen outside
// submit() since.  For that each queue counts its entries and exits (`phase`, odd while inside).
#pragma once

#include <array>
#include <atomic>
#include <memory>
#include <span>
#include <vector>

#include "espalier/driver/software.hpp"
#include "multi_buffer.hpp"
#include "sa.hpp"

namespace espalier::driver::software {

class alignas(64) Queue {
 public:
  explicit Queue(const SoftwareOptions& options);
  ~Queue();

  // The queue's thread.
  std::size_t submit(Jobs jobs) noexcept;
  std::size_t poll(std::span<Completion> completions) noexcept;

  // The control thread.
  void publish(std::size_t slot, std::unique_ptr<KeyedSa> sa) noexcept {
    slots_[slot].store(sa.release());
  }
  /// Null if there is none.  The queue may be using it until passed().
  std::unique_ptr<KeyedSa> withdraw(std::size_t slot) noexcept {
    return std::unique_ptr<KeyedSa>(slots_[slot].exchange(nullptr));
  }
  std::uint64_t phase() const noexcept { return phase_.load(); }
  /// True if the queue has been outside submit() since its phase was `then`.
  bool passed(std::uint64_t then) const noexcept { return then % 2 == 0 || phase() != then; }
  /// Null without.
  MultiBuffer* multi_buffer() const noexcept { return multi_buffer_.get(); }

 private:
  static constexpr std::size_t kBurst = 64;  // jobs that multi-buffer code works off at once
  static constexpr std::size_t kFew = 8;     // in fewer OpenSSL is faster than lanes

  // These write the jobs' completions to `out`.
  void run(Jobs jobs, Completion* out) noexcept;
  void run_each(Jobs jobs, Completion* out) noexcept;
  void run_bursts(Jobs jobs, Completion* out) noexcept;
  void run_burst(Jobs jobs, Completion* out) noexcept;
  Answer linearised(KeyedSa& sa, const Job& job) noexcept;

  // Jobs ahead of the one worked on.
  static constexpr std::size_t kSlotAhead = 12, kSaAhead = 8, kKeysAhead = 4;

  void prefetch_slot(const Job& job) const noexcept {
    if (static_cast<std::size_t>(job.slot) < slot_count_)
      __builtin_prefetch(&slots_[static_cast<std::size_t>(job.slot)]);
  }
  void prefetch_sa(const Job& job) const noexcept {
    if (const KeyedSa* sa = at(job.slot)) {
      __builtin_prefetch(sa, 1);
      __builtin_prefetch(reinterpret_cast<const std::uint8_t*>(sa) + 64, 1);
    }
  }
  void prefetch_keys(const Job& job) const noexcept {
    if (const KeyedSa* sa = at(job.slot)) sa->prefetch();
  }
  bool begin_look_ahead(Jobs jobs) const noexcept;
  void look_ahead(Jobs jobs, std::size_t at) const noexcept;
  KeyedSa* at(Slot slot) const noexcept {
    const auto index = static_cast<std::size_t>(slot);
    return index < slot_count_ ? slots_[index].load() : nullptr;
  }
  KeyedSa* find(const Job& job) const noexcept {
    KeyedSa* sa = at(job.slot);
    return sa != nullptr && sa->serves(job) ? sa : nullptr;
  }

  const std::size_t slot_count_, depth_;
  const std::size_t fewest_;  // jobs of a burst
  const std::unique_ptr<std::atomic<KeyedSa*>[]> slots_;
  const std::unique_ptr<Completion[]> ring_;
  std::size_t first_ = 0, count_ = 0;  // completions that wait, from `first_`
  std::vector<std::uint8_t> memory_;
  Scratch scratch_;
  // With multi-buffer code only: its manager, and the jobs of a burst.
  std::unique_ptr<MultiBuffer> multi_buffer_;
  std::unique_ptr<std::array<Work, kBurst>> works_;
  std::atomic<std::uint64_t> phase_{0};  // odd while its thread is inside submit()
};

}  // namespace espalier::driver::software

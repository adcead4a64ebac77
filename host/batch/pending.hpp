// SPDX-License-Identifier: BSD-2-Clause-Patent
// Jobs a queue has taken and not yet handed back, and their order.
#pragma once

#include <atomic>
#include <cstdint>
#include <memory>
#include <span>
#include <type_traits>
#include <vector>

#include "espalier/job.hpp"
#include "memory/large_array.hpp"

namespace espalier {

/// A job with every input frozen (D2), kept until its completion is accepted, so that it can be run
/// again on another device with the same bytes.
struct alignas(64) Pending {
  enum class State : std::uint8_t {
    idle,
    flying,  ///< With a device, or in its batch.
    parked,  ///< Its device may still write to the destination: waits until it is quiet.
    rerun,   ///< To be run again in software.
    done,    ///< Waits for its turn to be delivered.
  };

  static constexpr std::uint8_t kNoDoubt = 0xff;

  driver::Job job;  ///< `source` and `destination` point into `segments`.
  Completion result;
  std::uint32_t sa = 0;      ///< Index of the SA.
  std::uint32_t serial = 0;  ///< Counts the runs of this entry: a completion names the run.
  std::uint32_t body = 0;    ///< Octets as lifetimes count them.
  std::uint32_t octets = 0;  ///< The longer of source and result.
  std::uint32_t destination_room = 0;
  std::uint8_t age = 0;           ///< Of its device's jobs, see Dispatch.
  std::uint8_t shadow = 0xff;     ///< Its slot if it is sampled, else ShadowSlots::kNone.
  std::uint8_t doubt = kNoDoubt;  ///< The device whose answer waits for the reference's.
  std::uint16_t next = 0;         ///< The SA's next job on this queue.
  State state = State::idle;
  /// The sources, then the destinations: of most jobs one each, beside all else they need.
  Segment segments[2 * driver::kMaxSegments];
};

/// A queue's share of an SA: the order of its jobs, and its counters.  Written by the queue alone.
struct QueueSa {
  std::uint16_t first = kNone;  ///< Oldest job not delivered.
  std::uint16_t last = kNone;
  std::atomic<std::uint32_t> outstanding{0};  ///< Jobs not delivered; the control thread reads it.
  std::atomic<std::uint64_t> packets{0};
  std::atomic<std::uint64_t> bytes{0};
  std::atomic<std::uint8_t> last_device{0xff};

  static constexpr std::uint16_t kNone = 0xffff;
};

/// A fixed ring of job numbers; never holds more than its capacity, which is all jobs.
class JobFifo {
 public:
  explicit JobFifo(std::uint32_t capacity) : mask_(capacity - 1), items_(capacity) {}
  void push(std::uint16_t job) noexcept { items_[tail_++ & mask_] = job; }
  std::uint16_t front() const noexcept { return items_[head_ & mask_]; }
  std::uint16_t pop() noexcept { return items_[head_++ & mask_]; }
  bool empty() const noexcept { return head_ == tail_; }
  std::uint32_t size() const noexcept { return tail_ - head_; }

 private:
  std::uint32_t mask_, head_ = 0, tail_ = 0;
  std::vector<std::uint16_t> items_;
};

/// The caller's completions, while poll() has room in them; no room at all at other times.
class Outlet {
 public:
  Outlet() = default;
  explicit Outlet(std::span<Completion> room)
      : next_(room.data()), end_(room.data() + room.size()) {}
  bool full() const noexcept { return next_ == end_; }
  /// Copies to the next completion, which stays the next until advance().
  Completion& copy(const Completion& from) noexcept { return *next_ = from; }
  void advance() noexcept { ++next_; }
  /// Completions put since `begin`, the start of the room.
  std::size_t count(const Completion* begin) const noexcept {
    return static_cast<std::size_t>(next_ - begin);
  }

 private:
  Completion* next_ = nullptr;
  Completion* end_ = nullptr;
};

/// The jobs of one queue.  Order holds per SA: a job is delivered only after the jobs of its SA
/// that were taken before it; SAs do not wait for each other.
/// Threads: the queue's; the atomics of QueueSa may be read by others.
class PendingTable {
 public:
  /// `capacity`: a power of two, at most 32,768.  `sas`: capacity of the SA table.
  PendingTable(std::uint32_t capacity, std::uint32_t sas)
      : capacity_(capacity),
        jobs_(std::make_unique<Pending[]>(capacity)),
        sas_(sas),
        ready_(capacity),
        free_count_(capacity),
        free_(std::make_unique<std::uint16_t[]>(capacity)) {
    for (std::uint32_t i = 0; i < capacity; ++i)
      free_[i] = static_cast<std::uint16_t>(capacity - 1 - i);
  }

  std::uint32_t room() const noexcept { return free_count_; }
  std::uint32_t capacity() const noexcept { return capacity_; }
  Pending& operator[](std::uint16_t job) noexcept { return jobs_[job]; }
  QueueSa& sa(std::uint32_t index) noexcept { return sas_[index]; }
  const QueueSa& sa(std::uint32_t index) const noexcept { return sas_[index]; }

  /// Zeroes an SA's counters; none of its jobs is here.
  void forget(std::uint32_t index) noexcept {
    sas_[index].packets.store(0, std::memory_order_relaxed);
    sas_[index].bytes.store(0, std::memory_order_relaxed);
    sas_[index].last_device.store(0xff, std::memory_order_relaxed);
  }

  /// The entry acquire() would give.  Only while room() > 0.
  std::uint16_t front() const noexcept { return free_[free_count_ - 1]; }
  void prefetch_sa(std::uint32_t index) const noexcept { __builtin_prefetch(&sas_[index], 1); }
  /// Takes `job`, which is front(), and puts it last in its SA's order.
  [[gnu::always_inline]] void acquire(std::uint16_t job, std::uint32_t sa) noexcept {
    --free_count_;
    Pending& pending = jobs_[job];
    pending.next = QueueSa::kNone;
    pending.sa = sa;
    QueueSa& order = sas_[sa];
    if (order.first == QueueSa::kNone)
      order.first = job;
    else
      jobs_[order.last].next = job;
    order.last = job;
    bump(order.outstanding, 1);
  }
  /// Ends a job: `answer` writes its result.  What that makes deliverable is handed over, to `out`
  /// while it has room, to the ready list after that; `settle` sees each job before, in the SA's
  /// order, and its result.
  template <class Answer, class Settle>
  [[gnu::always_inline]] void finish(std::uint16_t job, Outlet& out, Answer&& answer,
                                     Settle&& settle) noexcept {
    Pending* pending = &jobs_[job];
    QueueSa& order = sas_[pending->sa];
    if (order.first != job) [[unlikely]] {
      answer(pending->result);
      pending->state = Pending::State::done;
      return;
    }
    Completion* result = result_of(*pending, out);
    answer(*result);
    for (;;) {
      order.first = pending->next;
      settle(*pending, *result);
      if (result != &pending->result) [[likely]] {
        out.advance();
        retire(job, order);
      } else {
        ready_.push(job);
      }
      job = order.first;
      if (job == QueueSa::kNone || jobs_[job].state != Pending::State::done) [[likely]]
        return;
      pending = &jobs_[job];
      result = result_of(*pending, out);
    }
  }
  bool any_ready() const noexcept { return !ready_.empty(); }
  /// Hands over what found no room before, while there is room now.
  void deliver(Outlet& out) noexcept {
    while (!out.full() && any_ready()) {
      const std::uint16_t job = ready_.pop();
      out.copy(jobs_[job].result);
      out.advance();
      retire(job, sas_[jobs_[job].sa]);
    }
  }

  /// Adds to a counter that only this queue writes.
  template <class T>
  static void bump(std::atomic<T>& counter, std::type_identity_t<T> amount) noexcept {
    counter.store(counter.load(std::memory_order_relaxed) + amount, std::memory_order_release);
  }

 private:
  /// Where the end of a job's result is written, if it is its turn.  Not into the job and then
  /// copied: reading wide what was just written narrow stalls the CPU.
  static Completion* result_of(Pending& pending, Outlet& out) noexcept {
    return out.full() ? &pending.result : &out.copy(pending.result);
  }
  void retire(std::uint16_t job, QueueSa& order) noexcept {
    jobs_[job].state = Pending::State::idle;
    bump(order.outstanding, static_cast<std::uint32_t>(-1));
    free_[free_count_++] = job;
  }

  std::uint32_t capacity_;
  std::unique_ptr<Pending[]> jobs_;
  LargeArray<QueueSa> sas_;
  JobFifo ready_;
  std::uint32_t free_count_;
  std::unique_ptr<std::uint16_t[]> free_;  ///< The one used last on top: it is the warmest.
};

}  // namespace espalier

// SPDX-License-Identifier: BSD-2-Clause-Patent
// One queue of a context: the packet path, from submit() to poll().
#pragma once

#include <algorithm>
#include <atomic>
#include <memory>
#include <span>
#include <vector>

#include "batch/batch.hpp"
#include "batch/pending.hpp"
#include "context/shared.hpp"
#include "dispatch/dispatch.hpp"
#include "epoch/epoch.hpp"
#include "sa/iv.hpp"
#include "shadow/shadow.hpp"

namespace espalier {

/// Threads: submit(), poll() and find() belong to the queue's caller; the const calls may be made
/// by any.
class Queue {
 public:
  Queue(Shared& shared, unsigned number);
  ~Queue();
  Queue(const Queue&) = delete;
  Queue& operator=(const Queue&) = delete;

  std::size_t submit(std::span<const Job> jobs) noexcept;
  std::size_t poll(std::span<Completion> out, std::uint32_t rerun_budget) noexcept;
  /// See Context::arm().
  bool arm() noexcept;
  /// Control thread: wakes a queue that sleeps.  True if it did.
  bool wake() noexcept;
  SaHandle find(std::uint32_t spi, std::uint8_t protocol, Family family,
                const std::uint8_t* destination, const std::uint8_t* source) noexcept;

  /// Control thread, before an SA is published: its counters begin anew.
  void forget(std::uint32_t sa) noexcept { pending_.forget(sa); }

  bool ready() const { return ivs_.ready() && fd_ >= 0; }
  int fd() const noexcept { return fd_; }
  void add_to(Totals& totals) const noexcept;
  const Dispatch& dispatch() const { return dispatch_; }
  const QueueSa& sa(std::uint32_t index) const { return pending_.sa(index); }
  std::uint32_t outstanding() const noexcept { return pending_.capacity() - pending_.room(); }
  /// Odd while the queue may be reading SAs.
  std::uint64_t activity() const noexcept { return activity_.value(); }

 private:
  static Demand demand_of(const Pending& pending) noexcept {
    return {pending.octets, &pending.job};
  }

  // submit
  void prefetch(std::span<const Job> jobs, std::size_t at) const noexcept;
  std::size_t take_run(std::span<const Job> jobs) noexcept;
  std::size_t refuse_run(std::span<const Job> jobs) noexcept;
  template <bool kSeal>
  std::size_t take_each(Sa& sa, std::span<const Job> jobs) noexcept;
  template <bool kSeal>
  bool take(Sa& sa, const Job& in, std::uint32_t same_sa, NumberRange& numbers) noexcept;
  Drop admit_seal(Sa& sa, SaHandle handle, Pending& pending, std::uint32_t same_sa,
                  NumberRange& numbers) noexcept;
  bool refuse(const Sa& sa, SaHandle handle, std::uint16_t job, Drop why) noexcept;
  void give_to_device(Pending& pending, std::uint16_t job, std::uint8_t device) noexcept;
  void note_user(Sa& sa) noexcept;
  // poll
  void look_at_devices() noexcept;
  void flush(bool all) noexcept;
  void collect(std::uint8_t device) noexcept;
  void complete(std::uint8_t device, const driver::Completion& from) noexcept;
  void leave_device(Pending& pending) noexcept;
  void answered(std::uint16_t job, const driver::Completion& from) noexcept;
  template <class Answer>
  void finish(std::uint16_t job, Answer&& answer) noexcept;
  void settle(Pending& pending, Completion& result) noexcept;
  void fail(std::uint16_t job, Status status) noexcept;
  void park(Pending& pending) noexcept;
  Drop settle_open(Sa& sa, Pending& pending, const Completion& result) noexcept;
  void run_again(std::uint32_t budget) noexcept;
  void recover(std::uint8_t device) noexcept;
  void give_up_parked() noexcept;
  bool may_be_written(const Pending& pending, std::uint8_t device) const noexcept;
  bool spoils_source(const Pending& pending) const noexcept;
  // verify
  bool sample(const Sa& sa, Pending& pending, Dispatch::Choice& choice) noexcept;
  void keep_source(Pending& pending) noexcept;
  bool hold(std::uint16_t job, const driver::Completion& answer) noexcept;
  bool recheck_allowed(bool sampled) noexcept;
  void prepare_rerun(Pending& pending) noexcept;
  void resolve(std::uint16_t job, const driver::Completion& reference) noexcept;
  bool compare(Pending& pending, const driver::Completion& reference) noexcept;
  void believe(std::uint16_t job) noexcept;
  bool distrust(std::uint16_t job, const driver::Completion& answer) noexcept;
  // both
  void drop(std::uint16_t job, Drop reason, Status status) noexcept;
  void mark_dropped(Completion& result, std::uint32_t sa, Drop reason, Status status) noexcept;
  void tell_once(Sa& sa, std::atomic<bool>& told, EventKind kind, std::uint32_t index) noexcept;

  Shared& shared_;
  unsigned number_;
  PendingTable pending_;
  Outlet outlet_;  // only in poll() has it room
  Dispatch dispatch_;
  std::vector<Batch> batches_;  // by device
  std::vector<driver::Completion> inbox_;
  JobFifo rerun_;
  std::uint32_t quiet_seen_[kMaxDevices] = {};
  std::uint32_t parked_ = 0;  // jobs
  CbcIvGenerator ivs_;
  ShadowSampler sampler_;
  ShadowSlots shadows_;
  std::atomic<std::uint64_t> packets_{0}, bytes_{0};
  std::atomic<std::uint64_t> drops_[spec::kDropCount] = {};
  int fd_ = -1;
  std::atomic<bool> armed_{false};
  Activity activity_;  // no SA this queue can see is taken away (Context::Core::reclaim())
};

inline void Queue::give_to_device(Pending& pending, std::uint16_t job,
                                  std::uint8_t device) noexcept {
  pending.result.device = device;
  pending.state = Pending::State::flying;
  pending.job.cookie = static_cast<std::uint64_t>(pending.serial) << 16 | job;
  Batch& batch = batches_[device];
  batch.add(pending.job, shared_.now);
  if (batch.full()) batch.flush(*shared_.devices[device], static_cast<QueueId>(number_));
}

}  // namespace espalier

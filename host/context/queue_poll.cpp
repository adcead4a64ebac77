// SPDX-License-Identifier: BSD-2-Clause-Patent
// A queue's way out: collect, verify, run again what failed, deliver in order.
#include <algorithm>
#include <cstring>

#include "context/queue.hpp"

namespace espalier {
std::size_t Queue::poll(std::span<Completion> out, std::uint32_t rerun_budget) noexcept {
  Reading reading(activity_);
  outlet_ = Outlet(out);
  pending_.deliver(outlet_);  // first: what is done from here on may be of the same SAs
  look_at_devices();
  flush(false);
  for (std::uint8_t d = 0; d < dispatch_.count(); ++d) collect(d);
  dispatch_.age(Time{shared_.now.load(std::memory_order_relaxed)});
  if (!rerun_.empty()) run_again(rerun_budget);
  return std::exchange(outlet_, Outlet{}).count(out.data());
}

/// Before anything else in submit() and poll(): what happened to the devices since the last time.
void Queue::look_at_devices() noexcept {
  dispatch_.refresh();
  for (std::uint8_t d = 0; d < dispatch_.count(); ++d) {
    Service& service = shared_.service[d];
    if (dispatch_.has_queue(d))
      service.errand.run(*shared_.devices[d], static_cast<QueueId>(number_));
    if (!dispatch_.healthy(d) && dispatch_.has_fallback(d))
      for (const driver::Job* job : batches_[d].withdraw())
        fail(static_cast<std::uint16_t>(job->cookie), Status::aborted);
    if (service.quiet.load(std::memory_order_acquire) != quiet_seen_[d]) recover(d);
  }
  if (parked_ != 0) give_up_parked();
}

/// The device was reset and is quiet: no job of its is in flight any more, whether it says so or
/// not.  (None was given to it since: that needs a refresh() after it came back into service.)
void Queue::recover(std::uint8_t device) noexcept {
  collect(device);
  quiet_seen_[device] = shared_.service[device].quiet.load(std::memory_order_acquire);
  for (std::uint32_t i = 0; i < pending_.capacity(); ++i) {
    const auto job = static_cast<std::uint16_t>(i);
    Pending& pending = pending_[job];
    if (pending.result.device != device) continue;
    if (pending.state == Pending::State::parked) {
      --parked_;
      pending.state = Pending::State::rerun;
      rerun_.push(job);
    } else if (pending.state == Pending::State::flying) {
      fail(job, Status::aborted);
    }
  }
}

/// Ends jobs whose device did not become quiet in time.
void Queue::give_up_parked() noexcept {
  const Time::rep now = shared_.now.load(std::memory_order_relaxed);
  for (std::uint32_t i = 0; i < pending_.capacity(); ++i) {
    const auto job = static_cast<std::uint16_t>(i);
    const Pending& pending = pending_[job];
    if (pending.state != Pending::State::parked ||
        now < shared_.service[pending.result.device].hold_until.load(std::memory_order_relaxed))
      continue;
    --parked_;
    drop(job, Drop::device, Status::timed_out);
  }
}

void Queue::flush(bool all) noexcept {
  const Time now{shared_.now.load(std::memory_order_relaxed)};
  for (std::size_t d = 0; d < batches_.size(); ++d)
    if (!batches_[d].empty() && (all || batches_[d].due(now, shared_.config.batch_age)))
      batches_[d].flush(*shared_.devices[d], static_cast<QueueId>(number_));
}

/// Completions of the job's present run count no more.
[[gnu::always_inline]] void Queue::leave_device(Pending& pending) noexcept {
  ++pending.serial;
  dispatch_.release(pending.result.device, pending.age);
}

/// What only an authenticated packet may change: the replay window, then the lifetimes.
[[gnu::always_inline]] inline Drop Queue::settle_open(Sa& sa, Pending& pending,
                                                      const Completion& result) noexcept {
  const Status status = result.status;
  if (status != Status::ok && status != Status::dummy) return spec::drop_reason(status);
  const std::uint32_t lag = sa.user.load(std::memory_order_relaxed) == Sa::kManyQueues
                                ? shared_.config.queue_capacity * shared_.config.queues
                                : 0;
  Drop reason = spec::drop_reason(status);
  if (sa.window.on() && !sa.window.commit(result.number, lag)) {
    reason = Drop::replayed;
  } else if (status == Status::ok) {
    const LifetimeMeter::Verdict verdict = sa.meter.take(pending.body);
    if (verdict == LifetimeMeter::Verdict::hard) {
      tell_once(sa, sa.expired, EventKind::hard_expiry, pending.sa);
      reason = Drop::sa_expired;
    } else if (verdict == LifetimeMeter::Verdict::soft) {
      tell_once(sa, sa.soft_expired, EventKind::soft_expiry, pending.sa);
    }
  }
  if (status == Status::ok && reason != Drop::none) driver::wipe(pending.job.destination);
  return reason;
}

/// What a job's result changes: in the order in which the SA's jobs were taken, whatever the order
/// in which devices did them.
[[gnu::always_inline]] inline void Queue::settle(Pending& pending, Completion& result) noexcept {
  if (result.drop != Drop::none) return;  // dropped on the way
  Sa& sa = shared_.sas[pending.sa];
  if (result.status != Status::ok || !sa.plan.seal) {
    const Drop reason =
        sa.plan.seal ? spec::drop_reason(result.status) : settle_open(sa, pending, result);
    if (reason != Drop::none) {
      if (reason != Drop::dummy)
        shared_.audit(reason, sa,
                      make_handle(pending.sa, sa.generation.load(std::memory_order_relaxed)),
                      result.number);
      mark_dropped(result, pending.sa, reason, result.status);
      return;
    }
  }
  result.soft_expired = sa.soft_expired.load(std::memory_order_relaxed);
  QueueSa& mine = pending_.sa(pending.sa);
  PendingTable::bump(mine.packets, 1);
  PendingTable::bump(mine.bytes, pending.body);
  mine.last_device.store(result.device, std::memory_order_relaxed);
  PendingTable::bump(packets_, 1);
  PendingTable::bump(bytes_, pending.body);
}

/// Ends a job; `answer` writes its result.
template <class Answer>
[[gnu::always_inline]] inline void Queue::finish(std::uint16_t job, Answer&& answer) noexcept {
  Pending& done = pending_[job];
  if (done.shadow != ShadowSlots::kNone)
    shadows_.give_back(std::exchange(done.shadow, ShadowSlots::kNone));
  const auto settled = [this](Pending & pending, Completion & result)
      __attribute__((always_inline)) {
    settle(pending, result);
  };
  pending_.finish(job, outlet_, answer, settled);
}

/// The last word on a job.
[[gnu::always_inline]] void Queue::answered(std::uint16_t job,
                                            const driver::Completion& from) noexcept {
  finish(job, [&](Completion& result) {
    result.status = from.status;
    result.length = from.length;
    result.next_header = from.next_header;
  });
}

/// Ends a job without a result.
void Queue::drop(std::uint16_t job, Drop reason, Status status) noexcept {
  const std::uint32_t sa = pending_[job].sa;
  finish(job, [&](Completion& result) { mark_dropped(result, sa, reason, status); });
}

/// The first completion of a job's present run counts; any other is of an earlier life and ignored.
[[gnu::always_inline]] inline void Queue::complete(std::uint8_t device,
                                                   const driver::Completion& from) noexcept {
  const std::uint16_t job = static_cast<std::uint16_t>(from.cookie);
  if (job >= pending_.capacity()) [[unlikely]] {
    if (job == Errand::kMark) shared_.service[device].errand.answer(from);
    return;
  }
  Pending& pending = pending_[job];
  if (pending.state != Pending::State::flying || pending.result.device != device ||
      pending.serial != static_cast<std::uint32_t>(from.cookie >> 16))
    return;
  const bool trusted = dispatch_.trusted(device);
  if (!trusted && dispatch_.condemned(device) && distrust(job, from)) return;
  // The library knows that the SA is there: a device that says otherwise lost it in a reset.
  if (from.status != Status::ok &&
      (spec::info(from.status).retry || from.status == Status::sa_gone))
    return fail(job, from.status);
  leave_device(pending);
  if (pending.doubt != Pending::kNoDoubt) return resolve(job, from);
  if (trusted || !dispatch_.doubted(device) || !hold(job, from)) answered(job, from);
}

void Queue::collect(std::uint8_t device) noexcept {
  const std::size_t n =
      shared_.devices[device]->poll(static_cast<QueueId>(number_), std::span(inbox_));
  for (std::size_t i = 0; i < n; ++i) complete(device, inbox_[i]);
}

/// A device failed on the job, not the job on the device: the next device gets it.
void Queue::fail(std::uint16_t job, Status status) noexcept {
  Pending& pending = pending_[job];
  const std::uint8_t device = pending.result.device;
  leave_device(pending);
  if (pending.doubt != Pending::kNoDoubt) return believe(job);  // it was the reference's run
  // What another device may take is no sign of illness.
  const bool declined = status == Status::unsupported || status == Status::too_long;
  pending.result.refusal = status == Status::unsupported ? Refusal::capability
                           : declined                    ? Refusal::size
                                                         : Refusal::failed;
  if (!declined) dispatch_.count_failure(device);
  pending.result.status = status;
  const bool spoilt = status == Status::internal_error && spoils_source(pending);
  if (!dispatch_.has_fallback(device) || spoilt) {
    drop(job, spec::drop_reason(status), status);
  } else if (status == Status::timed_out && may_be_written(pending, device)) {
    park(pending);
  } else {
    pending.state = Pending::State::rerun;
    rerun_.push(job);
  }
}

/// The job waits until its device is quiet; the device is reset for that.
void Queue::park(Pending& pending) noexcept {
  Service& service = shared_.service[pending.result.device];
  pending.state = Pending::State::parked;
  ++parked_;
  service.accuse(Trouble::timed_out);
  service.hold_until.store(
      shared_.now.load(std::memory_order_relaxed) + shared_.config.health.hold_back.count(),
      std::memory_order_relaxed);
}

/// True if the device could still write late into the job's destination: it lies in its own memory.
bool Queue::may_be_written(const Pending& pending, std::uint8_t device) const noexcept {
  const std::uintptr_t first = shared_.service[device].pool_first.load(std::memory_order_relaxed);
  const std::uintptr_t end = shared_.service[device].pool_end.load(std::memory_order_relaxed);
  return std::any_of(pending.job.destination.begin(), pending.job.destination.end(),
                     [&](const Segment& s) {
                       const auto at = reinterpret_cast<std::uintptr_t>(s.data);
                       return at >= first && at < end;
                     });
}

/// True if nothing of the job's source is left once its device has failed inside it: in place, on a
/// device that keeps none.
bool Queue::spoils_source(const Pending& pending) const noexcept {
  return pending.shadow == ShadowSlots::kNone &&
         !shared_.devices[pending.result.device]->capabilities().keeps_source &&
         driver::overlap(pending.job.source, pending.job.destination);
}

void Queue::run_again(std::uint32_t budget) noexcept {
  for (; budget != 0 && !rerun_.empty(); --budget) {
    const std::uint16_t job = rerun_.front();
    Pending& pending = pending_[job];
    const Sa& sa = shared_.sas[pending.sa];
    const bool doubted = pending.doubt != Pending::kNoDoubt;
    const Dispatch::Choice choice =
        doubted ? dispatch_.choose_reference(sa, demand_of(pending))
                : dispatch_.choose_again(sa, demand_of(pending), pending.result.device);
    if (choice.device == Dispatch::kWait) break;
    rerun_.pop();
    if (choice.device == Dispatch::kNone) {
      doubted ? believe(job) : drop(job, Drop::device, pending.result.status);
      continue;
    }
    pending.age = dispatch_.age_of(choice.device);
    prepare_rerun(pending);
    give_to_device(pending, job, choice.device);
  }
  flush(true);
  for (std::uint8_t d = 0; d < dispatch_.count(); ++d) collect(d);
}

}  // namespace espalier

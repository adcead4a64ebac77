// SPDX-License-Identifier: BSD-2-Clause-Patent
// A queue's way out: collect, verify, run again what failed, deliver in order.
#include <algorithm>
#include <cstring>

#include "context/queue.hpp"

namespace espalier {
namespace {

void wipe(std::span<const Segment> segments) noexcept {
  for (const Segment& s : segments)
    if (s.length != 0) std::memset(s.data, 0, s.length);
}

}  // namespace

std::size_t Queue::poll(std::span<Completion> out, std::uint32_t rerun_budget) noexcept {
  Reading reading(activity_);
  dispatch_.refresh();
  unpark();
  flush(false);
  for (std::uint8_t d = 0; d < dispatch_.count(); ++d) collect(d);
  if (!rerun_.empty()) run_again(rerun_budget);
  std::size_t n = 0;
  while (n < out.size() && pending_.any_ready()) out[n++] = pending_.deliver();
  return n;
}

void Queue::flush(bool all) noexcept {
  const Time now{shared_.now.load(std::memory_order_relaxed)};
  for (std::size_t d = 0; d < batches_.size(); ++d)
    if (!batches_[d].empty() && (all || batches_[d].due(now, shared_.config.batch_age)))
      batches_[d].flush(*shared_.devices[d], static_cast<QueueId>(number_));
}

void Queue::collect(std::uint8_t device) noexcept {
  const std::size_t n =
      shared_.devices[device]->poll(static_cast<QueueId>(number_), std::span(inbox_));
  for (std::size_t i = 0; i < n; ++i) complete(device, inbox_[i]);
}

/// The first completion of a job's present run counts; any other is of an earlier life and ignored.
void Queue::complete(std::uint8_t device, const driver::Completion& from) noexcept {
  const std::uint16_t job = static_cast<std::uint16_t>(from.cookie);
  if (job >= pending_.capacity()) return;
  Pending& pending = pending_[job];
  if (pending.state != Pending::State::flying || pending.result.device != device ||
      pending.serial != static_cast<std::uint32_t>(from.cookie >> 16))
    return;
  ++pending.serial;
  dispatch_.release(device);
  Sa& sa = shared_.sas[pending.sa];
  pending.result.status = from.status;
  pending.result.next_header = from.next_header;
  if (from.status != Status::ok || !sa.plan.seal) {
    // The library knows that the SA is there: a device that says otherwise lost it in a reset.
    if (spec::info(from.status).retry || from.status == Status::sa_gone) {
      fail(job, from.status);
      return;
    }
    const Drop reason =
        sa.plan.seal ? spec::drop_reason(from.status) : settle_open(sa, pending, from.status);
    if (reason != Drop::none) {
      if (reason != Drop::dummy)
        shared_.audit(reason, sa,
                      make_handle(pending.sa, sa.generation.load(std::memory_order_relaxed)),
                      pending.result.number);
      drop(job, reason, from.status);
      return;
    }
  }
  pending.result.length = from.length;
  pending.result.soft_expired = sa.soft_expired.load(std::memory_order_relaxed);
  QueueSa& mine = pending_.sa(pending.sa);
  PendingTable::bump(mine.packets, 1);
  PendingTable::bump(mine.bytes, pending.body);
  pending_.finish(job);
}

/// What only an authenticated packet may change: the replay window, then the lifetimes.
Drop Queue::settle_open(Sa& sa, Pending& pending, Status status) noexcept {
  if (status != Status::ok && status != Status::dummy) return spec::drop_reason(status);
  const std::uint32_t lag = sa.user.load(std::memory_order_relaxed) == Sa::kManyQueues
                                ? shared_.config.queue_capacity * shared_.config.queues
                                : 0;
  Drop reason = spec::drop_reason(status);
  if (sa.window && !sa.window->commit(pending.result.number, lag)) {
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
  if (status == Status::ok && reason != Drop::none) wipe(pending.job.destination);
  return reason;
}

/// A device failed on the job, not the job on the device: the next device gets it.
void Queue::fail(std::uint16_t job, Status status) noexcept {
  Pending& pending = pending_[job];
  const std::uint8_t device = pending.result.device;
  dispatch_.count_failure(device);
  pending.result.status = status;
  if (!dispatch_.has_fallback(device)) {
    drop(job, spec::drop_reason(status), status);
  } else if (status == Status::timed_out && may_be_written(pending, device)) {
    pending.state = Pending::State::parked;
    parked_.push(job);
  } else {
    pending.state = Pending::State::rerun;
    rerun_.push(job);
  }
}

/// True if the device could still write late into the job's destination: it lies in its own memory.
bool Queue::may_be_written(const Pending& pending, std::uint8_t device) const noexcept {
  const std::uintptr_t first = shared_.pool_first[device].load(std::memory_order_relaxed);
  const std::uintptr_t end = shared_.pool_end[device].load(std::memory_order_relaxed);
  return std::any_of(pending.job.destination.begin(), pending.job.destination.end(),
                     [&](const Segment& s) {
                       const auto at = reinterpret_cast<std::uintptr_t>(s.data);
                       return at >= first && at < end;
                     });
}

/// Jobs whose device has since been proven quiet can be run again.
void Queue::unpark() noexcept {
  for (std::uint32_t n = parked_.size(); n != 0; --n) {
    const std::uint16_t job = parked_.pop();
    const std::uint8_t device = pending_[job].result.device;
    if (shared_.quiet[device].load(std::memory_order_acquire) == quiet_seen_[device]) {
      parked_.push(job);
    } else {
      pending_[job].state = Pending::State::rerun;
      rerun_.push(job);
    }
  }
  for (unsigned d = 0; d < dispatch_.count(); ++d)
    quiet_seen_[d] = shared_.quiet[d].load(std::memory_order_acquire);
}

void Queue::run_again(std::uint32_t budget) noexcept {
  for (; budget != 0 && !rerun_.empty(); --budget) {
    const std::uint16_t job = rerun_.pop();
    Pending& pending = pending_[job];
    const Dispatch::Choice choice = dispatch_.choose_again(
        shared_.sas[pending.sa],
        {pending.octets, static_cast<std::uint32_t>(
                             std::max(pending.job.source.size(), pending.job.destination.size()))},
        pending.result.device);
    if (choice.device == Dispatch::kWait) {
      rerun_.push(job);
      break;
    }
    if (choice.device == Dispatch::kNone) {
      drop(job, Drop::device, pending.result.status);
      continue;
    }
    pending.result.refusal = Refusal::failed;
    give_to_device(job, choice.device);
  }
  flush(true);
  for (std::uint8_t d = 0; d < dispatch_.count(); ++d) collect(d);
}

}  // namespace espalier

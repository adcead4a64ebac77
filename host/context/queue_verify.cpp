// SPDX-License-Identifier: BSD-2-Clause-Patent
// Second opinions: a device's answer is held until the context's last device, the reference, has
// done the job too.
//
// Sampled packets are compared octet by octet (shadow/shadow.hpp).  A verdict that would drop a
// packet is checked by running the job again, sampled or not, at a limited rate; there is no result
// to compare.
#include "context/queue.hpp"

namespace espalier {

/// If the device is doubted: takes a slot if the packet is to be sampled.  If there is none free,
/// the reference does the packet alone: what is sampled never goes out unseen.  False: no room
/// there either.
bool Queue::sample(const Sa& sa, Pending& pending, Dispatch::Choice& choice) noexcept {
  if (!dispatch_.doubted(choice.device) || !sampler_.strikes() ||
      !dispatch_.reference_takes(sa, demand_of(pending)))
    return true;
  pending.shadow = shadows_.take();
  if (pending.shadow != ShadowSlots::kNone) return true;
  dispatch_.release(choice.device, dispatch_.age_of(choice.device));
  choice = dispatch_.choose_reference(sa, demand_of(pending));
  choice.refusal = Refusal::verification;
  return choice.device != Dispatch::kWait;
}

/// Before the device gets a sampled job: what it may overwrite is kept.
void Queue::keep_source(Pending& pending) noexcept {
  if (driver::overlap(pending.job.source, pending.job.destination))
    shadows_.keep(pending.shadow, pending.job.source);
}

/// A doubted device has answered.  True if its answer has to wait for the reference's.
bool Queue::hold(std::uint16_t job, const driver::Completion& answer) noexcept {
  Pending& pending = pending_[job];
  const bool sampled = pending.shadow != ShadowSlots::kNone;
  if (answer.status != Status::ok && spoils_source(pending)) return false;  // nothing to ask about
  if (answer.status == Status::ok ? !sampled : !recheck_allowed(sampled)) return false;
  if (sampled) shadows_[pending.shadow].first = answer;
  pending.result.status = answer.status;
  pending.doubt = pending.result.device;
  pending.state = Pending::State::rerun;
  rerun_.push(job);
  return true;
}

/// Half of the allowance is kept for sampled packets, so that a flood of forged ones can't use it
/// up.
bool Queue::recheck_allowed(bool sampled) noexcept {
  std::atomic<std::int64_t>& left = shared_.rechecks_left;
  const std::int64_t keep = sampled ? 0 : shared_.config.health.rechecks_per_second / 2;
  return left.load(std::memory_order_relaxed) > keep &&
         left.fetch_sub(1, std::memory_order_relaxed) > keep;
}

/// Points the job at the memory its second run works on.
void Queue::prepare_rerun(Pending& pending) noexcept {
  if (pending.shadow == ShadowSlots::kNone) return;
  ShadowSlots::Slot& slot = shadows_[pending.shadow];
  if (slot.kept) pending.job.source = {&slot.source, 1};
  if (pending.doubt == Pending::kNoDoubt || !slot.destination.empty()) return;
  slot.destination = pending.job.destination;
  pending.job.destination = shadows_.result(pending.shadow, pending.destination_room);
}

/// Both have answered.  The reference's word counts; if it differs, the device is out of service
/// from here on.
void Queue::resolve(std::uint16_t job, const driver::Completion& reference) noexcept {
  Pending& pending = pending_[job];
  const std::uint8_t device = std::exchange(pending.doubt, Pending::kNoDoubt);
  const bool sampled = pending.shadow != ShadowSlots::kNone;
  const Status first = sampled ? shadows_[pending.shadow].first.status : pending.result.status;
  const bool same = sampled ? compare(pending, reference) : first == reference.status;
  dispatch_.count_check(device, sampled, same);
  if (same) {
    pending.result.device = device;
  } else {
    pending.result.refusal = Refusal::failed;
    shared_.service[device].accuse(first == Status::ok ? Trouble::mismatch : Trouble::refused);
    dispatch_.distrust(device, first == Status::ok);
  }
  answered(job, reference);
}

/// True if the device did what the reference did.  In any case the caller's destination holds the
/// reference's result afterwards, and nothing else.
bool Queue::compare(Pending& pending, const driver::Completion& reference) noexcept {
  ShadowSlots::Slot& slot = shadows_[pending.shadow];
  pending.job.destination = slot.destination;
  const driver::Completion& first = slot.first;
  if (reference.status != Status::ok) {
    if (first.status == Status::ok) driver::wipe(pending.job.destination);
    return first.status == reference.status;
  }
  const std::span<const std::uint8_t> result(slot.result.data, reference.length);
  if (first.status == Status::ok && first.length == reference.length &&
      first.next_header == reference.next_header &&
      driver::begin_with(pending.job.destination, result))
    return true;
  driver::scatter(result, pending.job.destination);
  driver::wipe(pending.job.destination, result.size());
  return false;
}

/// The reference could not do the job after all: the device's word counts.
void Queue::believe(std::uint16_t job) noexcept {
  Pending& pending = pending_[job];
  const bool sampled = pending.shadow != ShadowSlots::kNone;
  driver::Completion first{pending.job.cookie, pending.result.status, 0, 0};
  if (sampled) {
    ShadowSlots::Slot& slot = shadows_[pending.shadow];
    first = slot.first;
    if (!slot.destination.empty()) pending.job.destination = slot.destination;
  }
  pending.result.device = std::exchange(pending.doubt, Pending::kNoDoubt);
  answered(job, first);
}

/// A condemned device answers a job that nobody compares.  True if it was dealt with.
bool Queue::distrust(std::uint16_t job, const driver::Completion& answer) noexcept {
  Pending& pending = pending_[job];
  if (pending.shadow != ShadowSlots::kNone || !dispatch_.has_fallback(pending.result.device))
    return false;
  if (answer.status != Status::ok ||
      !driver::overlap(pending.job.source, pending.job.destination)) {
    fail(job, Status::internal_error);
    return true;
  }
  // In place: the source is gone, and what stands there instead can't be trusted.
  leave_device(pending);
  driver::wipe(pending.job.destination);
  drop(job, Drop::device, Status::internal_error);
  return true;
}

}  // namespace espalier

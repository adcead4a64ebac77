// SPDX-License-Identifier: BSD-2-Clause-Patent
// A queue's way in: freeze, choose a device, number, hand over.
#include <sys/eventfd.h>

#include "context/queue.hpp"
#include "freeze/freeze.hpp"

namespace espalier {
namespace {

constexpr std::size_t kAhead = 4;  // jobs between a prefetch and the use of what it fetches

/// How many jobs from the first on are for the same SA.
std::uint32_t same_sa_run(std::span<const Job> jobs) noexcept {
  std::uint32_t n = 1;
  while (n < jobs.size() && jobs[n].sa == jobs[0].sa) ++n;
  return n;
}

/// Octets of the longest packet that a device other than the last takes.
std::uint32_t longest_doubted(const Shared& shared) {
  std::uint32_t octets = 0;
  for (std::size_t d = 0; d + 1 < shared.devices.size(); ++d)
    if (shared.devices[d]->capabilities().verifiable)
      octets = std::max(octets, shared.devices[d]->capabilities().max_packet);
  return octets;
}
std::uint32_t shadow_slots(const Shared& shared) {
  const HealthConfig& health = shared.config.health;
  return health.shadow_per_million == 0 ? 0 : health.shadow_slots;
}

}  // namespace

Queue::Queue(Shared& shared, unsigned number)
    : shared_(shared),
      number_(number),
      pending_(shared.config.queue_capacity, shared.config.max_sas + 1),
      dispatch_(shared.devices, shared.service, shared.config.health, number),
      inbox_(shared.config.queue_capacity),
      rerun_(shared.config.queue_capacity),
      sampler_(shared.config.health, number),
      shadows_(shadow_slots(shared), longest_doubted(shared)),
      fd_(eventfd(0, EFD_CLOEXEC | EFD_NONBLOCK)) {
  for (std::size_t d = 0; d < shared.devices.size(); ++d)
    batches_.emplace_back(shared.config.queue_capacity, shared.config.batch);
}

std::size_t Queue::submit(std::span<const Job> jobs) noexcept {
  Reading reading(activity_);
  look_at_devices();
  std::size_t taken = 0;
  std::uint32_t run = 0;
  while (taken < jobs.size() && pending_.room() != 0) {
    if (run == 0) {
      return_numbers();
      run = same_sa_run(jobs.subspan(taken));
    }
    if (run <= kAhead && taken + kAhead < jobs.size()) prefetch(jobs[taken + kAhead]);
    if (!take(jobs[taken], run)) break;
    ++taken;
    --run;
  }
  return_numbers();
  return taken;
}

/// Has a job's SA brought near while those before it are worked on.
void Queue::prefetch(const Job& job) const noexcept {
  const std::uint32_t index = index_of(job.sa);
  if (index < shared_.config.max_sas) {
    shared_.sas[index].prefetch();
    pending_.prefetch_sa(index);
  }
}

/// Lifetime, number and IV of an outbound packet that is certain to be sealed.
[[gnu::always_inline]] inline Drop Queue::admit_seal(Sa& sa, SaHandle handle, Pending& pending,
                                                     std::uint32_t same_sa) noexcept {
  if (lease_.sa != &sa || lease_.range.count == 0) {
    return_numbers();
    lease_ = {&sa, sa.numbers.take(same_sa)};
    if (lease_.range.count == 0) {
      tell_once(sa, sa.overflow_told, EventKind::sequence_overflow, index_of(handle));
      return Drop::sequence_overflow;
    }
  }
  const LifetimeMeter::Verdict verdict = sa.meter.take(pending.body);
  if (verdict == LifetimeMeter::Verdict::hard) {
    tell_once(sa, sa.expired, EventKind::hard_expiry, index_of(handle));
    return Drop::sa_expired_out;
  }
  if (verdict == LifetimeMeter::Verdict::soft)
    tell_once(sa, sa.soft_expired, EventKind::soft_expiry, index_of(handle));
  if (sa.plan.iv == IvKind::cbc && !ivs_.next(pending.job.iv.data())) return Drop::device;
  number_seal(sa, lease_.range.first, pending);
  ++lease_.range.first;
  --lease_.range.count;
  return Drop::none;
}

/// Takes one job, the first of `same_sa` for its SA.  False: no room; nothing has changed.
bool Queue::take(const Job& in, std::uint32_t same_sa) noexcept {
  const std::uint16_t job = pending_.front();
  Pending& pending = pending_[job];
  pending.result = {};
  pending.result.cookie = in.cookie;
  Sa* sa = shared_.live(in.sa);
  if (sa == nullptr) {
    pending_.acquire(shared_.config.max_sas);
    drop(job, Drop::sa_gone, Status::sa_gone);
    return true;
  }
  if (sa->paused.load(std::memory_order_seq_cst)) return false;
  const std::uint32_t index = index_of(in.sa);
  Drop why = sa->expired.load(std::memory_order_relaxed)
                 ? (sa->plan.seal ? Drop::sa_expired_out : Drop::sa_expired)
             : sa->plan.seal ? freeze_seal(*sa, in, pending)
                             : freeze_open(*sa, in, pending);
  Dispatch::Choice choice;
  if (why == Drop::none) {
    choice = dispatch_.choose(*sa, demand_of(pending));
    if (choice.device == Dispatch::kWait) return false;
    if (dispatch_.doubted(choice.device) && !sample(*sa, pending, choice)) return false;
    pending.result.refusal = choice.refusal;
    pending.age = choice.age;
    if (choice.device == Dispatch::kNone) {
      why = Drop::device;
    } else if (sa->plan.seal) {
      why = admit_seal(*sa, in.sa, pending, same_sa);
      if (why != Drop::none) dispatch_.release(choice.device, choice.age);
    }
  }
  pending_.acquire(index);
  if (why != Drop::none) {
    shared_.audit(why, *sa, in.sa, pending.result.number);
    drop(job, why, why == Drop::device ? Status::unsupported : Status::bad_descriptor);
    return true;
  }
  if (!sa->plan.seal) note_user(*sa);
  pending.job.slot = static_cast<driver::Slot>(index);
  pending.job.generation = static_cast<driver::Generation>(generation_of(in.sa));
  if (pending.shadow != ShadowSlots::kNone) keep_source(pending);
  give_to_device(pending, job, choice.device);
  return true;
}

/// Gives unused numbers back, unless another queue has taken later ones: then they stay unused.
void Queue::return_numbers() noexcept {
  if (lease_.sa != nullptr && lease_.range.count != 0) lease_.sa->numbers.give_back(lease_.range);
  lease_ = {};
}

void Queue::note_user(Sa& sa) noexcept {
  const std::uint8_t self = static_cast<std::uint8_t>(number_);
  std::uint8_t user = sa.user.load(std::memory_order_relaxed);
  if (user == self || user == Sa::kManyQueues) return;
  if (user == Sa::kNoQueue && sa.user.compare_exchange_strong(user, self)) return;
  sa.user.store(Sa::kManyQueues, std::memory_order_relaxed);
}

/// Ends a job without a result.
void Queue::drop(std::uint16_t job, Drop reason, Status status) noexcept {
  mark_dropped(pending_[job], reason, status);
  finish(job);
}

void Queue::mark_dropped(Pending& pending, Drop reason, Status status) noexcept {
  pending.result.drop = reason;
  pending.result.status = status;
  pending.result.length = 0;
  pending.result.next_header = 0;
  if (pending.sa < shared_.config.max_sas)
    shared_.sas[pending.sa].drops[static_cast<unsigned>(reason)].fetch_add(
        1, std::memory_order_relaxed);
  PendingTable::bump(drops_[static_cast<unsigned>(reason)], 1);
}

void Queue::tell_once(Sa& sa, std::atomic<bool>& told, EventKind kind,
                      std::uint32_t index) noexcept {
  if (told.load(std::memory_order_relaxed) || told.exchange(true, std::memory_order_relaxed))
    return;
  Event event;
  event.kind = kind;
  event.sa = make_handle(index, sa.generation.load(std::memory_order_relaxed));
  event.spi = sa.spi;
  shared_.events.push(event);
}

SaHandle Queue::find(std::uint32_t spi, std::uint8_t protocol, Family family,
                     const std::uint8_t* destination, const std::uint8_t* source) noexcept {
  Reading reading(activity_);
  const std::uint32_t index = shared_.index.find(spi, protocol, family, destination, source);
  if (index == SpiIndex::kNone) return SaHandle::none;
  const std::uint32_t generation = shared_.sas[index].generation.load(std::memory_order_acquire);
  return generation == 0 ? SaHandle::none : make_handle(index, generation);
}

}  // namespace espalier

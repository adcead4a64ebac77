// SPDX-License-Identifier: BSD-2-Clause-Patent
// A queue's way in: freeze, choose a device, number, hand over.
#include <sys/eventfd.h>

#include "context/queue.hpp"
#include "freeze/open.hpp"
#include "freeze/seal.hpp"

namespace espalier {
namespace {

constexpr std::uint32_t kAhead = 4;  // jobs between a prefetch and the use of what it fetches

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
  while (taken < jobs.size()) {
    const std::uint32_t run = same_sa_run(jobs.subspan(taken));
    prefetch(jobs, taken + std::max(run, kAhead));
    const std::size_t n = take_run(jobs.subspan(taken, run));
    taken += n;
    if (n < run) break;
  }
  return taken;
}

/// Has SAs of later jobs brought near: in two steps, since one leads to its window.
void Queue::prefetch(std::span<const Job> jobs, std::size_t at) const noexcept {
  if (at < jobs.size())
    if (const Sa* sa = shared_.live(jobs[at].sa)) sa->window.prefetch();
  at += kAhead;
  if (at >= jobs.size()) return;
  const std::uint32_t index = index_of(jobs[at].sa);
  if (index >= shared_.config.max_sas) return;
  shared_.sas[index].prefetch();
  pending_.prefetch_sa(index);
}

/// Takes a prefix of `jobs`, which are all for the same SA.
std::size_t Queue::take_run(std::span<const Job> jobs) noexcept {
  Sa* const sa = shared_.live(jobs[0].sa);
  if (sa == nullptr) [[unlikely]]
    return refuse_run(jobs);
  if (sa->paused.load(std::memory_order_seq_cst)) [[unlikely]]
    return 0;
  if (sa->plan.seal) return take_each<true>(*sa, jobs);
  note_user(*sa);
  return take_each<false>(*sa, jobs);
}

/// Of an SA that is no more, or never was.
std::size_t Queue::refuse_run(std::span<const Job> jobs) noexcept {
  std::size_t n = 0;
  for (; n < jobs.size() && pending_.room() != 0; ++n) {
    const std::uint16_t job = pending_.front();
    pending_[job].result = {.cookie = jobs[n].cookie};
    pending_.acquire(job, shared_.config.max_sas);
    drop(job, Drop::sa_gone, Status::sa_gone);
  }
  return n;
}

template <bool kSeal>
[[gnu::always_inline]] inline std::size_t Queue::take_each(Sa& sa,
                                                           std::span<const Job> jobs) noexcept {
  NumberRange numbers;
  std::size_t n = 0;
  while (n < jobs.size() && pending_.room() != 0 &&
         take<kSeal>(sa, jobs[n], static_cast<std::uint32_t>(jobs.size() - n), numbers))
    ++n;
  // Unless another queue has taken later ones: then they stay unused.
  if (numbers.count != 0) sa.numbers.give_back(numbers);
  return n;
}

/// Lifetime, number and IV of an outbound packet that is certain to be sealed.
[[gnu::always_inline]] inline Drop Queue::admit_seal(Sa& sa, SaHandle handle, Pending& pending,
                                                     std::uint32_t same_sa,
                                                     NumberRange& numbers) noexcept {
  if (numbers.count == 0) {
    numbers = sa.numbers.take(same_sa);
    if (numbers.count == 0) {
      tell_once(sa, sa.overflow_told, EventKind::sequence_overflow, index_of(handle));
      return Drop::sequence_overflow;
    }
  }
  const LifetimeMeter::Verdict verdict = sa.meter.take(pending.body);
  if (verdict != LifetimeMeter::Verdict::fine) [[unlikely]] {
    if (verdict == LifetimeMeter::Verdict::hard) {
      tell_once(sa, sa.expired, EventKind::hard_expiry, index_of(handle));
      return Drop::sa_expired_out;
    }
    tell_once(sa, sa.soft_expired, EventKind::soft_expiry, index_of(handle));
  }
  if (sa.plan.iv == IvKind::cbc && !ivs_.next(pending.job.iv.data())) return Drop::device;
  freeze::number(sa, numbers.first, pending);
  ++numbers.first;
  --numbers.count;
  return Drop::none;
}

/// Takes one job, the first of `same_sa` for its SA.  False: no room; nothing has changed.
template <bool kSeal>
[[gnu::always_inline]] inline bool Queue::take(Sa& sa, const Job& in, std::uint32_t same_sa,
                                               NumberRange& numbers) noexcept {
  const std::uint16_t job = pending_.front();
  Pending& pending = pending_[job];
  pending.result = {.cookie = in.cookie};
  Drop why = kSeal ? freeze::seal(sa, in, pending) : freeze::open(sa, in, pending);
  if (sa.expired.load(std::memory_order_relaxed)) [[unlikely]]
    why = kSeal ? Drop::sa_expired_out : Drop::sa_expired;
  if (why != Drop::none) [[unlikely]]
    return refuse(sa, in.sa, job, why);
  Dispatch::Choice choice = dispatch_.choose(sa, demand_of(pending));
  if (!choice.taken()) [[unlikely]] {
    if (choice.device == Dispatch::kWait) return false;
    pending.result.refusal = choice.refusal;
    return refuse(sa, in.sa, job, Drop::device);
  }
  if (!dispatch_.trusted(choice.device) && !sample(sa, pending, choice)) return false;
  pending.result.refusal = choice.refusal;
  pending.age = dispatch_.age_of(choice.device);
  if (kSeal) {
    why = admit_seal(sa, in.sa, pending, same_sa, numbers);
    if (why != Drop::none) [[unlikely]] {
      dispatch_.release(choice.device, pending.age);
      return refuse(sa, in.sa, job, why);
    }
  }
  pending_.acquire(job, index_of(in.sa));
  pending.job.slot = static_cast<driver::Slot>(index_of(in.sa));
  pending.job.generation = static_cast<driver::Generation>(generation_of(in.sa));
  if (pending.shadow != ShadowSlots::kNone) keep_source(pending);
  give_to_device(pending, job, choice.device);
  return true;
}

/// Takes a job that can't be done, and ends it.
bool Queue::refuse(const Sa& sa, SaHandle handle, std::uint16_t job, Drop why) noexcept {
  pending_.acquire(job, index_of(handle));
  shared_.audit(why, sa, handle, pending_[job].result.number);
  drop(job, why, why == Drop::device ? Status::unsupported : Status::bad_descriptor);
  return true;
}

void Queue::note_user(Sa& sa) noexcept {
  const std::uint8_t self = static_cast<std::uint8_t>(number_);
  std::uint8_t user = sa.user.load(std::memory_order_relaxed);
  if (user == self || user == Sa::kManyQueues) return;
  if (user == Sa::kNoQueue && sa.user.compare_exchange_strong(user, self)) return;
  sa.user.store(Sa::kManyQueues, std::memory_order_relaxed);
}

void Queue::mark_dropped(Completion& result, std::uint32_t sa, Drop reason,
                         Status status) noexcept {
  result.drop = reason;
  result.status = status;
  result.length = 0;
  result.next_header = 0;
  if (sa < shared_.config.max_sas)
    shared_.sas[sa].drops[static_cast<unsigned>(reason)].fetch_add(1, std::memory_order_relaxed);
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

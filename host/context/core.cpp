// SPDX-License-Identifier: BSD-2-Clause-Patent
#include "context/core.hpp"

#include <sys/eventfd.h>
#include <unistd.h>

#include <algorithm>
#include <utility>

namespace espalier {
namespace {

constexpr Time kSoon = std::chrono::milliseconds(1);  // while something is under way
constexpr unsigned kOpenSteps = 100'000;              // until a device passed its first tests
constexpr Time kSecond = std::chrono::seconds(1);

}  // namespace

Context::Core::Core(const ContextConfig& config,
                    std::vector<std::unique_ptr<driver::Device>> devices)
    : shared(config, std::move(devices)) {
  for (unsigned q = 0; q < config.queues; ++q) queues.push_back(std::make_unique<Queue>(shared, q));
  for (std::uint32_t i = config.max_sas; i != 0; --i) free_.push_back(i - 1);
  for (unsigned d = 0; d < shared.devices.size(); ++d)
    watches_.push_back(
        std::make_unique<Watch>(*shared.devices[d], shared.service[d], shared.config.health));
  graces_.resize(shared.devices.size());
  told_.resize(shared.devices.size(), driver::Health::ready);
  shared.audit_left.store(config.audit_events_per_second);
  shared.rechecks_left.store(config.health.rechecks_per_second);
  event_fd_ = eventfd(0, EFD_CLOEXEC | EFD_NONBLOCK);
}

Context::Core::~Core() {
  if (event_fd_ >= 0) close(event_fd_);
}

/// A device that does not answer within the steps stays out of service, and is asked on by tick().
void Context::Core::open_devices() noexcept {
  const auto untested = [this] {
    return std::any_of(shared.service.begin(), shared.service.begin() + shared.devices.size(),
                       [](const Service& s) { return s.trouble.load() == Trouble::untested; });
  };
  for (unsigned step = 0; step < kOpenSteps && untested(); ++step) {
    for (unsigned d = 0; d < shared.devices.size(); ++d) {
      shared.devices[d]->tick(Time{0});
      follow(d, Time{0});
    }
    queues[0]->poll({}, 0);
  }
  for (unsigned d = 0; d < shared.devices.size(); ++d) watch(d, Time{0});
}

// ---- adding

Result<SaHandle> Context::Core::add(const SaConfig& given) {
  SaConfig config = given;
  driver::set_header_template(config.ends, config.transform);
  if (std::string why = espalier::check(config); !why.empty()) return Error{why};
  const std::optional<driver::Suite> suite = driver::suite_of(config.transform);
  if (!suite) return Error{"no suite has these algorithms and key lengths"};
  reclaim();
  if (free_.empty())
    return Error{"all " + std::to_string(shared.config.max_sas) +
                 " SAs are in use; remove some, or open the context with a higher max_sas"};
  const std::uint32_t index = free_.back();
  Sa& sa = shared.sas[index];
  fill(sa, config, *suite);
  const bool inbound = !sa.plan.seal;
  if (inbound && shared.index.clashes(sa)) {
    wipe(sa);
    return Error{"an inbound SA with SPI " + std::to_string(sa.spi) +
                 " is there already; remove it, or negotiate another SPI"};
  }
  free_.pop_back();
  ++sa.last_generation;
  if (static_cast<std::uint16_t>(sa.last_generation) == 0) ++sa.last_generation;
  install_everywhere(index);
  if (sa.supported.load(std::memory_order_relaxed) == 0) {
    wipe(sa);
    free_.push_back(index);
    return Error{"no device of this context implements " + driver::suite_name(*suite) +
                 " in this mode; add device software"};
  }
  sa.generation.store(sa.last_generation, std::memory_order_release);
  if (inbound) shared.index.link(index);
  const SaHandle handle = make_handle(index, sa.last_generation);
  set_deadlines(handle, config);
  return handle;
}

void Context::Core::fill(Sa& sa, const SaConfig& config, const driver::Suite& suite) {
  sa.config = config;
  sa.plan = plan_of(config, suite);
  sa.spi = config.transform.spi;
  sa.ready.store(0, std::memory_order_relaxed);
  sa.supported.store(0, std::memory_order_relaxed);
  sa.installing = 0;
  sa.expired.store(false, std::memory_order_relaxed);
  sa.soft_expired.store(false, std::memory_order_relaxed);
  sa.paused.store(false, std::memory_order_relaxed);
  sa.added = Time{shared.now.load(std::memory_order_relaxed)};
  sa.overflow_told.store(false, std::memory_order_relaxed);
  sa.user.store(Sa::kNoQueue, std::memory_order_relaxed);
  for (auto& drop : sa.drops) drop.store(0, std::memory_order_relaxed);
  const ContextConfig& limits = shared.config;
  const Users users = limits.queues > 1 ? Users::any : Users::one;
  sa.meter.start(config.soft, config.hard, users);
  sa.outer = config.transform.outer;
  sa.head = outer_plan_of(config);
  sa.sender = config.sender_bits == 0
                  ? 0
                  : static_cast<std::uint64_t>(config.sender_id) << (64 - config.sender_bits);
  sa.destination = Address::from(config.ends.family, config.ends.destination.data());
  sa.source = Address::from(config.ends.family, config.ends.source.data());
  sa.window.stop();
  if (sa.plan.seal) {
    sa.numbers.start(config.last_number, number_limit(config), users);
  } else if (config.replay_window != 0) {
    sa.window.start(config.replay_window,
                    users == Users::any ? limits.queues * limits.queue_capacity : 0,
                    config.last_number, users);
  }
  for (const auto& queue : queues) queue->forget(static_cast<std::uint32_t>(&sa - &shared.sas[0]));
}

bool Context::Core::offered(const SaConfig& config, std::uint32_t index,
                            unsigned device) const noexcept {
  const driver::Device& d = *shared.devices[device];
  return index + 1 < d.capabilities().slots && d.supports(config.transform);  // the last: for tests
}

void Context::Core::install_everywhere(std::uint32_t index) noexcept {
  Sa& sa = shared.sas[index];
  for (unsigned d = 0; d < shared.devices.size(); ++d) {
    if (!offered(sa.config, index, d)) continue;
    sa.supported.fetch_or(1u << d, std::memory_order_relaxed);
    if (watches_[d]->serving()) install(index, d);
  }
}

/// Begins to fill a device's slot.  What is not ready at once is looked after by tick().  False if
/// the device is too busy.
bool Context::Core::install(std::uint32_t index, unsigned device) noexcept {
  Sa& sa = shared.sas[index];
  driver::Device& d = *shared.devices[device];
  const auto slot = static_cast<driver::Slot>(index);
  const std::uint32_t bit = 1u << device;
  sa.ready.fetch_and(~bit, std::memory_order_relaxed);
  const Status status =
      d.install(slot, static_cast<driver::Generation>(sa.last_generation), sa.config.transform);
  if (status == Status::unsupported) {
    sa.supported.fetch_and(~bit, std::memory_order_relaxed);
    return true;
  }
  if (status == Status::ok && d.slot_state(slot) == driver::SlotState::ready) {
    sa.ready.fetch_or(bit, std::memory_order_release);
    return true;
  }
  if (sa.installing == 0) installing_.push_back(index);
  sa.installing |= bit;
  return status == Status::ok;
}

/// Looks whether installs that were begun are done.  One that a device was too busy for, or lost in
/// a reset, is begun again.
void Context::Core::finish_installs() noexcept {
  std::vector<std::uint32_t> begun;
  begun.swap(installing_);
  std::uint32_t busy = 0;  // bit d: no use in asking device d again
  for (const std::uint32_t index : begun) {
    Sa& sa = shared.sas[index];
    const std::uint32_t devices = std::exchange(sa.installing, 0);
    if (sa.generation.load(std::memory_order_relaxed) == 0) continue;  // removed meanwhile
    for (unsigned d = 0; d < shared.devices.size(); ++d) {
      if ((devices >> d & 1) == 0 || !watches_[d]->serving()) continue;  // or filled anew later
      const auto state = shared.devices[d]->slot_state(static_cast<driver::Slot>(index));
      if (state == driver::SlotState::ready) {
        sa.ready.fetch_or(1u << d, std::memory_order_release);
        raise(EventKind::slot_ready, index, static_cast<std::uint8_t>(d));
      } else if (state == driver::SlotState::empty && (busy >> d & 1) == 0) {
        if (!install(index, d))
          busy |= 1u << d;
        else if ((sa.ready.load(std::memory_order_relaxed) >> d & 1) != 0)
          raise(EventKind::slot_ready, index, static_cast<std::uint8_t>(d));
      } else {
        if (sa.installing == 0) installing_.push_back(index);
        sa.installing |= 1u << d;
      }
    }
  }
}

// ---- removing

bool Context::Core::remove(SaHandle handle) noexcept {
  Sa* sa = shared.live(handle);
  if (sa == nullptr) return false;
  const std::uint32_t index = index_of(handle);
  if (!sa->plan.seal) shared.index.unlink(index);
  sa->generation.store(0, std::memory_order_seq_cst);
  Removal removal{index, generation_of(handle), Removal::Stage::unseen, {}};
  for (const auto& queue : queues) removal.grace.note(queue->activity());
  removals_.push_back(std::move(removal));
  reclaim();
  return true;
}

/// True once no queue looks at an SA that was taken out of sight, nor has a job of it.
bool Context::Core::unused(std::uint32_t index, const Grace& grace) const noexcept {
  return grace_over(grace) && std::all_of(queues.begin(), queues.end(), [index](const auto& queue) {
           return queue->sa(index).outstanding.load(std::memory_order_acquire) == 0;
         });
}

/// One step of a removal; true once the SA's entry is free.
bool Context::Core::advance(Removal& removal) noexcept {
  Sa& sa = shared.sas[removal.index];
  const auto slot = static_cast<driver::Slot>(removal.index);
  if (removal.stage == Removal::Stage::unseen) {
    if (!unused(removal.index, removal.grace)) return false;
    for (unsigned d = 0; d < shared.devices.size(); ++d)
      if ((sa.supported.load(std::memory_order_relaxed) >> d & 1) != 0)
        shared.devices[d]->remove(slot);
    removal.stage = Removal::Stage::drained;
  }
  for (unsigned d = 0; d < shared.devices.size(); ++d)
    if ((sa.supported.load(std::memory_order_relaxed) >> d & 1) != 0 &&
        shared.devices[d]->health() != driver::Health::gone &&
        shared.devices[d]->slot_state(slot) != driver::SlotState::empty) {
      shared.devices[d]->remove(slot);  // once more: an install may have ended only now
      return false;
    }
  wipe(sa);
  Event event;
  event.kind = EventKind::sa_drained;
  event.sa = make_handle(removal.index, removal.generation);
  shared.events.push(event);
  free_.push_back(removal.index);
  return true;
}

void Context::Core::reclaim() noexcept {
  std::erase_if(removals_, [this](Removal& removal) { return advance(removal); });
}

void Context::Core::wipe(Sa& sa) noexcept {
  sa.config = {};
  sa.window.stop();
  sa.supported.store(0, std::memory_order_relaxed);
  sa.installing = 0;
  sa.ready.store(0, std::memory_order_relaxed);
}

// ---- time

Time Context::Core::tick(Time now) noexcept {
  shared.now.store(now.count(), std::memory_order_relaxed);
  if (now - audit_refilled_ >= kSecond) {
    audit_refilled_ = now;
    shared.audit_left.store(shared.config.audit_events_per_second, std::memory_order_relaxed);
  }
  allow_rechecks(now);
  Time next = Time::max();
  for (unsigned d = 0; d < shared.devices.size(); ++d) {
    next = std::min(next, shared.devices[d]->tick(now));
    watch(d, now);
    next = std::min(next, watches_[d]->next(now));
  }
  finish_installs();
  reclaim();
  settle_updates();
  expire(now);
  for (const auto& queue : queues)
    if (queue->wake()) next = std::min(next, now + kSoon);
  if (!event_signalled_ && !shared.events.empty())
    event_signalled_ = eventfd_write(event_fd_, 1) == 0;
  std::uint64_t activity = 0;
  for (const auto& queue : queues) activity += queue->activity();
  if (activity != std::exchange(activity_, activity))  // there may be jobs to grow old
    next = std::min(next, now + shared.config.health.job_timeout / 2);
  if (!deadlines_.empty()) next = std::min(next, deadlines_.top().at);
  if (!installing_.empty() || !removals_.empty() || !updates_.empty())
    next = std::min(next, now + kSoon);
  return next;
}

/// Evenly over time, a second's worth at once at most.
void Context::Core::allow_rechecks(Time now) noexcept {
  const std::int64_t rate = shared.config.health.rechecks_per_second;
  if (rate == 0) return;
  const Time passed = std::min(now - rechecks_allowed_, kSecond);
  const std::int64_t more = passed.count() * rate / Time(kSecond).count();
  if (more <= 0) return;
  rechecks_allowed_ = now;
  const std::int64_t left = std::max<std::int64_t>(shared.rechecks_left.load(), 0);
  shared.rechecks_left.store(std::min(left + more, rate), std::memory_order_relaxed);
}

bool Context::Core::next_event(Event& event) noexcept {
  if (shared.events.pop(event)) return true;
  if (event_signalled_) {
    eventfd_t ignored;
    event_signalled_ = eventfd_read(event_fd_, &ignored) != 0;
  }
  return false;
}

/// Takes a device out of service and back as its watch says, and tells the owner.
void Context::Core::watch(unsigned device, Time now) noexcept {
  follow(device, now);
  const DeviceState state = watches_[device]->state();
  if (state.health == told_[device]) return;
  told_[device] = state.health;
  Event event;
  event.kind = EventKind::device_state;
  event.device = static_cast<std::uint8_t>(device);
  event.value = static_cast<std::uint64_t>(state.health);
  event.trouble = state.trouble;
  shared.events.push(event);
}

void Context::Core::follow(unsigned device, Time now) noexcept {
  const DeviceCounters count = counters(device);
  for (;;) {
    const Watch::Action action =
        watches_[device]->tick(now, {count.taken, count.failed}, grace_over(graces_[device]));
    if (action == Watch::Action::none) return;
    if (action == Watch::Action::empty) {
      graces_[device] = {};
      for (const auto& queue : queues) graces_[device].note(queue->activity());
    }
    for (std::uint32_t i = 0; i < shared.config.max_sas; ++i) {
      if (action == Watch::Action::empty)
        shared.sas[i].ready.fetch_and(~(1u << device), std::memory_order_relaxed);
      else if (shared.sas[i].generation.load(std::memory_order_relaxed) != 0 &&
               (shared.sas[i].supported.load(std::memory_order_relaxed) >> device & 1) != 0)
        install(i, device);
    }
  }
}

bool Context::Core::grace_over(const Grace& grace) const noexcept {
  for (std::size_t q = 0; q < queues.size(); ++q)
    if (!grace.over(q, queues[q]->activity())) return false;
  return true;
}

void Context::Core::set_deadlines(SaHandle handle, const SaConfig& config) {
  const Time added = shared.live(handle)->added;
  if (config.soft.time != Time::max()) deadlines_.push({added + config.soft.time, handle, false});
  if (config.hard.time != Time::max()) deadlines_.push({added + config.hard.time, handle, true});
}

void Context::Core::expire(Time now) noexcept {
  while (!deadlines_.empty() && deadlines_.top().at <= now) {
    const Deadline due = deadlines_.top();
    deadlines_.pop();
    Sa* sa = shared.live(due.sa);
    if (sa == nullptr) continue;
    const Time length = (due.hard ? sa->config.hard : sa->config.soft).time;
    if (length == Time::max() || sa->added + length != due.at) continue;  // changed since
    std::atomic<bool>& told = due.hard ? sa->expired : sa->soft_expired;
    if (!told.exchange(true, std::memory_order_relaxed))
      raise(due.hard ? EventKind::hard_expiry : EventKind::soft_expiry, index_of(due.sa));
  }
}

void Context::Core::raise(EventKind kind, std::uint32_t index, std::uint8_t device,
                          std::uint64_t value) noexcept {
  Event event;
  event.kind = kind;
  event.device = device;
  event.value = value;
  if (index != SpiIndex::kNone) {
    event.sa = make_handle(index, shared.sas[index].last_generation);
    event.spi = shared.sas[index].spi;
  }
  shared.events.push(event);
}

// ---- reading and memory

Result<SaStatistics> Context::Core::statistics(SaHandle handle) const {
  const Sa* sa = shared.live(handle);
  if (sa == nullptr) return Error{"no such SA: it was removed, or never added"};
  SaStatistics out;
  for (const auto& queue : queues) {
    const QueueSa& share = queue->sa(index_of(handle));
    out.packets += share.packets.load(std::memory_order_relaxed);
    out.bytes += share.bytes.load(std::memory_order_relaxed);
    const std::uint8_t device = share.last_device.load(std::memory_order_relaxed);
    if (device != 0xff) out.last_device = device;
  }
  out.number = sa->plan.seal ? sa->numbers.last() : sa->window.highest();
  for (unsigned r = 0; r < spec::kDropCount; ++r)
    out.drops[r] = sa->drops[r].load(std::memory_order_relaxed);
  return out;
}

Result<SaDescription> Context::Core::describe(SaHandle handle) const {
  const Sa* sa = shared.live(handle);
  if (sa == nullptr) return Error{"no such SA: it was removed, or never added"};
  const driver::SaParameters& transform = sa->config.transform;
  const auto suite = driver::suite_of(transform);
  return SaDescription{
      sa->spi,        transform.direction, transform.protocol,
      transform.mode, transform.esn,       suite ? driver::suite_name(*suite) : "",
      sa->source,     sa->destination,     sa->ready.load(std::memory_order_relaxed)};
}

std::vector<SaHandle> Context::Core::sas() const {
  std::vector<SaHandle> out;
  for (std::uint32_t i = 0; i < shared.config.max_sas; ++i)
    if (const auto generation = shared.sas[i].generation.load(std::memory_order_relaxed);
        generation != 0)
      out.push_back(make_handle(i, generation));
  return out;
}

Totals Context::Core::totals() const noexcept {
  Totals out;
  for (const auto& queue : queues) queue->add_to(out);
  return out;
}

DeviceCounters Context::Core::counters(unsigned device) const noexcept {
  DeviceCounters out;
  for (const auto& queue : queues) {
    const DeviceCounters share = queue->dispatch().counters(device);
    out.taken += share.taken;
    out.failed += share.failed;
    out.verified += share.verified;
    out.rechecked += share.rechecked;
    out.mismatches += share.mismatches;
    for (unsigned r = 0; r < kRefusalCount; ++r) out.refusals[r] += share.refusals[r];
  }
  return out;
}

DeviceState Context::Core::device_state(unsigned device) const noexcept {
  return watches_[device]->state();
}

std::span<std::uint8_t> Context::Core::allocate(std::size_t bytes) noexcept {
  const auto memory = shared.devices[0]->allocate(bytes);
  if (memory.empty()) return memory;
  const auto first = reinterpret_cast<std::uintptr_t>(memory.data());
  auto& low = shared.service[0].pool_first;
  auto& high = shared.service[0].pool_end;
  if (high.load() == 0 || first < low.load()) low.store(first);
  high.store(std::max<std::uintptr_t>(high.load(), first + memory.size()));
  return memory;
}

void Context::Core::release(std::span<std::uint8_t> memory) noexcept {
  shared.devices[0]->release(memory);
}

}  // namespace espalier

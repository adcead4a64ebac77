// SPDX-License-Identifier: BSD-2-Clause-Patent
#include "espalier/context.hpp"

#include <algorithm>
#include <bit>

#include "context/core.hpp"

namespace espalier {
namespace {

constexpr std::uint32_t kMaxSas = 65535;
constexpr std::uint32_t kMaxQueues = 16;
constexpr std::uint32_t kMaxQueueCapacity = 32768;
constexpr std::uint32_t kMaxEvents = 65536;

}  // namespace

std::string Context::check(const ContextConfig& c) {
  if (c.max_sas == 0 || c.max_sas > kMaxSas)
    return "max_sas " + std::to_string(c.max_sas) + " is not between 1 and 65535";
  if (c.queues == 0 || c.queues > kMaxQueues)
    return std::to_string(c.queues) + " queues; use 1 to 16";
  if (!std::has_single_bit(c.queue_capacity) || c.queue_capacity > kMaxQueueCapacity)
    return "queue_capacity " + std::to_string(c.queue_capacity) +
           " is not a power of two up to 32768";
  if (c.batch == 0 || c.batch > c.queue_capacity)
    return "batch " + std::to_string(c.batch) + " is not between 1 and the queue's capacity";
  if (!std::has_single_bit(c.events) || c.events > kMaxEvents)
    return "events " + std::to_string(c.events) + " is not a power of two up to 65536";
  const HealthConfig& h = c.health;
  if (h.job_timeout < std::chrono::milliseconds(1)) return "job_timeout is below 1 ms";
  if (h.shadow_slots == 0 || h.shadow_slots > 255) return "shadow_slots is not between 1 and 255";
  for (const std::uint32_t rate :
       {h.suspect_per_million, h.quarantine_per_million, h.shadow_per_million})
    if (rate > 1'000'000) return std::to_string(rate) + " per million is more than all";
  return {};
}

Context::Context(std::unique_ptr<Core> core) : core_(std::move(core)) {}
Context::~Context() = default;

Result<std::unique_ptr<Context>> Context::create(
    const ContextConfig& config, std::vector<std::unique_ptr<driver::Device>> devices) {
  if (devices.empty() || devices.size() > kMaxDevices)
    return Error{std::to_string(devices.size()) + " devices; give 1 to " +
                 std::to_string(kMaxDevices)};
  if (std::string why = check(config); !why.empty()) return Error{why};
  const auto better = [](const auto& a, const auto& b) {
    return a->capabilities().priority > b->capabilities().priority;
  };
  for (auto next = devices.begin(); next != devices.end(); ++next)  // of equals, the first stays so
    std::rotate(std::upper_bound(devices.begin(), next, *next, better), next, next + 1);
  auto core = std::make_unique<Core>(config, std::move(devices));
  for (const auto& queue : core->queues)
    if (!queue->ready())
      return Error{"no random seed for IVs; check that OpenSSL's default provider is there"};
  core->open_devices();
  return std::unique_ptr<Context>(new Context(std::move(core)));
}

std::size_t Context::submit(QueueId queue, std::span<const Job> jobs) noexcept {
  Queue* q = core_->queue(queue);
  return q == nullptr ? 0 : q->submit(jobs);
}
std::size_t Context::poll(QueueId queue, std::span<Completion> completions,
                          std::uint32_t rerun_budget) noexcept {
  Queue* q = core_->queue(queue);
  return q == nullptr ? 0 : q->poll(completions, rerun_budget);
}
bool Context::arm(QueueId queue) noexcept {
  Queue* q = core_->queue(queue);
  return q != nullptr && q->arm();
}
int Context::queue_fd(QueueId queue) const noexcept {
  const Queue* q = core_->queue(queue);
  return q == nullptr ? -1 : q->fd();
}
std::uint32_t Context::outstanding(QueueId queue) const noexcept {
  const Queue* q = core_->queue(queue);
  return q == nullptr ? 0 : q->outstanding();
}
SaHandle Context::find(QueueId queue, std::uint32_t spi, std::uint8_t protocol, Family family,
                       const std::uint8_t* destination, const std::uint8_t* source) noexcept {
  Queue* q = core_->queue(queue);
  return q == nullptr ? SaHandle::none : q->find(spi, protocol, family, destination, source);
}

Result<SaHandle> Context::add(const SaConfig& config) {
  return core_->add(config);
}
std::string Context::update(SaHandle sa, const SaUpdate& update) {
  return core_->update(sa, update);
}
bool Context::remove(SaHandle sa) noexcept {
  return core_->remove(sa);
}
Time Context::tick(Time now) noexcept {
  return core_->tick(now);
}
bool Context::next_event(Event& event) noexcept {
  return core_->next_event(event);
}
int Context::event_fd() const noexcept {
  return core_->event_fd();
}
std::uint64_t Context::lost_events() const noexcept {
  return core_->shared.events.lost() + core_->shared.audit_lost.load(std::memory_order_relaxed);
}
Result<SaStatistics> Context::statistics(SaHandle sa) const {
  return core_->statistics(sa);
}
Result<Overhead> Context::overhead(SaHandle handle) const {
  const Sa* sa = core_->shared.live(handle);
  if (sa == nullptr) return Error{"no such SA: it was removed, or never added"};
  return overhead_of(sa->plan);
}
Result<SaDescription> Context::describe(SaHandle sa) const {
  return core_->describe(sa);
}
std::vector<SaHandle> Context::sas() const {
  return core_->sas();
}
Totals Context::totals() const noexcept {
  return core_->totals();
}
DeviceCounters Context::counters(unsigned device) const noexcept {
  return core_->counters(device);
}
DeviceState Context::device_state(unsigned device) const noexcept {
  return core_->device_state(device);
}
const ContextConfig& Context::config() const noexcept {
  return core_->shared.config;
}
std::span<const std::unique_ptr<driver::Device>> Context::devices() const noexcept {
  return core_->shared.devices;
}
std::span<std::uint8_t> Context::allocate(std::size_t bytes) noexcept {
  return core_->allocate(bytes);
}
void Context::release(std::span<std::uint8_t> memory) noexcept {
  core_->release(memory);
}

}  // namespace espalier

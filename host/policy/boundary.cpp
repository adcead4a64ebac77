// SPDX-License-Identifier: BSD-2-Clause-Patent
#include "espalier/boundary.hpp"

#include <bit>

#include "policy/core.hpp"

namespace espalier {
namespace {

std::string check(const BoundaryConfig& c) {
  if (c.max_policies == 0 || c.max_policies > 8192)
    return "max_policies " + std::to_string(c.max_policies) + " is not between 1 and 8192";
  if (c.max_sets == 0 || c.max_sets > 65535)
    return "max_sets " + std::to_string(c.max_sets) + " is not between 1 and 65535";
  if (c.flow_cache < 2 || !std::has_single_bit(c.flow_cache))
    return "flow_cache " + std::to_string(c.flow_cache) + " is not a power of two from 2 on";
  if (c.buffers == 0 || c.buffers > 65535)
    return "buffers " + std::to_string(c.buffers) + " is not between 1 and 65535";
  if (c.buffer_octets < 576 || c.buffer_octets > 65535)
    return "buffer_octets " + std::to_string(c.buffer_octets) + " is not between 576 and 65535";
  if (c.reassemblies == 0 || c.reassemblies > 4096)
    return "reassemblies " + std::to_string(c.reassemblies) + " is not between 1 and 4096";
  if (c.max_nesting == 0 || c.max_nesting > 16)
    return "max_nesting " + std::to_string(c.max_nesting) + " is not between 1 and 16";
  if (c.least_path_mtu < 256 || c.least_path_mtu > 1280)
    return "least_path_mtu " + std::to_string(c.least_path_mtu) + " is not between 256 and 1280";
  if (!std::has_single_bit(c.events))
    return "events " + std::to_string(c.events) + " is not a power of two";
  return {};
}

}  // namespace

Boundary::Boundary(std::unique_ptr<Core> core) : core_(std::move(core)) {}
Boundary::~Boundary() = default;

Result<std::unique_ptr<Boundary>> Boundary::create(const BoundaryConfig& config, Context& context) {
  if (std::string why = check(config); !why.empty()) return Error{why};
  return std::unique_ptr<Boundary>(new Boundary(std::make_unique<Core>(config, context)));
}

std::size_t Boundary::outbound(QueueId queue, std::span<const Packet> packets) noexcept {
  Lane* lane = core_->lane(queue);
  return lane == nullptr ? 0 : lane->outbound(packets);
}
std::size_t Boundary::inbound(QueueId queue, std::span<const Packet> packets) noexcept {
  Lane* lane = core_->lane(queue);
  return lane == nullptr ? 0 : lane->inbound(packets);
}
std::size_t Boundary::poll(QueueId queue, std::span<Outcome> outcomes,
                           std::uint32_t rerun_budget) noexcept {
  Lane* lane = core_->lane(queue);
  return lane == nullptr ? 0 : lane->poll(outcomes, rerun_budget);
}
void Boundary::release(QueueId queue, const Outcome& outcome) noexcept {
  Lane* lane = core_->lane(queue);
  if (lane != nullptr && outcome.lease != 0) lane->release(outcome.lease);
}

Result<PolicyHandle> Boundary::add(const PolicyConfig& policy) {
  auto added = core_->replace({}, {&policy, 1});
  if (!added) return Error{added.error()};
  return added->front();
}
bool Boundary::remove(PolicyHandle policy) {
  return core_->has(policy) && static_cast<bool>(core_->replace({&policy, 1}, {}));
}
Result<std::vector<PolicyHandle>> Boundary::replace(std::span<const PolicyHandle> remove,
                                                    std::span<const PolicyConfig> add) {
  return core_->replace(remove, add);
}

Result<SetHandle> Boundary::add_set() {
  return core_->add_set();
}
std::string Boundary::remove_set(SetHandle set) {
  return core_->remove_set(set);
}
Result<SaHandle> Boundary::add_sa(SetHandle set, const SaConfig& config, const SaRole& role) {
  return core_->add_sa(set, config, role);
}
bool Boundary::remove_sa(SaHandle sa) {
  return core_->remove_sa(sa);
}
std::string Boundary::update_sa(SaHandle sa, const SaUpdate& update) {
  return core_->update_sa(sa, update);
}
bool Boundary::send_dummy(SaHandle sa) noexcept {
  return core_->ask(sa, Errand::Kind::dummy);
}
Result<FlowProof> Boundary::prove(Way way, std::span<const std::uint8_t> packet,
                                  QueueId queue) const {
  return core_->prove(way, packet, queue);
}
Result<std::uint32_t> Boundary::path_mtu(SaHandle sa) const {
  const SaView* view = core_->common.sa(sa);
  if (view == nullptr || !view->outbound) return Error{"no such outbound SA"};
  const std::uint32_t octets = view->path_mtu.load(std::memory_order_relaxed);
  return octets == SaView::kMaxOctets ? 0 : octets;
}
bool Boundary::set_path_mtu(SaHandle sa, std::uint32_t octets) noexcept {
  return core_->set_path_mtu(sa, octets);
}

void Boundary::set_local(std::span<const Address> addresses) {
  core_->set_local(addresses);
}
Time Boundary::tick(Time now) noexcept {
  return core_->tick(now);
}
bool Boundary::next_event(BoundaryEvent& event) noexcept {
  return core_->next_event(event);
}
int Boundary::event_fd() const noexcept {
  return core_->event_fd();
}
std::uint64_t Boundary::lost_events() const noexcept {
  return core_->lost_events();
}
BoundaryCounters Boundary::counters() const noexcept {
  return core_->counters();
}

}  // namespace espalier

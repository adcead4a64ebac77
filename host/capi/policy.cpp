// SPDX-License-Identifier: BSD-2-Clause-Patent
// L2 in C: options to configurations, bursts, events.
#include <limits>
#include <new>
#include <string>

#include "capi/handle.hpp"
#include "espalier/boundary.hpp"
#include "espalier/espalier_policy.h"

namespace capi = espalier::capi;
using espalier::Address;
using espalier::Boundary;
using espalier::QueueId;

struct espalier_boundary {
  std::unique_ptr<Boundary> l2;
};

namespace {

constexpr std::size_t kBurst = 64;

Address translate(const espalier_address& from) {
  return Address::from(from.ipv6 != 0 ? espalier::Family::ipv6 : espalier::Family::ipv4,
                       from.octets);
}
espalier_address translate(const Address& from) {
  espalier_address out{};
  out.ipv6 = from.family == espalier::Family::ipv6;
  std::copy_n(from.octets.begin(), 16, out.octets);
  return out;
}
espalier::Time time_of(std::uint64_t ns) {
  constexpr auto kEnd = static_cast<std::uint64_t>(std::numeric_limits<std::int64_t>::max());
  return espalier::Time(static_cast<std::int64_t>(std::min(ns, kEnd)));
}

std::vector<espalier::AddressRange> translate(const espalier_address_range* from, std::size_t n) {
  std::vector<espalier::AddressRange> out;
  for (std::size_t i = 0; i < n; ++i)
    out.push_back({translate(from[i].first), translate(from[i].last)});
  return out;
}
std::vector<espalier::ValueRange> translate(const espalier_value_range* from, std::size_t n) {
  std::vector<espalier::ValueRange> out;
  for (std::size_t i = 0; i < n; ++i) out.push_back({from[i].first, from[i].last});
  return out;
}
espalier::ValueSet translate(const espalier_values& from) {
  if (from.count == 0 && from.opaque == 0) return {};
  return {false, from.opaque != 0, translate(from.ranges, from.count)};
}

/// Empty if done, else what is wrong.
std::string translate(const espalier_selector& from, espalier::Selector& out) {
  const auto missing = [](const void* list, std::uint32_t n) { return list == nullptr && n != 0; };
  if (from.reserved != 0) return "reserved members must be zero";
  if (missing(from.local, from.locals) || missing(from.remote, from.remotes) ||
      missing(from.protocols, from.protocol_count) ||
      missing(from.local_ports.ranges, from.local_ports.count) ||
      missing(from.remote_ports.ranges, from.remote_ports.count) ||
      missing(from.types.ranges, from.types.count))
    return "a selector's list has a length, but no elements";
  out.local = translate(from.local, from.locals);
  out.remote = translate(from.remote, from.remotes);
  out.protocols = translate(from.protocols, from.protocol_count);
  out.local_ports = translate(from.local_ports);
  out.remote_ports = translate(from.remote_ports);
  out.types = translate(from.types);
  return {};
}

std::string translate(const espalier_policy_options& from, espalier::PolicyConfig& out) {
  if (from.reserved != 0) return "reserved members must be zero";
  if (from.way > ESPALIER_WAY_FORWARD) return "way is one of espalier_way";
  if (from.action > ESPALIER_DISCARD) return "action is one of espalier_action";
  out.way = static_cast<espalier::Way>(from.way);
  out.action = static_cast<espalier::Action>(from.action);
  out.priority = from.priority;
  out.set = static_cast<espalier::SetHandle>(from.set);
  return translate(from.selector, out.selector);
}

std::string translate(const espalier_sa_role& from, espalier::SaRole& out) {
  if (from.reserved != 0) return "reserved members must be zero";
  if (from.queues > 0xffff || from.tfc_multiple > 0xffff || from.dummy_octets > 0xffff)
    return "queues, tfc_multiple and dummy_octets have 16 bits";
  if (from.dscps != 0) out.dscps = from.dscps;
  if (from.queues != 0) out.queues = static_cast<std::uint16_t>(from.queues);
  out.path_mtu = from.path_mtu;
  out.fragmenting =
      from.fragment_after != 0 ? espalier::Fragmenting::after : espalier::Fragmenting::before;
  out.tfc_multiple = static_cast<std::uint16_t>(from.tfc_multiple);
  if (from.dummy_octets != 0) out.dummy_octets = static_cast<std::uint16_t>(from.dummy_octets);
  out.dummy_interval = time_of(from.dummy_interval_ns);
  out.keepalive_interval = time_of(from.keepalive_interval_ns);
  if (from.original_source != nullptr) out.original_source = translate(*from.original_source);
  if (from.original_destination != nullptr)
    out.original_destination = translate(*from.original_destination);
  if (from.selector != nullptr) return translate(*from.selector, out.selector.emplace());
  return {};
}

std::string translate(const espalier_boundary_options& from, espalier::BoundaryConfig& out) {
  if (from.reserved != 0) return "reserved members must be zero";
  if (from.max_policies != 0) out.max_policies = from.max_policies;
  if (from.max_sets != 0) out.max_sets = from.max_sets;
  if (from.flow_cache != 0) out.flow_cache = from.flow_cache;
  if (from.buffers != 0) out.buffers = from.buffers;
  if (from.buffer_octets != 0) out.buffer_octets = from.buffer_octets;
  if (from.reassemblies != 0) out.reassemblies = from.reassemblies;
  if (from.nat_port != 0) out.nat_port = from.nat_port;
  if (from.no_nat != 0) out.nat_port = 0;
  if (from.reassembly_time_ns != 0) out.reassembly_time = time_of(from.reassembly_time_ns);
  return {};
}

using Offer = std::size_t (Boundary::*)(QueueId, std::span<const espalier::Packet>) noexcept;

std::size_t offer(espalier_boundary* boundary, Offer way, uint32_t queue,
                  const espalier_packet* packets, std::size_t count) noexcept {
  if (boundary == nullptr || packets == nullptr || queue > 0xff) return 0;
  std::size_t taken = 0;
  while (taken < count) {
    espalier::Packet burst[kBurst];
    const std::size_t n = std::min(kBurst, count - taken);
    for (std::size_t i = 0; i < n; ++i) {
      const espalier_packet& p = packets[taken + i];
      burst[i].cookie = p.cookie;
      burst[i].destination = {p.destination, p.destination_length};
      // A list that can't be leaves the packet without octets, which L2 drops as malformed_ip.
      if (p.segment_count == 0)
        burst[i].source = {p.source, p.source_length};
      else
        capi::translate(p.segments, p.segment_count, burst[i].segments);
    }
    const std::size_t now = (boundary->l2.get()->*way)(QueueId(queue), {burst, n});
    taken += now;
    if (now < n) break;
  }
  return taken;
}

espalier_outcome translate(const espalier::Outcome& from) noexcept {
  espalier_outcome out{};
  out.cookie = from.cookie;
  out.packet = from.packet.data();
  out.length = from.packet.size();
  out.sa = static_cast<espalier_sa>(from.sa);
  out.policy = static_cast<espalier_policy>(from.policy);
  out.number = from.number;
  out.lease = from.lease;
  out.verdict = static_cast<uint8_t>(from.verdict);
  out.drop = static_cast<uint8_t>(from.drop);
  out.way = static_cast<uint8_t>(from.way);
  out.last = from.last;
  out.device = from.device;
  out.soft_expired = from.soft_expired;
  return out;
}

void describe(const espalier::FlowProof::Through& from, espalier_flow_proof& out) {
  out.sa = static_cast<espalier_sa>(from.sa);
  out.packets = from.counters.packets;
  out.bytes = from.counters.bytes;
  out.number = from.counters.number;
  out.dropped = capi::dropped(from.counters);
  out.spi = from.is.spi;
  out.ah = from.is.protocol == espalier::driver::Protocol::ah;
  out.mode = from.is.mode == espalier::driver::Mode::tunnel ? ESPALIER_TUNNEL : ESPALIER_TRANSPORT;
  out.path_mtu = from.path_mtu;
  out.device = from.counters.last_device;
  out.source = translate(from.is.source);
  out.destination = translate(from.is.destination);
  from.is.suite.copy(out.suite, sizeof out.suite - 1);
}

/// Runs a set-up call; what it throws is memory that is short.
template <class F>
int guarded(char* error, std::size_t error_size, F&& call) {
  try {
    return call();
  } catch (const std::bad_alloc&) {
    return capi::fail(-ENOMEM, "memory is short", error, error_size);
  }
}

}  // namespace

extern "C" {

int espalier_boundary_open(espalier_context* context, const espalier_boundary_options* options,
                           espalier_boundary** boundary, char* error, size_t error_size) {
  espalier_boundary_options o;
  if (context == nullptr || boundary == nullptr)
    return capi::fail(-EINVAL, "there is no context, or no place for the boundary", error,
                      error_size);
  if (const int code = capi::read_struct(options, sizeof o, o); code != 0)
    return capi::fail(code, capi::explain(code), error, error_size);
  return guarded(error, error_size, [&] {
    espalier::BoundaryConfig config;
    if (std::string why = translate(o, config); !why.empty())
      return capi::fail(-EINVAL, why, error, error_size);
    auto made = Boundary::create(config, *context->l1);
    if (!made) return capi::fail(-EINVAL, made.error(), error, error_size);
    *boundary = new espalier_boundary{std::move(*made)};
    return 0;
  });
}

void espalier_boundary_close(espalier_boundary* boundary) {
  delete boundary;
}

int espalier_boundary_set_local(espalier_boundary* boundary, const espalier_address* addresses,
                                size_t count) {
  if (boundary == nullptr || (addresses == nullptr && count != 0)) return -EINVAL;
  return guarded(nullptr, 0, [&] {
    std::vector<Address> local;
    for (size_t i = 0; i < count; ++i) local.push_back(translate(addresses[i]));
    boundary->l2->set_local(local);
    return 0;
  });
}

int espalier_policy_add(espalier_boundary* boundary, const espalier_policy_options* options,
                        espalier_policy* policy, char* error, size_t error_size) {
  espalier_policy_options o;
  if (boundary == nullptr || policy == nullptr)
    return capi::fail(-EINVAL, "there is no boundary, or no place for the handle", error,
                      error_size);
  if (const int code = capi::read_struct(options, sizeof o, o); code != 0)
    return capi::fail(code, capi::explain(code), error, error_size);
  return guarded(error, error_size, [&] {
    espalier::PolicyConfig config;
    if (std::string why = translate(o, config); !why.empty())
      return capi::fail(-EINVAL, why, error, error_size);
    const auto added = boundary->l2->add(config);
    if (!added) return capi::fail(-EINVAL, added.error(), error, error_size);
    *policy = static_cast<espalier_policy>(*added);
    return 0;
  });
}

int espalier_policy_remove(espalier_boundary* boundary, espalier_policy policy) {
  if (boundary == nullptr) return -EINVAL;
  return guarded(nullptr, 0, [&] {
    return boundary->l2->remove(static_cast<espalier::PolicyHandle>(policy)) ? 0 : -ENOENT;
  });
}

int espalier_boundary_prove(const espalier_boundary* boundary, uint32_t way, const uint8_t* packet,
                            size_t length, uint32_t queue, espalier_flow_proof* proof, char* error,
                            size_t error_size) {
  if (boundary == nullptr || packet == nullptr || way > ESPALIER_WAY_FORWARD || queue > 0xff)
    return capi::fail(-EINVAL, "there is no boundary or packet, or no such way or queue", error,
                      error_size);
  return guarded(error, error_size, [&] {
    const auto got = boundary->l2->prove(static_cast<espalier::Way>(way), {packet, length},
                                         static_cast<QueueId>(queue));
    if (!got) return capi::fail(-EINVAL, got.error(), error, error_size);
    espalier_flow_proof out{};
    out.policy = static_cast<espalier_policy>(got->policy);
    out.set = static_cast<espalier_set>(got->set);
    out.action = static_cast<std::uint32_t>(got->action);
    out.encrypted = got->encrypted;
    out.sas = static_cast<std::uint32_t>(got->through.size());
    if (!got->through.empty()) describe(got->through.back(), out);
    const int code = capi::write_struct(out, sizeof out, proof);
    return code == 0 ? 0 : capi::fail(code, capi::explain(code), error, error_size);
  });
}

int espalier_set_add(espalier_boundary* boundary, espalier_set* set, char* error,
                     size_t error_size) {
  if (boundary == nullptr || set == nullptr)
    return capi::fail(-EINVAL, "there is no boundary, or no place for the handle", error,
                      error_size);
  return guarded(error, error_size, [&] {
    const auto added = boundary->l2->add_set();
    if (!added) return capi::fail(-ENOSPC, added.error(), error, error_size);
    *set = static_cast<espalier_set>(*added);
    return 0;
  });
}

int espalier_set_remove(espalier_boundary* boundary, espalier_set set, char* error,
                        size_t error_size) {
  if (boundary == nullptr) return capi::fail(-EINVAL, "there is no boundary", error, error_size);
  return guarded(error, error_size, [&] {
    const std::string why = boundary->l2->remove_set(static_cast<espalier::SetHandle>(set));
    return why.empty() ? 0 : capi::fail(-EBUSY, why, error, error_size);
  });
}

int espalier_boundary_sa_add(espalier_boundary* boundary, espalier_set set,
                             const espalier_sa_options* options, const espalier_sa_role* role,
                             espalier_sa* sa, char* error, size_t error_size) {
  espalier_sa_role r{};
  if (boundary == nullptr || sa == nullptr)
    return capi::fail(-EINVAL, "there is no boundary, or no place for the handle", error,
                      error_size);
  if (role != nullptr)
    if (const int code = capi::read_struct(role, sizeof r, r); code != 0)
      return capi::fail(code, capi::explain(code), error, error_size);
  return guarded(error, error_size, [&] {
    espalier::SaConfig config;
    if (const int code = capi::read_sa_options(options, config, error, error_size); code != 0)
      return code;
    espalier::SaRole role_of;
    if (std::string why = translate(r, role_of); !why.empty())
      return capi::fail(-EINVAL, why, error, error_size);
    const auto added = boundary->l2->add_sa(static_cast<espalier::SetHandle>(set), config, role_of);
    if (!added) return capi::fail(-EINVAL, added.error(), error, error_size);
    *sa = static_cast<espalier_sa>(*added);
    return 0;
  });
}

int espalier_boundary_sa_remove(espalier_boundary* boundary, espalier_sa sa) {
  if (boundary == nullptr) return -EINVAL;
  return guarded(nullptr, 0,
                 [&] { return boundary->l2->remove_sa(capi::handle(sa)) ? 0 : -ENOENT; });
}

int espalier_boundary_sa_update(espalier_boundary* boundary, espalier_sa sa,
                                const espalier_sa_change* change, char* error, size_t error_size) {
  if (boundary == nullptr) return capi::fail(-EINVAL, "there is no boundary", error, error_size);
  return guarded(error, error_size, [&] {
    espalier::SaUpdate update;
    if (const int code = capi::read_sa_change(change, update, error, error_size); code != 0)
      return code;
    const std::string why = boundary->l2->update_sa(capi::handle(sa), update);
    return why.empty() ? 0 : capi::fail(-EINVAL, why, error, error_size);
  });
}

size_t espalier_outbound(espalier_boundary* boundary, uint32_t queue,
                         const espalier_packet* packets, size_t count) {
  return offer(boundary, &Boundary::outbound, queue, packets, count);
}
size_t espalier_inbound(espalier_boundary* boundary, uint32_t queue, const espalier_packet* packets,
                        size_t count) {
  return offer(boundary, &Boundary::inbound, queue, packets, count);
}

size_t espalier_boundary_poll(espalier_boundary* boundary, uint32_t queue,
                              espalier_outcome* outcomes, size_t count, uint32_t rerun_budget) {
  if (boundary == nullptr || outcomes == nullptr || queue > 0xff) return 0;
  std::size_t got = 0;
  while (got < count) {
    espalier::Outcome burst[kBurst];
    const std::size_t wanted = std::min(kBurst, count - got);
    const std::size_t n = boundary->l2->poll(QueueId(queue), {burst, wanted}, rerun_budget);
    for (std::size_t i = 0; i < n; ++i) outcomes[got + i] = translate(burst[i]);
    got += n;
    if (n < wanted) break;
  }
  return got;
}

void espalier_boundary_release(espalier_boundary* boundary, uint32_t queue, uint32_t lease) {
  if (boundary == nullptr || queue > 0xff) return;
  espalier::Outcome outcome;
  outcome.lease = lease;
  boundary->l2->release(QueueId(queue), outcome);
}

const char* espalier_verdict_name(uint8_t verdict) {
  return espalier::name(static_cast<espalier::Verdict>(verdict));
}

uint64_t espalier_boundary_tick(espalier_boundary* boundary, uint64_t now_ns) {
  if (boundary == nullptr) return UINT64_MAX;
  const espalier::Time next = boundary->l2->tick(time_of(now_ns));
  return next == espalier::Time::max() ? UINT64_MAX : static_cast<uint64_t>(next.count());
}

int espalier_boundary_next_event(espalier_boundary* boundary, espalier_boundary_event* event) {
  if (boundary == nullptr || event == nullptr || event->struct_size < sizeof *event) return -EINVAL;
  espalier::BoundaryEvent got;
  if (!boundary->l2->next_event(got)) return 0;
  espalier_boundary_event out{};
  out.event = capi::in_c(got.event);
  out.policy = static_cast<espalier_policy>(got.policy);
  out.set = static_cast<espalier_set>(got.set);
  out.sa = static_cast<espalier_sa>(got.sa);
  out.number = got.number;
  out.at_ns = static_cast<uint64_t>(got.at.count());
  out.kind = static_cast<uint32_t>(got.kind);
  out.spi = got.spi;
  out.local = translate(got.local);
  out.remote = translate(got.remote);
  out.local_port = got.local_port;
  out.remote_port = got.remote_port;
  out.protocol = got.protocol;
  out.way = static_cast<uint8_t>(got.way);
  out.drop = static_cast<uint8_t>(got.drop);
  capi::write_struct(out, sizeof out, event);
  return 1;
}

int espalier_boundary_event_fd(const espalier_boundary* boundary) {
  return boundary == nullptr ? -EINVAL : boundary->l2->event_fd();
}

}  // extern "C"

// SPDX-License-Identifier: BSD-2-Clause-Patent
// The way in (RFC 4301 5.2): join, take apart, open, and check that policy wanted it so.
#include <cstring>

#include "packet/checksum.hpp"
#include "packet/octets.hpp"
#include "policy/icmp.hpp"
#include "policy/lane.hpp"

namespace espalier {
namespace {

bool is_ipsec(std::uint8_t protocol) {
  return protocol == kProtocolEsp || protocol == kProtocolAh;
}
/// Octets to the SPI.
std::uint32_t spi_at(const IpHeader& ip) {
  return ip.header_length + (ip.protocol == kProtocolUdp  ? kUdpHeader
                             : ip.protocol == kProtocolAh ? 4
                                                          : 0);
}

}  // namespace

// ---- what is to be seen of a packet by itself

/// `opened`: it came out of an SA.
inline Lane::Part Lane::part_of(const IpHeader& ip, const Flow& flow, bool opened) const noexcept {
  if (ip.fragment)
      [[unlikely]] {  // A later one does not show its port: from outside, all are joined.
    const bool udp = ip.protocol == kProtocolUdp && common_.config.nat_port != 0;
    return is_ipsec(ip.protocol) || (udp && !opened) ? Part::fragment : Part::nothing;
  }
  if (is_ipsec(ip.protocol)) return Part::ipsec;
  if (ip.protocol == kProtocolUdp) return flow.goes_to(nat_bits_) ? Part::nat : Part::nothing;
  return !opened && flow.shows() == Flow::Shows::type ? Part::icmp : Part::nothing;
}

/// Inlined, so that what was parsed stays in registers.
template <auto parse>
[[gnu::always_inline]] inline void Lane::look_in_as(std::span<const std::uint8_t> packet,
                                                    bool opened, Sight& sight) noexcept {
  IpHeader ip;
  const Drop drop = parse(packet, static_cast<std::uint32_t>(packet.size()), ip);
  sight.drop = drop;
  if (drop != Drop::none) {
    sight.part = Part::nothing;
    sight.flow = {};
    sight.flow.meta = Flow::make_meta(Way::in, Family::ipv4, 0, Flow::Shows::nothing, 0);
    return;
  }
  const bool ours = local_->contains(ip.family, ip.destination);
  const Flow flow = flow_of(ours ? Way::in : Way::forward, packet.data(), ip);
  const Part part = ours ? part_of(ip, flow, opened) : Part::nothing;
  sight.part = part;
  sight.length = ip.length;
  sight.header_length = static_cast<std::uint16_t>(ip.header_length);
  sight.flow = flow;
  if (part == Part::ipsec || part == Part::nat) {
    const std::uint32_t at = spi_at(ip);
    sight.spi_at = static_cast<std::uint16_t>(at);
    if (ip.length >= at + 4) inbound_sas_.expect(load_be32(packet.data() + at));
    if (!opened) return;  // needs no policy
  }
  const std::uint32_t hash = flow.hash();
  sight.hash = hash;
  flows_.expect(hash);
}
[[gnu::noinline]] void Lane::look_in_other(std::span<const std::uint8_t> packet, bool opened,
                                           Sight& sight) noexcept {
  look_in_as<parse_ip>(packet, opened, sight);
}
[[gnu::always_inline]] inline void Lane::look_in(std::span<const std::uint8_t> packet, bool opened,
                                                 Sight& sight) noexcept {
  if (is_ipv4(packet)) return look_in_as<parse_ipv4>(packet, opened, sight);
  look_in_other(packet, opened, sight);
}

/// Looks at what came out of SAs: sights_[i] is of completions[i].
inline void Lane::look_opened(std::span<const Completion> completions) noexcept {
  for (std::size_t i = 0; i < completions.size(); ++i) {
    const Completion& completion = completions[i];
    const Flight& flight = flights_[completion.cookie];
    if (flight.kind == Kind::open && completion.drop == Drop::none)
      look_in({flight.destination.data, completion.length}, true, sights_[i]);
  }
}

// ---- opening

/// The SA of ESP or AH whose SPI is there; none if there is none (RFC 4301 4.1).
[[gnu::always_inline]] inline SaHandle Lane::inbound_sa(const Arrival& arrival,
                                                        const Sight& sight) noexcept {
  const std::uint32_t spi = load_be32(arrival.source.data() + sight.spi_at);
  SaHandle sa = inbound_sas_.find(spi, sight.flow, sad_version_);
  return sa != SaHandle::none ? sa : look_up_sa(spi, arrival.source, sight.flow);
}
SaHandle Lane::look_up_sa(std::uint32_t spi, std::span<const std::uint8_t> packet,
                          const Flow& outer) noexcept {
  const bool v4 = outer.family() == Family::ipv4;
  const std::uint8_t* source = packet.data() + (v4 ? 12 : 8);
  const auto protocol =
      static_cast<std::uint8_t>(outer.protocol() == kProtocolAh ? kProtocolAh : kProtocolEsp);
  const SaHandle sa = common_.context.find(static_cast<QueueId>(number_), spi, protocol,
                                           outer.family(), source + (v4 ? 4 : 16), source);
  if (common_.sa(sa) == nullptr) return SaHandle::none;
  inbound_sas_.store(spi, outer, sad_version_, sa);
  return sa;
}

/// Has ESP or AH opened.
[[gnu::always_inline]] inline void Lane::open(const Arrival& arrival, const Sight& sight) noexcept {
  if (sight.length < sight.spi_at + 8u)
    return refuse(arrival, sight.flow, Drop::bad_length, PolicyHandle::none);
  const SaHandle sa = inbound_sa(arrival, sight);
  if (sa == SaHandle::none) return refuse(arrival, sight.flow, Drop::no_sa, PolicyHandle::none);
  if (arrival.depth >= common_.config.max_nesting)
    return refuse(arrival, sight.flow, Drop::nesting, PolicyHandle::none);
  Flight& f = board(
      Kind::open, sa, {arrival.source.data(), sight.length},
      {arrival.destination.data(), static_cast<std::uint32_t>(arrival.destination.size())}, 0);
  f.cookie = arrival.cookie;
  f.policy = PolicyHandle::none;
  f.lease = arrival.lease;
  f.depth = arrival.depth;
  f.flow = sight.flow;
}

[[gnu::noinline]] void Lane::open_other(Arrival arrival, const Sight& sight) noexcept {
  open(arrival, sight);
}

// ---- what becomes of it

/// Whether a packet may pass that came through this SA, or through none (RFC 4301 5.2 step 4).
[[gnu::always_inline]] inline Drop Lane::judge(const SaView* through, const Flow& flow,
                                               const PolicyView& policy) noexcept {
  if (through != nullptr && through->selects &&
      through->more->selector->find(flow) == Classifier::kNone)
    return Drop::selector_mismatch;
  if (policy.handle == PolicyHandle::none) return Drop::no_policy_in;
  if (policy.action == Action::discard) return Drop::policy_block_in;
  const bool right = policy.action == Action::bypass
                         ? through == nullptr
                         : through != nullptr && through->set == policy.set;
  return right ? Drop::none : Drop::policy_in;
}

[[gnu::always_inline]] inline void Lane::deliver(const Arrival& arrival, std::uint32_t length,
                                                 Verdict verdict, Way way,
                                                 PolicyHandle policy) noexcept {
  Outcome& out = emit();
  out.cookie = arrival.cookie;
  out.verdict = verdict;
  out.packet = arrival.source.first(length);
  out.way = way;
  out.policy = policy;
  out.lease = arrival.lease;
  if (arrival.through != nullptr) {
    out.sa = arrival.through->handle;
    out.number = arrival.opening->number;
    out.device = arrival.opening->device;
    out.soft_expired = arrival.opening->soft_expired;
  }
  settle(out);
}

/// Deals with one packet from the unprotected side.  Needs a free flight at most.
[[gnu::always_inline]] inline void Lane::arrive(const Arrival& arrival,
                                                const Sight& sight) noexcept {
  // What the unprotected side sends to this host's own IPsec needs no policy.
  if (sight.part == Part::ipsec) return open(arrival, sight);
  arrive_other(arrival, sight);
}
[[gnu::noinline]] void Lane::arrive_other(Arrival arrival, const Sight& sight) noexcept {
  const Flow& flow = sight.flow;
  if (sight.drop != Drop::none) return refuse(arrival, flow, sight.drop, PolicyHandle::none);
  if (sight.part != Part::nothing && take_in(arrival, sight)) return;
  const PolicyView& policy = *flows_.find(*spd_, flow, sight.hash).policy;
  if (const Drop drop = judge(nullptr, flow, policy); drop != Drop::none)
    return refuse(arrival, flow, drop, policy.handle);
  deliver(arrival, sight.length, Verdict::bypassed, flow.way(), policy.handle);
}

/// Deals with one packet out of an SA (arrival.through).  Needs a free flight at most.
[[gnu::always_inline]] inline void Lane::emerge(const Arrival& arrival,
                                                const Sight& sight) noexcept {
  const Flow& flow = sight.flow;
  if (sight.drop != Drop::none) return refuse(arrival, flow, sight.drop, PolicyHandle::none);
  const PolicyView& policy = *flows_.find(*spd_, flow, sight.hash).policy;
  if (const Drop drop = judge(arrival.through, flow, policy); drop != Drop::none)
    return refuse(arrival, flow, drop, policy.handle);
  if (sight.part != Part::nothing && take_in(arrival, sight)) return;
  deliver(arrival, sight.length, Verdict::opened, flow.way(), policy.handle);
}

[[gnu::noinline]] void Lane::emerge_joined(Arrival arrival, const Sight& sight) noexcept {
  emerge(arrival, sight);
}

std::size_t Lane::inbound(std::span<const Packet> packets) noexcept {
  return take(
      packets,
      [this](std::span<const Packet> few) {
        for (std::size_t i = 0; i < few.size(); ++i) {
          if (few[i].segments.empty()) [[likely]]
            look_in(few[i].source, false, sights_[i]);
          else
            look_joined(few[i], sights_[i],
                        [this](auto whole, Sight& s) { look_in_other(whole, false, s); });
        }
      },
      [this](const Packet& given, const Sight& sight) {
        const Packet packet = given.segments.empty() ? given : joined(given);
        Arrival arrival;
        arrival.cookie = packet.cookie;
        arrival.source = packet.source;
        arrival.destination = packet.destination.empty() ? packet.source : packet.destination;
        arrive(arrival, sight);
        return true;
      });
}

/// Deals with what is for this host's IPsec.  False: it is an ordinary packet.
bool Lane::take_in(Arrival arrival, const Sight& sight) noexcept {
  switch (sight.part) {
    case Part::ipsec:
      open_other(arrival, sight);
      return true;
    case Part::nat:
      demultiplex(arrival, sight);
      return true;
    case Part::fragment:
      join(arrival, sight);
      return true;
    case Part::icmp:
      return heed(arrival, sight);
    default:
      return false;
  }
}

void Lane::refuse(Arrival arrival, const Flow& flow, Drop drop, PolicyHandle policy) noexcept {
  // What was opened and may not pass does not stay in the caller's memory.
  if (arrival.through != nullptr) std::memset(arrival.source.data(), 0, arrival.source.size());
  if (arrival.lease != 0) release(arrival.lease);
  const SaHandle sa = arrival.through == nullptr ? SaHandle::none : arrival.through->handle;
  const std::uint64_t number = arrival.opening == nullptr ? 0 : arrival.opening->number;
  Outcome& out = discard(arrival.cookie, flow.way(), drop);
  out.policy = policy;
  out.sa = sa;
  out.number = number;
  audit(drop, flow, sa, number, policy);
}

// ---- fragments

void Lane::join(Arrival arrival, const Sight& sight) noexcept {
  IpHeader ip;
  const auto available = static_cast<std::uint32_t>(arrival.source.size());
  if (const Drop drop = parse_ip(arrival.source, available, ip); drop != Drop::none)
    return refuse(arrival, sight.flow, drop, PolicyHandle::none);
  Reassembler::Lost evicted;
  const Reassembler::Result result = reassembler_.add(arrival.source, ip, common_.time(), evicted);
  lose(evicted);
  if (result.drop != Drop::none) {
    lose({result.drop, result.fragments});
    return refuse(arrival, sight.flow, result.drop, PolicyHandle::none);
  }
  if (arrival.lease != 0) release(arrival.lease);
  if (!result.complete) {
    Outcome& out = emit();
    out.cookie = arrival.cookie;
    out.verdict = Verdict::absorbed;
    out.way = Way::in;
    settle(out);
    lose({});
    return;
  }
  LaneCounters::add(counters_.fragments_joined, result.fragments);
  lose({});
  Arrival whole = arrival;
  whole.source = whole.destination = result.packet;
  const std::span<std::uint8_t> buffer = large_[result.lease];
  whole.destination = {
      result.packet.data(),
      static_cast<std::size_t>(buffer.data() + buffer.size() - result.packet.data())};
  whole.lease = result.lease;
  Sight whole_sight;
  const bool from_outside = arrival.through == nullptr;
  look_in(whole.source, !from_outside, whole_sight);
  if (from_outside)
    arrive_other(whole, whole_sight);
  else
    emerge_joined(whole, whole_sight);
}

// ---- IPsec

/// `sight`: of what came out, if any did.
[[gnu::always_inline]] inline void Lane::opened(std::uint32_t number, const Completion& completion,
                                                const Sight& sight) noexcept {
  const Flight& flight = flights_[number];
  Arrival arrival;
  arrival.cookie = flight.cookie;
  arrival.source = {flight.destination.data, completion.length};
  arrival.destination = {flight.destination.data, flight.destination.length};
  arrival.lease = flight.lease;
  arrival.depth = static_cast<std::uint8_t>(flight.depth + 1);
  free_.push(number);  // what comes out may need another flight; until then it stays as it is
  SaView* sa = common_.sa(flight.sa);
  const Drop drop = completion.drop != Drop::none ? completion.drop
                    : sa == nullptr               ? Drop::sa_gone
                                                  : Drop::none;
  if (drop != Drop::none) {
    if (completion.length != 0) std::memset(flight.destination.data, 0, completion.length);
    if (flight.lease != 0) release(flight.lease);
    Outcome& out = discard(flight.cookie, Way::in, drop);
    out.sa = flight.sa;
    out.number = completion.number;
    out.device = completion.device;
    audit(drop, flight.flow, flight.sa, completion.number, PolicyHandle::none);
    return;
  }
  arrival.through = sa;
  arrival.opening = &completion;
  if (sa->udp) note_mapping(*sa, flight.flow);
  if (sa->fixes_checksums)
    fix_nat_checksum(arrival.source, *sa->more->role.original_source,
                     *sa->more->role.original_destination);
  emerge(arrival, sight);
}

/// Deals with a few of what the context hands back.
void Lane::complete(std::span<const Completion> completions) noexcept {
  look_opened(completions);
  for (std::size_t i = 0; i < completions.size(); ++i) {
    const auto number = static_cast<std::uint32_t>(completions[i].cookie);
    if (flights_[number].kind == Kind::open) {
      opened(number, completions[i], sights_[i]);
    } else {
      sealed(number, completions[i]);
      free_.push(number);
    }
  }
}

// ---- UDP encapsulation

/// Takes a datagram to the NAT port apart (RFC 3948 2).
void Lane::demultiplex(Arrival arrival, const Sight& sight) noexcept {
  const std::uint32_t octets = sight.length - sight.header_length;
  const auto udp = arrival.source.subspan(sight.header_length, octets);
  switch (classify_udp_4500(udp, octets)) {
    case Datagram::esp:
      open_other(arrival, sight);
      break;
    case Datagram::ike:
      deliver(arrival, sight.length, Verdict::ike, Way::in, PolicyHandle::none);
      break;
    case Datagram::keepalive:
      refuse(arrival, sight.flow, Drop::nat_keepalive, PolicyHandle::none);
      break;
    case Datagram::malformed:
      refuse(arrival, sight.flow, Drop::bad_length, PolicyHandle::none);
      break;
  }
}

/// An authentic packet came from here: tells when that is elsewhere than before (RFC 7296 2.23).
void Lane::note_mapping(SaView& sa, const Flow& from) noexcept {
  const driver::Endpoints& ends = sa.more->config.ends;
  const WideAddress remote = from.remote();
  const bool configured = from.family() == ends.family &&
                          remote == wide(ends.family, ends.source.data()) &&
                          from.remote_port() == ends.source_port;
  Flow key;
  key.addresses[0] = remote[0];
  key.addresses[1] = remote[1];
  key.meta = Flow::make_meta(Way::in, Family::ipv6, 0, Flow::Shows::ports, from.remote_port());
  const std::uint64_t mapping =
      configured ? 0 : std::uint64_t{key.hash()} << 32 | (from.remote_port() + 1);
  if (sa.mapping.load(std::memory_order_relaxed) == mapping ||
      sa.mapping.exchange(mapping, std::memory_order_relaxed) == mapping)
    return;
  BoundaryEvent event;
  event.kind = BoundaryEventKind::mapping_changed;
  event.sa = sa.handle;
  event.spi = sa.spi;
  raise(event, from);
}

// ---- path MTU

/// Takes note of a "too big" that quotes a packet of an SA of ours (RFC 4301 8.2.1).  It is not
/// authentic, so it can do no more than lower the SA's path MTU, for a while, not below the least.
/// False: it is about something else.
bool Lane::heed(Arrival arrival, const Sight& sight) noexcept {
  IpHeader ip;
  const auto available = static_cast<std::uint32_t>(arrival.source.size());
  if (parse_ip(arrival.source, available, ip) != Drop::none) return false;
  const std::optional<TooBig> said = read_too_big(arrival.source, ip, common_.config.nat_port);
  if (!said) return false;
  SaView* sa = common_.peers.find(said->spi, said->family, said->destination);
  if (sa == nullptr || said->udp != sa->udp ||
      said->ah != (sa->more->config.transform.protocol == driver::Protocol::ah) ||
      !std::equal(said->source, said->source + (said->family == Family::ipv4 ? 4 : 16),
                  sa->more->config.ends.source.begin()))
    return false;
  if (common_.icmp_noted.take()) {
    const std::uint32_t least = said->family == Family::ipv4
                                    ? common_.config.least_path_mtu
                                    : std::max(kLeastMtuV6, common_.config.least_path_mtu);
    const std::uint32_t mtu = std::max(said->mtu, least);
    std::uint32_t current = sa->path_mtu.load(std::memory_order_relaxed);
    if (mtu < current && sa->path_mtu.compare_exchange_strong(current, mtu)) {
      sa->learned_at.store(std::max<Time::rep>(common_.time().count(), 1),
                           std::memory_order_relaxed);
      BoundaryEvent event;
      event.kind = BoundaryEventKind::path_mtu;
      event.sa = sa->handle;
      event.spi = sa->spi;
      event.number = mtu;
      raise(event, sight.flow);
    }
  }
  Outcome& out = emit();
  out.cookie = arrival.cookie;
  out.verdict = Verdict::absorbed;
  out.way = Way::in;
  out.sa = sa->handle;
  settle(out);
  LaneCounters::add(counters_.icmp_noted);
  return true;
}

}  // namespace espalier

// SPDX-License-Identifier: BSD-2-Clause-Patent
// What both directions share: flights to the context and back, outcomes, errands.
#include "policy/lane.hpp"

#include <cstring>

#include "espalier/driver/segments.hpp"

namespace espalier {
namespace {

constexpr std::uint32_t kErrands = 256;

std::uint32_t capacity_of(const Common& common) {
  return common.context.config().queue_capacity;
}

/// Outcomes that can wait at once: those taken packets may have (outcome_limit_, and one burst
/// more), one for every flight, and one for every buffer.
std::uint32_t outcome_room(const Common& common) {
  return 3 * capacity_of(common) + common.config.buffers + common.config.reassemblies + 16;
}

}  // namespace

const char* name(Verdict verdict) noexcept {
  static constexpr const char* kNames[kVerdictCount] = {
      "bypassed", "sealed", "opened", "ike", "absorbed", "discarded", "reply", "generated"};
  const auto i = static_cast<unsigned>(verdict);
  return i < kVerdictCount ? kNames[i] : "unknown";
}

Lane::Lane(Common& common, unsigned number)
    : common_(common),
      number_(number),
      nat_bits_(common.config.nat_port == 0 ? ~0u : Flow::destination_bits(common.config.nat_port)),
      flights_(capacity_of(common)),
      free_(0, capacity_of(common)),
      departures_(capacity_of(common)),
      outcomes_(outcome_room(common)),
      outcome_limit_(2 * capacity_of(common)),
      flows_(common.config.flow_cache),
      inbound_sas_(common.max_sas),
      small_(common.context, 1, common.config.buffers, common.config.buffer_octets),
      large_(common.context, 1 + common.config.buffers, common.config.reassemblies,
             Reassembler::kBufferOctets),
      reassembler_(common.config.reassemblies, common.config.reassembly_time, large_),
      errands_(kErrands) {}

// ---- bursts

/// What holds throughout a burst.
void Lane::look_around() noexcept {
  spd_ = common_.spd.load(std::memory_order_acquire);
  local_ = common_.local.load(std::memory_order_acquire);
  sad_version_ = common_.sad_version.load(std::memory_order_acquire);
  sets_version_ = common_.sets_version.load(std::memory_order_acquire);
}

std::size_t Lane::poll(std::span<Outcome> outcomes, std::uint32_t rerun_budget) noexcept {
  Burst burst(*this);
  look_around();
  run_errands();
  depart();
  expire_fragments();
  sunk_ = 0;
  for (; sunk_ < outcomes.size() && !outcomes_.empty(); outcomes_.pop())
    outcomes[sunk_++] = outcomes_.front();
  sink_ = outcomes;
  while (sunk_ < outcomes.size()) {
    const std::size_t wanted = std::min(kBatch, outcomes.size() - sunk_);
    const std::size_t n = common_.context.poll(static_cast<QueueId>(number_),
                                               std::span(done_).first(wanted), rerun_budget);
    for (std::size_t i = 0; i < n; ++i) expect(done_[i]);
    for (std::size_t at = 0; at < n; at += kLookAhead)
      complete(std::span(done_).subspan(at, std::min(kLookAhead, n - at)));
    const bool nested = !departures_.empty();  // IPsec within IPsec
    depart();
    if (n < wanted && !nested) break;
  }
  sink_ = {};
  return sunk_;
}

void Lane::release(std::uint32_t lease) noexcept {
  if (!small_.give_back(lease)) large_.give_back(lease);
}

// ---- packets in several segments

/// Puts the pieces behind each other in the destination.
Drop Lane::join(const Packet& packet) noexcept {
  if (packet.segments.size() > driver::kMaxSegments) return Drop::bad_argument;
  if (driver::total_length(packet.segments) > packet.destination.size()) return Drop::no_room;
  std::uint8_t* to = packet.destination.data();
  for (const Segment& s : packet.segments) {
    if (s.length != 0) std::memmove(to, s.data, s.length);  // the first may be there already
    to += s.length;
  }
  return Drop::none;
}

/// A packet that was joined, as one that its owner gave in one piece.
Packet Lane::joined(const Packet& packet) noexcept {
  const std::size_t length = driver::total_length(packet.segments);
  const std::size_t whole = std::min(length, packet.destination.size());
  return {packet.cookie, packet.destination.first(whole), packet.destination, {}};
}

// ---- flights

/// What came out of an SA will be looked at soon.
void Lane::expect(const Completion& completion) noexcept {
  const Flight& flight = flights_[completion.cookie];
  if (flight.kind != Kind::open) return;
  common_.expect(flight.sa);
  __builtin_prefetch(flight.destination.data);
}

// ---- outcomes

Outcome& Lane::discard(std::uint64_t cookie, Way way, Drop drop) noexcept {
  Outcome& out = emit();
  out.cookie = cookie;
  out.verdict = Verdict::discarded;
  out.drop = drop;
  out.way = way;
  settle(out);
  return out;
}

void Lane::raise(BoundaryEvent event, const Flow& flow) noexcept {
  event.way = flow.way();
  event.protocol = static_cast<std::uint8_t>(flow.protocol());
  if (flow.local_port() != Flow::kHidden)
    event.local_port = static_cast<std::uint16_t>(flow.local_port());
  if (flow.remote_port() != Flow::kHidden)
    event.remote_port = static_cast<std::uint16_t>(flow.remote_port());
  event.local = narrow(flow.family(), flow.local());
  event.remote = narrow(flow.family(), flow.remote());
  event.at = common_.time();
  common_.events.push(event);
}

void Lane::audit(Drop drop, const Flow& flow, SaHandle sa, std::uint64_t number,
                 PolicyHandle policy) noexcept {
  if (drop == Drop::dummy || drop == Drop::nat_keepalive || !common_.audits.take()) return;
  BoundaryEvent event;
  event.kind = BoundaryEventKind::audit;
  event.drop = drop;
  event.sa = sa;
  event.policy = policy;
  event.number = number;
  if (const SaView* view = common_.sa(sa)) event.spi = view->spi;
  raise(event, flow);
}

// ---- what is due

void Lane::lose(Reassembler::Lost lost) noexcept {
  if (lost.fragments != 0)
    LaneCounters::add(counters_.drops[static_cast<unsigned>(lost.drop)], lost.fragments);
  counters_.fragments_held.store(reassembler_.held(), std::memory_order_relaxed);
}

void Lane::expire_fragments() noexcept {
  const Time now = common_.time();
  for (unsigned i = 0; i < 4; ++i) {  // a few each time
    const Reassembler::Lost lost = reassembler_.expire(now);
    if (lost.drop == Drop::none) return;
    lose(lost);
  }
}

bool Lane::ask(const Errand& errand) noexcept {
  const std::uint64_t lost = errands_.lost();
  errands_.push(errand);
  return errands_.lost() == lost;
}

void Lane::run_errands() noexcept {
  for (Errand errand; has_room(1) && small_.available() > reserved_ && errands_.pop(errand);) {
    SaView* sa = common_.sa(errand.sa);
    if (sa == nullptr) continue;
    if (errand.kind == Errand::Kind::dummy)
      dummy(*sa);
    else
      keepalive(*sa);
  }
}

}  // namespace espalier

// SPDX-License-Identifier: BSD-2-Clause-Patent
// The way out (RFC 4301 5.1): policy, SA, length, seal, fragments.
#include <cstring>

#include "packet/checksum.hpp"
#include "packet/octets.hpp"
#include "policy/fragment.hpp"
#include "policy/icmp.hpp"
#include "policy/lane.hpp"

namespace espalier {
namespace {

constexpr std::uint8_t kKeepalive = 0xff;  // RFC 3948 2.3

/// TFC padding of a packet of `length` octets, as far as `limit` allows (RFC 4303 2.7).
std::uint32_t tfc_of(std::uint32_t length, std::uint32_t multiple, std::uint32_t limit) {
  const std::uint32_t wanted = (length + multiple - 1) / multiple * multiple;
  return std::max(length, std::min(wanted, limit)) - length;
}

/// True if the sealed packet may be fragmented on its way: what L1 makes of DF, or IPv6, where its
/// source may.
bool may_cut_sealed(const SaView& sa, const IpHeader& ip) {
  if (!sa.tunnel) return ip.family == Family::ipv6 || !ip.dont_fragment;
  if (sa.outer == Family::ipv6 || sa.dont_fragment == DontFragment::clear) return true;
  return sa.dont_fragment == DontFragment::copy && !(ip.family == Family::ipv4 && ip.dont_fragment);
}

}  // namespace

/// Inlined, so that what was parsed stays in registers.
template <auto parse>
[[gnu::always_inline]] inline void Lane::look_out_as(std::span<const std::uint8_t> packet,
                                                     Sight& sight) noexcept {
  IpHeader ip;
  const Drop drop = parse(packet, static_cast<std::uint32_t>(packet.size()), ip);
  sight.drop = drop;
  if (drop != Drop::none) {
    sight.flow = {};
    return;
  }
  const Flow flow = flow_of(Way::out, packet.data(), ip);
  const std::uint32_t hash = flow.hash();
  flows_.expect(hash);
  sight.dscp = ip.tos >> 2;
  sight.header_length = static_cast<std::uint16_t>(ip.header_length);
  sight.length = ip.length;
  sight.hash = hash;
  sight.flow = flow;
}
[[gnu::noinline]] void Lane::look_out_other(std::span<const std::uint8_t> packet,
                                            Sight& sight) noexcept {
  look_out_as<parse_ip>(packet, sight);
}
[[gnu::always_inline]] inline void Lane::look_out(std::span<const std::uint8_t> packet,
                                                  Sight& sight) noexcept {
  if (is_ipv4(packet)) return look_out_as<parse_ipv4>(packet, sight);
  look_out_other(packet, sight);
}

/// Has a packet of `length` octets sealed.
inline Lane::Flight& Lane::seal(const Packet& packet, std::uint32_t length, const Flow& flow,
                                SaView& sa, PolicyHandle policy, std::uint32_t tfc) noexcept {
  Flight& f = board(
      Kind::seal, sa.handle, {packet.source.data(), length},
      {packet.destination.data(), static_cast<std::uint32_t>(packet.destination.size())}, tfc);
  f.cookie = packet.cookie;
  f.policy = policy;
  f.lease = f.cut = f.cut_buffers = 0;
  f.flow = flow;
  if (sa.watched)
    sa.last_sent.store(common_.now.load(std::memory_order_relaxed), std::memory_order_relaxed);
  return f;
}

/// Takes one packet.  False: no room; nothing has changed.
bool Lane::send(const Packet& packet, const Sight& sight) noexcept {
  const Flow& flow = sight.flow;
  if (sight.drop != Drop::none) {
    discard(packet.cookie, Way::out, sight.drop);
    audit(sight.drop, flow, SaHandle::none, 0, PolicyHandle::none);
    return true;
  }
  FlowCache::Entry& known = flows_.find(*spd_, flow, sight.hash);
  const PolicyView& policy = *known.policy;
  if (policy.action == Action::discard) {
    const Drop drop =
        policy.handle == PolicyHandle::none ? Drop::no_policy_out : Drop::policy_block_out;
    discard(packet.cookie, Way::out, drop).policy = policy.handle;
    audit(drop, flow, SaHandle::none, 0, policy.handle);
    return true;
  }
  if (policy.action == Action::bypass) {
    Outcome& out = emit();
    out.cookie = packet.cookie;
    out.verdict = Verdict::bypassed;
    out.packet = packet.source.first(sight.length);
    out.policy = policy.handle;
    settle(out);
    return true;
  }
  SaView* sa = known.sa_version == sets_version_ ? known.sa : outbound_sa(known, sight.dscp);
  if (sa == nullptr) {
    acquire(policy, flow);
    discard(packet.cookie, Way::out, Drop::no_sa_out).policy = policy.handle;
    audit(Drop::no_sa_out, flow, SaHandle::none, 0, policy.handle);
    return true;
  }
  const std::uint32_t limit = sa->path_mtu.load(std::memory_order_relaxed);
  std::uint32_t tfc = 0;
  if (sa->pads)
    tfc = tfc_of(sight.length, sa->more->role.tfc_multiple, sa->overhead.longest_clear(limit));
  const std::uint32_t clear = sight.length + tfc;
  if (clear + sa->overhead.total > limit &&
      sa->overhead.sealed(clear, sa->tunnel ? 0 : sight.header_length) > limit) [[unlikely]]
    return send_long(packet, flow, *sa, policy.handle);
  seal(packet, sight.length, flow, *sa, policy.handle, tfc);
  return true;
}

std::size_t Lane::outbound(std::span<const Packet> packets) noexcept {
  return take(
      packets,
      [this](std::span<const Packet> few) {
        for (std::size_t i = 0; i < few.size(); ++i) {
          if (few[i].segments.empty()) [[likely]]
            look_out(few[i].source, sights_[i]);
          else
            look_joined(few[i], sights_[i],
                        [this](auto whole, Sight& s) { look_out_other(whole, s); });
        }
        for (std::size_t i = 0; i < few.size(); ++i) flows_.expect_sa(sights_[i].hash);
      },
      [this](const Packet& packet, const Sight& sight) {
        return send(packet.segments.empty() ? packet : joined(packet), sight);
      });
}

/// The SA of the policy's set for a packet; remembered if it is that of all the flow's packets.
SaView* Lane::outbound_sa(FlowCache::Entry& known, unsigned dscp) noexcept {
  const SetView* set = common_.sets[known.policy->set].view.load(std::memory_order_acquire);
  if (set == nullptr) return nullptr;
  SaView* sa = set->pick(number_, dscp);
  if (set->same_for_all(number_)) {
    known.sa = sa;
    known.sa_version = sets_version_;
  }
  return sa;
}

/// A packet that would be too long once sealed (RFC 4301 8.2, RFC 4459): its sender is told, or it
/// is cut, before or after sealing.
bool Lane::send_long(const Packet& packet, const Flow& flow, SaView& sa,
                     PolicyHandle policy) noexcept {
  const auto refuse = [&](Drop drop) {
    discard(packet.cookie, Way::out, drop).policy = policy;
    audit(drop, flow, sa.handle, 0, policy);
    return true;
  };
  IpHeader ip;
  const auto available = static_cast<std::uint32_t>(packet.source.size());
  if (const Drop drop = parse_ip(packet.source, available, ip); drop != Drop::none)
    return refuse(drop);
  if (!sa.tunnel && ip.fragment) return refuse(Drop::fragment);  // RFC 4303 3.3.4
  const std::uint32_t mtu = sa.path_mtu.load(std::memory_order_relaxed);
  const bool v4 = ip.family == Family::ipv4;
  // The longest packet that fits; no IPv6 sender has to go below 1,280 (RFC 8200 5).
  const std::uint32_t fits = sa.overhead.longest_clear(mtu, sa.tunnel ? 0 : ip.header_length);
  const std::uint32_t told = v4 ? std::max(fits, 68u) : std::max(fits, kLeastMtuV6);
  const bool cut_sealed = may_cut_sealed(sa, ip);
  const bool no_clear_cut = v4 ? ip.dont_fragment : true;
  const bool sender_must =
      no_clear_cut && !(cut_sealed && (ip.length <= told ||
                                       (sa.tunnel && sa.dont_fragment == DontFragment::clear)));
  if (sender_must) {
    if (small_.available() <= reserved_) return false;
    too_big(packet, ip, told);
    return refuse(Drop::too_long);
  }
  if (sa.tunnel && !no_clear_cut &&
      !(cut_sealed && sa.more->role.fragmenting == Fragmenting::after)) {
    const std::uint32_t room = std::min(mtu, common_.config.buffer_octets);
    return seal_pieces(packet, ip, flow, sa, policy, sa.overhead.longest_clear(room));
  }
  // Sealed first.  The result's pieces need buffers when they are made; they are kept free.
  if (!cut_sealed) return refuse(Drop::too_long);
  const std::uint32_t whole = sa.overhead.sealed(ip.length, sa.tunnel ? 0 : ip.header_length);
  const std::uint32_t piece = std::min(mtu, common_.config.buffer_octets) & ~7u;
  const std::uint32_t least = piece > kMaxHeaderChain + 16 ? piece - 64 : piece / 2;
  const std::uint32_t buffers = (whole + least - 1) / least + 1;
  if (whole > driver::kMaxPacket || buffers > common_.config.buffers) return refuse(Drop::too_long);
  if (small_.available() < reserved_ + buffers) return false;
  Flight& f = seal(packet, ip.length, flow, sa, policy, 0);
  f.cut = std::min(mtu, common_.config.buffer_octets);
  f.cut_buffers = buffers;
  reserved_ += buffers;
  return true;
}

/// Cuts a packet and seals the pieces, each in a buffer of ours.
bool Lane::seal_pieces(const Packet& packet, const IpHeader& ip, const Flow& flow, SaView& sa,
                       PolicyHandle policy, std::uint32_t limit) noexcept {
  const Cut cut(packet.source, ip, limit, 0);
  const std::uint32_t n = cut.pieces();
  if (n == 0 || n > common_.config.buffers || n > flights_.size()) {
    discard(packet.cookie, Way::out, Drop::too_long).policy = policy;
    audit(Drop::too_long, flow, sa.handle, 0, policy);
    return true;
  }
  if (!has_room(n) || small_.available() < reserved_ + n) return false;
  const std::uint32_t tail = free_.peek(n);  // the flight the last piece will get
  for (std::uint32_t i = 0; i < n; ++i) {
    const std::uint32_t lease = small_.take();
    const std::span<std::uint8_t> buffer = small_[lease];
    const std::uint32_t length = cut.write(i, buffer);
    Flight& f = seal({packet.cookie, buffer, buffer}, length, flow, sa, policy, 0);
    f.lease = lease;
    f.kind = Kind::piece;
    f.tail = tail;
    f.broken = Drop::none;
  }
  return true;
}

/// Tells the sender of a packet what would have fitted (RFC 1191, RFC 4443 3.2).
void Lane::too_big(const Packet& packet, const IpHeader& ip, std::uint32_t mtu) noexcept {
  if (!may_answer(packet.source, ip) || !common_.icmp_made.take()) return;
  Address from = Address::from(ip.family, ip.destination);
  if (const WideAddress* ours = local_->any(ip.family)) from = narrow(ip.family, *ours);
  Outcome& out = emit();
  out.cookie = packet.cookie;
  out.verdict = Verdict::reply;
  out.last = false;
  out.lease = small_.take();
  const std::span<std::uint8_t> buffer = small_[out.lease];
  out.packet = buffer.first(write_too_big(packet.source, ip, mtu, from.octets.data(), buffer));
  settle(out);
}

/// Asks for an SA, not more often than the interval says.
void Lane::acquire(const PolicyView& policy, const Flow& flow) noexcept {
  SaSet& set = common_.sets[policy.set];
  const Time::rep now = common_.now.load(std::memory_order_relaxed);
  Time::rep after = set.acquire_after.load(std::memory_order_relaxed);
  if (now < after || !set.acquire_after.compare_exchange_strong(
                         after, now + common_.config.acquire_interval.count()))
    return;
  BoundaryEvent event;
  event.kind = BoundaryEventKind::acquire;
  event.policy = policy.handle;
  event.set = make_set_handle(policy.set, set.generation.load(std::memory_order_relaxed));
  raise(event, flow);
}

// ---- what comes back from the context

Outcome& Lane::result(const Flight& flight, const Completion& completion,
                      Verdict verdict) noexcept {
  Outcome& out = emit();
  out.cookie = flight.cookie;
  out.verdict = verdict;
  out.packet = {flight.destination.data, completion.length};
  out.sa = flight.sa;
  out.policy = flight.policy;
  out.number = completion.number;
  out.lease = flight.lease;
  out.device = completion.device;
  out.soft_expired = completion.soft_expired;
  return out;
}

void Lane::sealed(std::uint32_t number, const Completion& completion) noexcept {
  const Flight& flight = flights_[number];
  reserved_ -= flight.cut_buffers;
  if (flight.kind == Kind::piece) return piece_sealed(number, completion);
  if (completion.drop != Drop::none) {
    if (flight.kind == Kind::dummy) {
      small_.give_back(flight.lease);
      return;
    }
    Outcome& out = discard(flight.cookie, Way::out, completion.drop);
    out.sa = flight.sa;
    out.policy = flight.policy;
    out.device = completion.device;
    audit(completion.drop, flight.flow, flight.sa, completion.number, flight.policy);
    return;
  }
  if (flight.cut != 0 && completion.length > flight.cut) return cut(flight, completion);
  settle(result(flight, completion,
                flight.kind == Kind::dummy ? Verdict::generated : Verdict::sealed));
}

/// The pieces of a packet complete in order.  If one is lost, the rest is not worth sending: the
/// last one tells why.
void Lane::piece_sealed(std::uint32_t number, const Completion& completion) noexcept {
  const Flight& flight = flights_[number];
  Flight& tail = flights_[flight.tail];
  if (completion.drop != Drop::none && tail.broken == Drop::none) {
    tail.broken = completion.drop;
    audit(completion.drop, flight.flow, flight.sa, completion.number, flight.policy);
  }
  const bool last = flight.tail == number;
  if (tail.broken != Drop::none) {
    small_.give_back(flight.lease);
    if (!last) return;
    Outcome& out = discard(flight.cookie, Way::out, tail.broken);
    out.sa = flight.sa;
    out.policy = flight.policy;
    return;
  }
  Outcome& out = result(flight, completion, Verdict::sealed);
  out.last = last;
  if (last)
    settle(out);
  else
    LaneCounters::add(counters_.fragments_sent);
}

/// Cuts a sealed packet into fragments, each in a buffer of ours.
void Lane::cut(const Flight& flight, const Completion& completion) noexcept {
  const std::span<std::uint8_t> packet{flight.destination.data, completion.length};
  IpHeader ip;
  const Drop drop = parse_ip(packet, completion.length, ip);
  const std::uint32_t id = common_.fragment_id.fetch_add(1, std::memory_order_relaxed);
  // A tunnel's identification is the SA's low number; of fragments it has to differ between all SAs
  // to the same peer (RFC 6864).  AH covers it: there it stays.
  const SaView* sa = common_.sa(flight.sa);
  if (sa != nullptr && sa->tunnel && ip.family == Family::ipv4 && ip.protocol != kProtocolAh)
    store_be16(packet.data() + 4, static_cast<std::uint16_t>(id));
  const Cut pieces(packet, ip, flight.cut, id);
  if (drop != Drop::none || pieces.pieces() == 0 || pieces.pieces() > flight.cut_buffers) {
    Outcome& out = discard(flight.cookie, Way::out, Drop::too_long);
    out.sa = flight.sa;
    out.policy = flight.policy;
    return;
  }
  for (std::uint32_t i = 0; i < pieces.pieces(); ++i) {
    Outcome& out = result(flight, completion, Verdict::sealed);
    out.lease = small_.take();
    const std::span<std::uint8_t> buffer = small_[out.lease];
    out.packet = buffer.first(pieces.write(i, buffer));
    out.last = i + 1 == pieces.pieces();
    if (out.last)
      settle(out);
    else
      LaneCounters::add(counters_.fragments_sent);
  }
}

// ---- what the boundary sends of itself

void Lane::dummy(SaView& sa) noexcept {
  const std::uint32_t lease = small_.take();
  const std::span<std::uint8_t> buffer = small_[lease];
  const std::uint32_t limit =
      std::min(sa.path_mtu.load(std::memory_order_relaxed), common_.config.buffer_octets);
  Flight& f =
      board(Kind::dummy, sa.handle, {}, {buffer.data(), static_cast<std::uint32_t>(buffer.size())},
            std::min<std::uint32_t>(sa.more->role.dummy_octets, sa.overhead.longest_clear(limit)));
  f.cookie = 0;
  f.policy = PolicyHandle::none;
  f.lease = lease;
  f.cut = f.cut_buffers = 0;
  f.flow = {};
  sa.last_sent.store(common_.now.load(std::memory_order_relaxed), std::memory_order_relaxed);
}

/// One octet 0xff between the SA's ports (RFC 3948 2.3).
void Lane::keepalive(SaView& sa) noexcept {
  const driver::Endpoints& ends = sa.more->config.ends;
  const bool v4 = ends.family == Family::ipv4;
  const std::uint32_t header = v4 ? 20 : 40, size = v4 ? 4 : 16, udp = kUdpHeader + 1;
  Outcome& out = emit();
  out.lease = small_.take();
  out.packet = small_[out.lease].first(header + udp);
  std::uint8_t* p = out.packet.data();
  std::memset(p, 0, header + udp);
  std::uint8_t* source = p + (v4 ? 12 : 8);
  std::memcpy(source, ends.source.data(), size);
  std::memcpy(source + size, ends.destination.data(), size);
  std::uint8_t* datagram = p + header;
  store_be16(datagram, ends.source_port);
  store_be16(datagram + 2, ends.destination_port);
  store_be16(datagram + 4, static_cast<std::uint16_t>(udp));
  datagram[kUdpHeader] = kKeepalive;
  if (v4) {
    p[0] = 0x45;
    store_be16(p + 2, static_cast<std::uint16_t>(header + udp));
    p[8] = sa.more->config.ttl;
    p[9] = kProtocolUdp;
    store_be16(p + 10, static_cast<std::uint16_t>(~checksum_fold(checksum_add({p, 20}, 0))));
  } else {
    p[0] = 0x60;
    store_be16(p + 4, static_cast<std::uint16_t>(udp));
    p[6] = kProtocolUdp;
    p[7] = sa.more->config.ttl;
    const std::uint32_t pseudo = checksum_add({source, 32}, udp + kProtocolUdp);
    store_be16(datagram + 6,
               static_cast<std::uint16_t>(~checksum_fold(checksum_add({datagram, udp}, pseudo))));
  }
  out.sa = sa.handle;
  out.verdict = Verdict::generated;
  settle(out);
  sa.last_sent.store(common_.now.load(std::memory_order_relaxed), std::memory_order_relaxed);
}

}  // namespace espalier

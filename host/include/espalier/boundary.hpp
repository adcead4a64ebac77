// SPDX-License-Identifier: BSD-2-Clause-Patent
// L2: the IPsec boundary of RFC 4301 around a Context.  Packets go in by bursts, outcomes come out:
// passed on as they are, sealed, opened, or discarded for one reason.
//
// The boundary decides by policy, chooses the SA, cuts and joins fragments, keeps path MTUs, takes
// UDP encapsulation apart.  Everything per packet happens on the caller's queue: no allocation,
// lock, throw, log or system call; memory and time of everything kept (fragments, buffers, caches)
// is bounded at create().
//
// Threads: as in Context.  Each queue belongs to one caller at a time; all calls without a queue,
// "control", to one thread, which may run beside the queues' threads.  While a boundary is there,
// its context's queues and tick() are the boundary's to call.
#pragma once

#include <cstdint>
#include <memory>
#include <span>
#include <string>
#include <vector>

#include "espalier/context.hpp"
#include "espalier/policy.hpp"

namespace espalier {

struct BoundaryConfig {
  std::uint32_t max_policies = 4096;  ///< 1 to 8,192.
  std::uint32_t max_sets = 4096;      ///< Sets of SAs, 1 to 65,535.
  std::uint32_t flow_cache = 8192;    ///< Flows a queue remembers; a power of two, at least 2.
  /// Buffers of each queue, for what the boundary makes itself: fragments, ICMP, keepalives.
  std::uint32_t buffers = 256;
  std::uint32_t buffer_octets = 2048;  ///< Of each; fragments are no longer.  576 to 65,535.
  std::uint32_t reassemblies = 16;     ///< Packets each queue joins at a time; 64 KiB each.
  Time reassembly_time = std::chrono::seconds(30);
  std::uint32_t max_nesting = 4;  ///< IPsec headers within each other that are opened.
  std::uint16_t nat_port = 4500;  ///< UDP port taken apart (RFC 3948); 0: none.
  /// Path MTUs that ICMP may claim are held up to this (and to 1,280 in IPv6).
  std::uint32_t least_path_mtu = 576;
  Time path_mtu_age = std::chrono::minutes(10);     ///< Then a learned path MTU is forgotten.
  Time acquire_interval = std::chrono::seconds(1);  ///< Between acquire events of one set.
  std::uint32_t icmp_per_second = 100;  ///< ICMP made, and ICMP listened to, each at most.
  std::uint32_t audit_events_per_second = 100;
  std::uint32_t events = 1024;  ///< Room for events; a power of two.
  /// This host's addresses: IPsec to them is opened, other packets go by Way::in.  The rest goes by
  /// Way::forward.  Empty: every address is ours.
  std::vector<Address> local;
};

/// Octets are lent until the packet's last outcome was polled, and the source's stay unmodified
/// till then.
struct Packet {
  std::uint64_t cookie = 0;  ///< Comes back in its outcomes; never looked at.
  /// The IP packet; octets past its own length are ignored.
  std::span<std::uint8_t> source;
  /// Room for the result: begins where the source does, or holds no octet of it.
  std::span<std::uint8_t> destination;
  /// In place of `source`: the packet in 1 to 16 pieces, which may be cut anywhere.  It is joined
  /// in `destination`, which needs room for all of them, too, and may begin where the first one
  /// does; what comes of it is in one piece, a bypassed packet too.  The list is read during the
  /// call; of a packet that is not taken, the destination may have been written.
  std::span<const Segment> segments = {};
};

enum class Verdict : std::uint8_t {
  bypassed,   ///< Pass it on as it is: `packet` is the source.
  sealed,     ///< Send it out on the unprotected side.
  opened,     ///< Deliver it on the protected side.
  ike,        ///< For the IKE daemon: UDP to the NAT port with a non-ESP marker.
  absorbed,   ///< A fragment that waits for others, or ICMP that was taken note of.
  discarded,  ///< `drop` says why.
  reply,      ///< ICMP for the sender of the packet, on the side it came from.
  generated,  ///< Keepalive or dummy packet to send out on the unprotected side; no cookie.
};
inline constexpr unsigned kVerdictCount = 8;
const char* name(Verdict verdict) noexcept;

/// Every packet taken has exactly one outcome that is `last`; those before it are fragments or a
/// reply that belong to it.
struct Outcome {
  std::uint64_t cookie = 0;
  std::span<std::uint8_t> packet;  ///< What the verdict is about; empty if discarded or absorbed.
  SaHandle sa = SaHandle::none;
  PolicyHandle policy = PolicyHandle::none;
  std::uint64_t number = 0;  ///< 64-bit sequence number; 0 if there is none.
  Verdict verdict = Verdict::discarded;
  Drop drop = Drop::none;
  Way way = Way::out;
  bool last = true;  ///< The packet's own buffers are the caller's again.
  /// Not 0: `packet` lies in a buffer of the boundary; give it back with release().
  std::uint32_t lease = 0;
  std::uint8_t device = 0xff;  ///< As Completion.
  bool soft_expired = false;   ///< As Completion.
};

enum class BoundaryEventKind : std::uint8_t {
  sa,               ///< An event of the context: `event`.
  acquire,          ///< An outbound packet needs an SA in `set`, which has none for it.
  mapping_changed,  ///< An authentic packet came from another address or port: `remote`.
  path_mtu,         ///< ICMP lowered the SA's path MTU to `number`.
  audit,            ///< A packet was discarded for `drop` (RFC 4301 5, 4303 4).  Rate-limited.
};

struct BoundaryEvent {
  BoundaryEventKind kind = BoundaryEventKind::audit;
  Event event;  ///< sa only.
  PolicyHandle policy = PolicyHandle::none;
  SetHandle set = SetHandle::none;
  SaHandle sa = SaHandle::none;
  std::uint32_t spi = 0;
  Drop drop = Drop::none;
  // The packet.
  Way way = Way::out;
  std::uint8_t protocol = 0;
  std::uint16_t local_port = 0, remote_port = 0;  ///< 0 if not shown.
  Address local, remote;
  std::uint64_t number = 0;  ///< Sequence number, or path MTU.
  Time at{0};                ///< Of the last tick().
};

/// Summed over queues, readable while traffic runs.  offered = sum of verdicts 0 to 5 + packets
/// under way; absorbed = joined + ICMP noted + fragments held + fragments dropped later.
struct BoundaryCounters {
  std::uint64_t offered = 0;
  std::uint64_t verdicts[kVerdictCount] = {};  ///< Last outcomes; all of reply and generated.
  std::uint64_t drops[spec::kDropCount] = {};  ///< discarded, and fragments dropped while held.
  std::uint64_t fragments_sent = 0;            ///< Pieces beyond the packets they were cut from.
  std::uint64_t fragments_held = 0;            ///< Now.
  std::uint64_t fragments_joined = 0;          ///< Absorbed ones that became part of a packet.
  std::uint64_t icmp_noted = 0;
};

/// What becomes of a flow at present: is it really encrypted, by what and where?  Never keys.
struct FlowProof {
  struct Through {
    SaHandle sa = SaHandle::none;
    SaDescription is;        ///< SPI, suite, mode, end points, the devices that hold it.
    SaStatistics counters;   ///< Which device did its last packet, too.
    std::uint32_t path_mtu;  ///< Outbound; 0: not known.
  };
  PolicyHandle policy = PolicyHandle::none;  ///< none: no policy matches, so it is discarded.
  Action action = Action::discard;
  SetHandle set = SetHandle::none;  ///< protect only.
  /// protect, outbound: the SA that a packet takes now; none if one has to be negotiated first.
  /// Inbound: those a packet may come through.
  std::vector<Through> through;
  /// Sealed or required to be, by suites that all encrypt: not NULL, GMAC or AH.
  bool encrypted = false;
};

class Boundary {
 public:
  /// `context` outlives the boundary and has no packet under way.  Refused: a limit out of range.
  static Result<std::unique_ptr<Boundary>> create(const BoundaryConfig& config, Context& context);
  /// Removes its SAs from the context.  No queue may be in use.
  ~Boundary();
  Boundary(const Boundary&) = delete;
  Boundary& operator=(const Boundary&) = delete;

  // ---- packets, by queue; a queue the context does not have takes and gives nothing

  /// Packets from the protected side.  Takes a prefix; fewer than all means full: poll(), then
  /// offer the rest.  Packets of one SA on one queue leave in the order they were taken.
  std::size_t outbound(QueueId queue, std::span<const Packet> packets) noexcept;
  /// Packets from the unprotected side; likewise.  All fragments of a packet belong on one queue.
  std::size_t inbound(QueueId queue, std::span<const Packet> packets) noexcept;
  /// Hands back up to outcomes.size() outcomes.  `rerun_budget`: as Context::poll().
  std::size_t poll(QueueId queue, std::span<Outcome> outcomes,
                   std::uint32_t rerun_budget = 32) noexcept;
  /// Gives back the buffer of an outcome with a lease.
  void release(QueueId queue, const Outcome& outcome) noexcept;

  // ---- control: policies.  Queues see a change whole, from their next burst on.

  Result<PolicyHandle> add(const PolicyConfig& policy);
  /// False if there is no such policy.
  bool remove(PolicyHandle policy);
  /// Removes and adds in one step; all or nothing.
  Result<std::vector<PolicyHandle>> replace(std::span<const PolicyHandle> remove,
                                            std::span<const PolicyConfig> add);

  /// Asks the SPD about a packet of a flow, which is not sent: its IP header and ports are enough,
  /// but its length has to be right.  `queue`: whose packets.  Refused: what is no IP packet, a
  /// queue the context does not have.  An outcome whose `sa` is the one that is named here is a
  /// captured proof.
  Result<FlowProof> prove(Way way, std::span<const std::uint8_t> packet, QueueId queue) const;

  // ---- control: SAs

  Result<SetHandle> add_set();
  /// Empty if it is gone, else why not: it has SAs, or a policy names it.
  std::string remove_set(SetHandle set);
  /// Adds an SA to a set: packets use it at once.  The older SAs of the set stay, so a rekey is
  /// add_sa() of both new SAs, then remove_sa() of the old ones when the peer has moved over.
  Result<SaHandle> add_sa(SetHandle set, const SaConfig& config, const SaRole& role = {});
  /// Takes an SA out: inbound at once, outbound from the queues' next burst on, so that no packet
  /// is lost if its set has another.  False if there is no such SA.
  bool remove_sa(SaHandle sa);
  /// Changes a live SA without losing a packet (MOBIKE, a NAT's new mapping, lifetimes); see
  /// Context::update().  What was learned of its path is forgotten if its ends change.  Empty if
  /// done, else why not.
  std::string update_sa(SaHandle sa, const SaUpdate& update);
  /// Has a dummy packet sent (RFC 4303 2.6).  False if there is no such outbound ESP tunnel.
  bool send_dummy(SaHandle sa) noexcept;
  /// What the path to the peer holds now, learned or set; 0: not known.
  Result<std::uint32_t> path_mtu(SaHandle sa) const;
  /// As SaRole::path_mtu.  False if there is no such outbound SA.
  bool set_path_mtu(SaHandle sa, std::uint32_t octets) noexcept;

  void set_local(std::span<const Address> addresses);

  // ---- control: time and events

  /// Calls Context::tick(); keepalives, dummies, path MTUs.  Returns when it wants to be called
  /// next.
  Time tick(Time now) noexcept;
  /// Takes the oldest event, the context's too.
  bool next_event(BoundaryEvent& event) noexcept;
  /// Readable while events wait, as of the last tick().  The boundary's.
  int event_fd() const noexcept;
  /// Events and audit records that found no room or were over the rate.
  std::uint64_t lost_events() const noexcept;
  BoundaryCounters counters() const noexcept;

 private:
  class Core;
  explicit Boundary(std::unique_ptr<Core> core);
  std::unique_ptr<Core> core_;
};

}  // namespace espalier

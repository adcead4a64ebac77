// SPDX-License-Identifier: BSD-2-Clause-Patent
// One queue of a boundary: the packet path, from a packet to its outcome.
//
// Packets are looked at a few at a time before any of them is dealt with, so that memory has time
// to answer.  One that needs an SA becomes a flight, whose job waits in `departures_`; what the
// context does not take at once stays there, and until it is gone the lane takes no more packets.
// Outcomes that arise outside poll() wait in `outcomes_`.
#pragma once

#include <atomic>
#include <span>
#include <vector>

#include "epoch/epoch.hpp"
#include "policy/buffers.hpp"
#include "policy/common.hpp"
#include "policy/departures.hpp"
#include "policy/reassembly.hpp"
#include "policy/sa_cache.hpp"

namespace espalier {

struct LaneCounters {
  std::atomic<std::uint64_t> offered{0};
  std::atomic<std::uint64_t> verdicts[kVerdictCount] = {};
  std::atomic<std::uint64_t> drops[spec::kDropCount] = {};
  std::atomic<std::uint64_t> fragments_sent{0};
  std::atomic<std::uint64_t> fragments_held{0};
  std::atomic<std::uint64_t> fragments_joined{0};
  std::atomic<std::uint64_t> icmp_noted{0};

  /// Only the lane writes.
  static void add(std::atomic<std::uint64_t>& counter, std::uint64_t n = 1) noexcept {
    counter.store(counter.load(std::memory_order_relaxed) + n, std::memory_order_relaxed);
  }
};

/// What the control thread asks of a lane.
struct Errand {
  enum class Kind : std::uint8_t { keepalive, dummy };
  Kind kind = Kind::keepalive;
  SaHandle sa = SaHandle::none;
};

/// Threads: outbound(), inbound(), poll() and release() are the queue's; ask() the control
/// thread's; activity() and counters() anybody's.
class Lane {
 public:
  Lane(Common& common, unsigned number);

  std::size_t outbound(std::span<const Packet> packets) noexcept;
  std::size_t inbound(std::span<const Packet> packets) noexcept;
  std::size_t poll(std::span<Outcome> outcomes, std::uint32_t rerun_budget) noexcept;
  void release(std::uint32_t lease) noexcept;

  /// False if the lane has too many errands already.
  bool ask(const Errand& errand) noexcept;
  std::uint64_t activity() const noexcept { return activity_.value(); }
  const LaneCounters& counters() const noexcept { return counters_; }

 private:
  enum class Kind : std::uint8_t { seal, open, piece, dummy };

  /// A job of the context, and what to do with its result.
  struct alignas(64) Flight {
    std::uint64_t cookie = 0;
    SaHandle sa = SaHandle::none;
    PolicyHandle policy = PolicyHandle::none;
    Segment destination;
    std::uint32_t lease = 0;        ///< The boundary's buffer it lies in, 0: the caller's own.
    std::uint32_t cut = 0;          ///< Seal: longest piece the result is cut into; 0: not at all.
    std::uint32_t cut_buffers = 0;  ///< Seal: buffers reserved for that.
    std::uint32_t tail = 0;         ///< Piece: flight of the packet's last piece.
    Kind kind = Kind::seal;
    std::uint8_t depth = 0;    ///< Open: IPsec headers taken off before.
    Drop broken = Drop::none;  ///< Of a packet's last piece: why an earlier one was dropped.
    // Open: the outer header, which is gone afterwards.  Else: the inner one's flow.
    Flow flow;
  };

  /// What in a packet concerns this host's IPsec.
  enum class Part : std::uint8_t {
    nothing,
    fragment,  ///< Of what may be one of the others.
    ipsec,     ///< ESP or AH.
    nat,       ///< UDP to the NAT port.
    icmp,      ///< From outside: it may be about a packet of ours.
  };
  /// What is to be seen of a packet by itself; what few packets ask for is parsed again for them.
  struct Sight {
    Drop drop = Drop::none;
    Part part = Part::nothing;        ///< In, and to one of this host's addresses.
    std::uint8_t dscp = 0;            ///< Out.
    std::uint16_t header_length = 0;  ///< As in IpHeader.
    std::uint16_t spi_at = 0;         ///< ipsec, nat: octets to the SPI.
    std::uint32_t length = 0;         ///< As in IpHeader.
    std::uint32_t hash = 0;           ///< Of the flow, unless the packet needs no policy.
    Flow flow;
  };

  /// A packet on its way in: from the caller, joined from fragments, or out of a tunnel.  What
  /// takes it by value is not inlined: so it has an address only where that is called.
  struct Arrival {
    std::uint64_t cookie = 0;
    std::span<std::uint8_t> source, destination;
    std::uint32_t lease = 0;
    std::uint8_t depth = 0;
    SaView* through = nullptr;            ///< The SA it came out of,
    const Completion* opening = nullptr;  ///< and how; both or none.
  };

  /// While one exists, nothing the lane can see is taken away; longer if flights wait, which know
  /// SAs by their handles.
  class Burst {
   public:
    explicit Burst(Lane& lane) : lane_(lane) { lane.activity_.begin(); }
    ~Burst() {
      if (lane_.departures_.empty()) lane_.activity_.end();
    }
    Burst(const Burst&) = delete;
    Burst& operator=(const Burst&) = delete;

   private:
    Lane& lane_;
  };

  // ---- packets in several segments (lane.cpp)
  static Drop join(const Packet& packet) noexcept;
  static Packet joined(const Packet& packet) noexcept;
  template <class Look>
  static void look_joined(const Packet& packet, Sight& sight, Look&& look) noexcept;

  // ---- flights and outcomes (lane.cpp)
  void look_around() noexcept;
  /// Takes packets from the front, a few at a time: `look` at them fills sights_, then each is
  /// dealt with, until there is no room or `deal` says so.
  template <class Look, class Deal>
  std::size_t take(std::span<const Packet> packets, Look&& look, Deal&& deal) noexcept;
  bool has_room(std::uint32_t flights) const noexcept {
    return free_.size() >= flights && outcomes_.size() < outcome_limit_;
  }
  Flight& board(Kind kind, SaHandle sa, Segment source, Segment destination,
                std::uint32_t tfc) noexcept;
  bool depart() noexcept {
    return departures_.depart(common_.context, static_cast<QueueId>(number_));
  }
  Outcome& emit() noexcept;
  void settle(const Outcome& outcome) noexcept;
  Outcome& discard(std::uint64_t cookie, Way way, Drop drop) noexcept;
  void audit(Drop drop, const Flow& flow, SaHandle sa, std::uint64_t number,
             PolicyHandle policy) noexcept;
  void raise(BoundaryEvent event, const Flow& flow) noexcept;
  void expect(const Completion& completion) noexcept;
  void expire_fragments() noexcept;
  void run_errands() noexcept;
  void lose(Reassembler::Lost lost) noexcept;

  // ---- out (lane_out.cpp)
  void look_out(std::span<const std::uint8_t> packet, Sight& sight) noexcept;
  void look_out_other(std::span<const std::uint8_t> packet, Sight& sight) noexcept;
  template <auto parse>
  void look_out_as(std::span<const std::uint8_t> packet, Sight& sight) noexcept;
  bool send(const Packet& packet, const Sight& sight) noexcept;
  SaView* outbound_sa(FlowCache::Entry& known, unsigned dscp) noexcept;
  bool send_long(const Packet& packet, const Flow& flow, SaView& sa, PolicyHandle policy) noexcept;
  bool seal_pieces(const Packet& packet, const IpHeader& ip, const Flow& flow, SaView& sa,
                   PolicyHandle policy, std::uint32_t limit) noexcept;
  Flight& seal(const Packet& packet, std::uint32_t length, const Flow& flow, SaView& sa,
               PolicyHandle policy, std::uint32_t tfc) noexcept;
  void too_big(const Packet& packet, const IpHeader& ip, std::uint32_t mtu) noexcept;
  void acquire(const PolicyView& policy, const Flow& flow) noexcept;
  void sealed(std::uint32_t number, const Completion& completion) noexcept;
  void piece_sealed(std::uint32_t number, const Completion& completion) noexcept;
  void cut(const Flight& flight, const Completion& completion) noexcept;
  Outcome& result(const Flight& flight, const Completion& completion, Verdict verdict) noexcept;
  void dummy(SaView& sa) noexcept;
  void keepalive(SaView& sa) noexcept;

  // ---- in (lane_in.cpp)
  void look_in(std::span<const std::uint8_t> packet, bool opened, Sight& sight) noexcept;
  void look_in_other(std::span<const std::uint8_t> packet, bool opened, Sight& sight) noexcept;
  template <auto parse>
  void look_in_as(std::span<const std::uint8_t> packet, bool opened, Sight& sight) noexcept;
  void look_opened(std::span<const Completion> completions) noexcept;
  void complete(std::span<const Completion> completions) noexcept;
  Part part_of(const IpHeader& ip, const Flow& flow, bool opened) const noexcept;
  void arrive(const Arrival& arrival, const Sight& sight) noexcept;
  void arrive_other(Arrival arrival, const Sight& sight) noexcept;
  void emerge(const Arrival& arrival, const Sight& sight) noexcept;
  void emerge_joined(Arrival arrival, const Sight& sight) noexcept;
  bool take_in(Arrival arrival, const Sight& sight) noexcept;
  void join(Arrival arrival, const Sight& sight) noexcept;
  void open(const Arrival& arrival, const Sight& sight) noexcept;
  void open_other(Arrival arrival, const Sight& sight) noexcept;
  SaHandle inbound_sa(const Arrival& arrival, const Sight& sight) noexcept;
  SaHandle look_up_sa(std::uint32_t spi, std::span<const std::uint8_t> packet,
                      const Flow& outer) noexcept;
  void demultiplex(Arrival arrival, const Sight& sight) noexcept;
  bool heed(Arrival arrival, const Sight& sight) noexcept;
  static Drop judge(const SaView* through, const Flow& flow, const PolicyView& policy) noexcept;
  void opened(std::uint32_t number, const Completion& completion, const Sight& sight) noexcept;
  void note_mapping(SaView& sa, const Flow& from) noexcept;
  void refuse(Arrival arrival, const Flow& flow, Drop drop, PolicyHandle policy) noexcept;
  void deliver(const Arrival& arrival, std::uint32_t length, Verdict verdict, Way way,
               PolicyHandle policy) noexcept;

  Common& common_;
  unsigned number_;
  std::uint32_t nat_bits_;  // of Flow::goes_to()
  // As of the burst's beginning.
  const SpdView* spd_ = nullptr;
  const LocalView* local_ = nullptr;
  std::uint32_t sad_version_ = 0, sets_version_ = 0;

  std::vector<Flight> flights_;
  FixedStack free_;
  Departures departures_;
  FixedRing<Outcome> outcomes_;
  std::uint32_t outcome_limit_;
  std::span<Outcome> sink_;  // of the poll() under way
  std::size_t sunk_ = 0;

  static constexpr std::size_t kBatch = 64, kLookAhead = 16;
  std::array<Sight, kLookAhead> sights_;  // scratch
  std::array<Completion, kBatch> done_;   // likewise
  FlowCache flows_;
  SaCache inbound_sas_;
  Buffers small_, large_;
  std::uint32_t reserved_ = 0;  // of small_, for results to be cut
  Reassembler reassembler_;
  Ring<Errand> errands_;
  LaneCounters counters_;
  Activity activity_;
};

/// Takes a flight, whose job waits for the context from now on.  The caller fills in the rest.
/// Inlined, so that segments are not written in pieces and read back whole.
[[gnu::always_inline]] inline Lane::Flight& Lane::board(Kind kind, SaHandle sa, Segment source,
                                                        Segment destination,
                                                        std::uint32_t tfc) noexcept {
  const std::uint32_t number = free_.pop();
  Flight& f = flights_[number];
  f.kind = kind;
  f.sa = sa;
  f.destination = destination;
  if (kind == Kind::dummy)
    departures_.add_dummy(sa, number, destination, tfc);
  else
    departures_.add(sa, number, source, destination, tfc);
  return f;
}

/// Joins it and looks at the whole.
template <class Look>
[[gnu::noinline]] void Lane::look_joined(const Packet& packet, Sight& sight, Look&& look) noexcept {
  const Drop drop = join(packet);
  look(drop == Drop::none ? joined(packet).source : std::span<std::uint8_t>{}, sight);
  if (drop != Drop::none) sight.drop = drop;
}

template <class Look, class Deal>
[[gnu::always_inline]] inline std::size_t Lane::take(std::span<const Packet> packets, Look&& look,
                                                     Deal&& deal) noexcept {
  Burst burst(*this);
  look_around();
  if (!depart()) return 0;
  std::size_t taken = 0;
  for (bool room = true; room && taken < packets.size();) {
    const auto few = packets.subspan(taken, std::min(kLookAhead, packets.size() - taken));
    look(few);
    for (std::size_t i = 0; i < few.size() && room; ++i) {
      room = has_room(1) && deal(few[i], sights_[i]);
      taken += room;
    }
    if (departures_.size() >= kBatch) room = depart() && room;
  }
  LaneCounters::add(counters_.offered, taken);
  depart();
  return taken;
}

/// The next outcome to be filled in: straight into the caller's hands during poll().
[[gnu::always_inline]] inline Outcome& Lane::emit() noexcept {
  if (sunk_ < sink_.size()) {
    Outcome& out = sink_[sunk_++];
    out = {};
    return out;
  }
  outcomes_.push({});
  return outcomes_.at(outcomes_.size() - 1);
}

/// Counts a packet's last outcome.
inline void Lane::settle(const Outcome& outcome) noexcept {
  LaneCounters::add(counters_.verdicts[static_cast<unsigned>(outcome.verdict)]);
  if (outcome.drop != Drop::none)
    LaneCounters::add(counters_.drops[static_cast<unsigned>(outcome.drop)]);
}

}  // namespace espalier

// SPDX-License-Identifier: BSD-2-Clause-Patent
// Packets through the boundary (L2), both ways, as the input says: its own octets as they are, good
// packets, and what was sealed, cut, changed and shuffled on its way back in.  What must hold: each
// packet has one last outcome, counters balance, buffers come back, and what comes out of a tunnel
// is what went in.
#include <algorithm>
#include <cstdint>
#include <cstdlib>
#include <cstring>
#include <vector>

#include "espalier/boundary.hpp"
#include "espalier/driver/software.hpp"
#include "input.hpp"
#include "packet/octets.hpp"

using namespace espalier;
using fuzz::Input;

namespace {

using Bytes = std::vector<std::uint8_t>;
constexpr QueueId kQueue{0};

void demand(bool holds) {
  if (!holds) std::abort();
}

/// A host that talks to itself: tunnel and transport, plain and UDP-encapsulated ESP, AH.
class Rig {
 public:
  Rig() {
    std::vector<std::unique_ptr<driver::Device>> devices;
    devices.push_back(driver::make_software());
    context_ = std::move(*Context::create({}, std::move(devices)));
    BoundaryConfig config;
    config.buffers = 32;
    config.reassemblies = 4;
    config.local = {*Address::parse("192.0.2.1"), *Address::parse("192.0.2.2")};
    boundary_ = std::move(*Boundary::create(config, *context_));
    protect("10.2.0.0/16", "aes128gcm16", driver::Protocol::esp, driver::Mode::tunnel, false);
    protect("10.3.0.0/16", "aes256-sha256", driver::Protocol::esp, driver::Mode::tunnel, true);
    protect("10.4.0.0/16", "sha256", driver::Protocol::ah, driver::Mode::tunnel, false);
    protect("192.0.2.2", "null-sha1", driver::Protocol::esp, driver::Mode::transport, false);
  }
  void tick(unsigned seconds) {
    now_ += std::chrono::seconds(seconds);
    boundary_->tick(now_);
    for (BoundaryEvent event; boundary_->next_event(event);) {
    }
  }

  using Call = std::size_t (Boundary::*)(QueueId, std::span<const Packet>) noexcept;
  /// The packets of the outcomes with this verdict.  `pieces`: how many segments the packet comes
  /// in; 0: none, but a source.
  std::vector<Bytes> run(Call call, Bytes packet, std::size_t room, Verdict wanted,
                         unsigned pieces = 0) {
    Bytes destination(room);
    Packet p;
    p.cookie = ++cookie_;
    if (pieces == 0) p.source = packet;
    if (room != 0) p.destination = destination;
    std::vector<Bytes> memory;
    std::vector<Segment> segments;
    for (std::size_t i = 0, at = 0; i < pieces; ++i) {
      const std::size_t next = packet.size() * (i + 1) / pieces;
      memory.emplace_back(packet.begin() + at, packet.begin() + next);
      segments.push_back({memory.back().data(), static_cast<std::uint32_t>(next - at)});
      at = next;
    }
    p.segments = segments;
    demand((boundary_.get()->*call)(kQueue, {&p, 1}) == 1);
    std::vector<Bytes> out;
    unsigned last = 0;
    Outcome outcomes[5];
    for (std::size_t n = 1; n != 0;) {
      n = boundary_->poll(kQueue, outcomes);
      for (std::size_t i = 0; i < n; ++i) {
        const Outcome& o = outcomes[i];
        demand(o.cookie == cookie_ || o.verdict == Verdict::generated);
        demand((o.verdict == Verdict::discarded) == (o.drop != Drop::none));
        last += o.last && o.cookie == cookie_;
        Bytes result(o.packet.begin(), o.packet.end());
        if (o.verdict == wanted) out.push_back(std::move(result));
        boundary_->release(kQueue, o);
      }
    }
    demand(last == 1);
    return out;
  }
  void check_balance() const {
    const BoundaryCounters c = boundary_->counters();
    std::uint64_t settled = 0, drops = 0;
    for (unsigned v = 0; v <= static_cast<unsigned>(Verdict::discarded); ++v)
      settled += c.verdicts[v];
    for (const std::uint64_t n : c.drops) drops += n;
    const std::uint64_t later = drops - c.verdicts[static_cast<unsigned>(Verdict::discarded)];
    demand(c.offered == settled);
    demand(c.verdicts[static_cast<unsigned>(Verdict::absorbed)] ==
           c.fragments_joined + c.fragments_held + later + c.icmp_noted);
    demand(context_->outstanding(kQueue) == 0);
  }

 private:
  void protect(const char* remote, const char* suite_name, driver::Protocol protocol,
               driver::Mode mode, bool udp) {
    std::string why;
    const driver::Suite suite = *driver::parse_suite(suite_name, protocol, why);
    SaConfig sa;
    driver::apply(suite, sa.transform);
    const Bytes key(suite.cipher_key_length + suite.salt_length, 0x41),
        integrity(suite.integrity_key_length, 0x42);
    demand(driver::set_keys(suite, key, integrity, sa.transform).empty());
    sa.transform.mode = mode;
    sa.transform.udp_encapsulation = udp;
    sa.transform.spi = ++spi_;
    sa.ends.source = {192, 0, 2, 1};
    sa.ends.destination = {192, 0, 2, 2};
    SaRole role;
    role.path_mtu = 1000;
    const SetHandle set = *boundary_->add_set();
    demand(bool(boundary_->add_sa(set, sa, role)));
    sa.transform.direction = driver::Direction::open;
    demand(bool(boundary_->add_sa(set, sa)));
    PolicyConfig policy;
    policy.action = Action::protect;
    policy.set = set;
    policy.selector.remote = {*AddressRange::parse(remote)};
    demand(bool(boundary_->add(policy)));
    std::swap(policy.selector.remote, policy.selector.local);
    for (const Way way : {Way::in, Way::forward}) {
      policy.way = way;
      demand(bool(boundary_->add(policy)));
    }
  }

  std::unique_ptr<Context> context_;
  std::unique_ptr<Boundary> boundary_;
  std::uint64_t cookie_ = 0;
  std::uint32_t spi_ = 0x1000;
  Time now_{0};
};

Bytes clear_packet(std::size_t payload, unsigned which, std::uint8_t flags) {
  Bytes p(20 + payload, 0x5a);
  const std::uint8_t net = static_cast<std::uint8_t>(2 + which % 4);
  const std::uint8_t header[20] = {
      0x45, 0, 0,  0,   0, 1, static_cast<std::uint8_t>(flags & 0x40), 0, 64, 17, 0, 0, 10, 1,
      0,    1, 10, net, 0, 1};
  std::memcpy(p.data(), header, sizeof header);
  if (net == 5) {  // transport: from and to this host
    const std::uint8_t ends[8] = {192, 0, 2, 1, 192, 0, 2, 2};
    std::memcpy(p.data() + 12, ends, sizeof ends);
  }
  store_be16(p.data() + 2, static_cast<std::uint16_t>(p.size()));
  return p;
}

/// Out, changed on the way as the input says, and in.
void round_trip(Rig& rig, Input& in) {
  const unsigned which = in.octet() % 4;
  const Bytes clear = clear_packet(std::size_t{in.octet()} * 16 + in.octet(), which, in.octet());
  std::vector<Bytes> sealed =
      rig.run(&Boundary::outbound, clear, clear.size() + 128, Verdict::sealed);
  const std::uint8_t order = in.octet();
  if (!sealed.empty())
    std::rotate(sealed.begin(), sealed.begin() + order % sealed.size(), sealed.end());
  const bool cut = clear.size() > 800;  // perhaps in pieces before sealing
  for (Bytes& piece : sealed) {
    for (unsigned n = in.octet() % 4; n != 0; --n) {
      const std::size_t at = std::size_t{in.octet()} << 8 | in.octet();
      piece[at % piece.size()] ^= in.octet();
    }
    const std::uint8_t less = in.octet();
    if (less > 200)
      piece.resize(piece.size() - std::min<std::size_t>(less - 200, piece.size() - 1));
    for (const Bytes& opened : rig.run(&Boundary::inbound, piece, piece.size(), Verdict::opened)) {
      demand(cut || opened.size() == clear.size());
      if (!cut) demand(std::equal(opened.begin() + 20, opened.end(), clear.begin() + 20));
    }
  }
}

}  // namespace

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
  static Rig rig;
  Input in(data, size);
  while (!in.empty()) {
    const std::uint8_t what = in.octet();
    switch (what % 4) {
      case 0:
        rig.run(&Boundary::outbound, in.octets(1 + in.octet()), in.octet() * 4u, Verdict::sealed,
                what >> 2);
        break;
      case 1:
        rig.run(&Boundary::inbound, in.octets(1 + in.octet()), in.octet() * 4u, Verdict::opened,
                what >> 2);
        break;
      case 2:
        round_trip(rig, in);
        break;
      default:
        rig.tick(what >> 2);
    }
  }
  rig.check_balance();
  return 0;
}

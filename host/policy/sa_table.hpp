// SPDX-License-Identifier: BSD-2-Clause-Patent
// The SAs of a boundary: what the packet path needs of each, and the sets policies name.
//
// A view is immutable but for its atomics; the control thread publishes it with one store and frees
// it after a grace period.  Queues find outbound SAs through sets, inbound ones by their handle.
#pragma once

#include <atomic>
#include <memory>
#include <vector>

#include "espalier/boundary.hpp"
#include "espalier/driver/suite.hpp"
#include "policy/classifier.hpp"

namespace espalier {

/// What few packets ask for.
struct SaDetails {
  SaRole role;
  SaConfig config;  ///< Without keys.
  driver::Suite suite;
  std::unique_ptr<const Classifier> selector;  ///< Of the role's selector, if it has one.
};

struct alignas(64) SaView {
  // ---- read
  SaHandle handle = SaHandle::none;
  std::uint32_t set = 0;
  std::uint32_t spi = 0;
  bool outbound = false;
  bool tunnel = false;
  bool udp = false;
  bool pads = false;             ///< TFC padding.
  bool watched = false;          ///< Keepalives or dummies: last_sent is kept.
  bool selects = false;          ///< Inbound: its selector is narrower than its policy.
  bool fixes_checksums = false;  ///< Inbound: behind a NAT.
  Family outer = Family::ipv4;
  DontFragment dont_fragment = DontFragment::copy;
  Overhead overhead;
  std::atomic<std::uint32_t> path_mtu{kMaxOctets};  ///< Longest sealed packet.
  std::unique_ptr<SaDetails> more;
  // ---- written
  alignas(64) std::atomic<Time::rep> last_sent{0};
  std::atomic<Time::rep> learned_at{0};   ///< When ICMP lowered path_mtu; 0: it did not.
  std::atomic<std::uint64_t> mapping{0};  ///< Hash of the peer's address and port last reported.
  std::atomic<SaView*> next{nullptr};     ///< Chain of PeerIndex.

  static constexpr std::uint32_t kMaxOctets = driver::kMaxPacket;
};
static_assert(sizeof(SaView) == 128, "a line that is read, a line that is written");

/// The SAs of a set, the most specific first, then the newest.
struct SetView {
  struct Choice {
    SaView* sa = nullptr;
    std::uint64_t dscps = ~0ull;
    std::uint16_t queues = 0xffff;
  };
  std::vector<Choice> choices;

  /// True if the queue's packets take the same SA whatever their DSCP.
  bool same_for_all(unsigned queue) const noexcept {
    for (const Choice& c : choices)
      if ((c.queues >> queue & 1) != 0) return c.dscps == ~0ull;
    return true;
  }
  SaView* pick(unsigned queue, unsigned dscp) const noexcept {
    for (const Choice& c : choices)
      if ((c.dscps >> dscp & 1) != 0 && (c.queues >> queue & 1) != 0) return c.sa;
    return nullptr;
  }
};

struct SaSet {
  std::atomic<const SetView*> view{nullptr};
  std::atomic<Time::rep> acquire_after{0};
  std::atomic<std::uint32_t> generation{0};  ///< Of the live set; 0 while there is none.
  // ---- control thread only
  std::uint32_t last_generation = 0;
  std::vector<SaView*> members;  ///< In the order they were added.
  std::unique_ptr<const SetView> owned;
};

constexpr SetHandle make_set_handle(std::uint32_t index, std::uint32_t generation) {
  return static_cast<SetHandle>(static_cast<std::uint64_t>(generation) << 32 | index);
}

/// Outbound SAs by SPI and peer, for the ICMP that quotes them.  Control thread links and unlinks,
/// queues read.
class PeerIndex {
 public:
  PeerIndex() : heads_(std::make_unique<std::atomic<SaView*>[]>(kHeads)) {}
  void link(SaView& sa) noexcept;
  void unlink(SaView& sa) noexcept;
  SaView* find(std::uint32_t spi, Family family, const std::uint8_t* destination) const noexcept;

 private:
  static constexpr std::uint32_t kHeads = 4096;
  std::atomic<SaView*>& head(std::uint32_t spi) const noexcept {
    return heads_[(spi * 0x9e3779b1u) >> 20];
  }
  std::unique_ptr<std::atomic<SaView*>[]> heads_;
};

}  // namespace espalier

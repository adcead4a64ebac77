// SPDX-License-Identifier: BSD-2-Clause-Patent
// An SA as the packet path sees it.
//
// Everything but the atomics is written by the control thread before the SA is published and stays
// as it is until the last packet of it is gone; so queues read it without a lock.
#pragma once

#include <array>
#include <atomic>
#include <cstdint>
#include <memory>
#include <optional>

#include "espalier/address.hpp"
#include "espalier/sa.hpp"
#include "packet/ip.hpp"
#include "replay/window.hpp"
#include "sa/lifetime.hpp"
#include "sa/numbers.hpp"

namespace espalier {

/// How an outbound SA's IVs are made.
enum class IvKind : std::uint8_t { none, counter, cbc, caller };

/// Lengths and choices that seal() and open() need of each packet, worked out once.  Octets.
struct SaPlan {
  bool seal = false;
  bool ah = false;
  bool tunnel = false;
  bool esn = false;
  bool udp = false;
  bool ah_gmac = false;
  IvKind iv = IvKind::none;
  std::uint8_t iv_length = 0;        ///< On the wire (or within the AH ICV, for GMAC).
  std::uint8_t alignment = 4;        ///< The ESP body is a multiple of this.
  std::uint8_t spi_offset = 0;       ///< From ESP or AH to its SPI.
  std::uint8_t sequence_offset = 4;  ///< From ESP or AH to its sequence number.
  std::uint16_t head = 0;            ///< Outer header of a tunnel, or UDP header of transport mode.
  std::uint16_t front = 0;  ///< Head, ESP or AH header and IV: what stands before the payload.
  std::uint16_t fixed = 0;  ///< All that sealing adds except padding: head, ESP or AH header, IV,
                            ///< Pad Length, Next Header, ICV.
  std::uint16_t least = 0;  ///< Shortest ESP or AH of an inbound packet.
};

SaPlan plan_of(const SaConfig& config, const driver::Suite& suite);

/// How a tunnel's outer header follows from the packet and its number (RFC 4301 5.1.2.1, RFC 6040
/// 4.1), worked out once: what is kept of the packet, and what is set.
struct OuterPlan {
  std::uint8_t tos_keep = 0xff, tos_set = 0;
  bool df_keep = true, df_set = false;  ///< Kept of IPv4 alone.
  std::uint8_t ttl = 64;
  bool map_dscp = false;                      ///< By SaConfig::dscp_map.
  std::uint32_t flow_keep = 0, flow_set = 0;  ///< IPv6: the flow label, kept of IPv6 alone.
  std::uint32_t number_keep = 0;              ///< IPv4: the identification, bits of the number.
};

OuterPlan outer_plan_of(const SaConfig& config);

struct alignas(64) Sa {
  // ---- what each packet reads
  std::atomic<std::uint32_t> generation{0};  ///< Of the live SA; 0 while there is none.
  std::atomic<std::uint32_t> ready{0};       ///< Bit d: installed on device d.
  std::atomic<bool> expired{false};          ///< Hard lifetime over: takes no more packets.
  std::atomic<bool> soft_expired{false};
  std::atomic<bool> paused{false};  ///< Being changed: submit() takes no packet, and loses none.
  SaPlan plan;
  std::uint32_t spi = 0;
  std::atomic<std::uint32_t> supported{
      0};               ///< Bit d: device d implements it and has a slot for it.
  ReplayWindow window;  ///< Inbound; off if the SA has none.
  // ---- what outbound packets need
  alignas(64) NumberCounter numbers;
  std::uint64_t sender = 0;  ///< OR-ed into counter IVs (RFC 6054).
  OuterPlan head;
  Family outer = Family::ipv4;
  // ---- what packets write
  /// The queue that uses the SA, kNoQueue before the first, kManyQueues after a second.
  std::atomic<std::uint8_t> user{kNoQueue};
  std::atomic<bool> overflow_told{false};
  LifetimeMeter meter;
  // ---- what few packets need
  std::atomic<std::uint64_t> drops[spec::kDropCount] = {};
  // ---- control thread only
  SaConfig config;
  std::uint32_t last_generation = 0;
  Time added{0};                 ///< What lifetimes by time count from.
  std::uint32_t installing = 0;  ///< Bit d: install() begun on device d.
  // ---- SPI index, see SpiIndex
  std::atomic<std::uint32_t> next{0};
  Address destination, source;

  /// Has what a packet needs brought near; most packets need two lines.
  void prefetch() const noexcept {
    __builtin_prefetch(&generation);
    __builtin_prefetch(&numbers, 1);
  }

  static constexpr std::uint8_t kNoQueue = 0xff;
  static constexpr std::uint8_t kManyQueues = 0xfe;
};

// Neighbours spread over all sets of a cache only if they are an odd number of lines apart.
static_assert(sizeof(Sa) / 64 % 2 == 1);

constexpr SaHandle make_handle(std::uint32_t index, std::uint32_t generation) {
  return static_cast<SaHandle>(static_cast<std::uint64_t>(generation) << 32 | index);
}
constexpr std::uint32_t index_of(SaHandle handle) {
  return static_cast<std::uint32_t>(static_cast<std::uint64_t>(handle));
}
constexpr std::uint32_t generation_of(SaHandle handle) {
  return static_cast<std::uint32_t>(static_cast<std::uint64_t>(handle) >> 32);
}

/// Empty if the configuration is sound, else one line that says how to mend it.
std::string check(const SaConfig& config);

/// The last number an outbound SA may use: of its format (RFC 4303 2.2.1), of its IV's counter bits
/// (RFC 6054) and of its configuration, the lowest.
std::uint64_t number_limit(const SaConfig& config);

/// What sealing adds at most; see Overhead.
Overhead overhead_of(const SaPlan& plan);

}  // namespace espalier

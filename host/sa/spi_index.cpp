// SPDX-License-Identifier: BSD-2-Clause-Patent
#include "sa/spi_index.hpp"

#include <algorithm>
#include <bit>

namespace espalier {
namespace {

std::uint8_t protocol_of(const Sa& sa) {
  return sa.plan.ah ? kProtocolAh : kProtocolEsp;
}

}  // namespace

SpiIndex::SpiIndex(Sa* table, std::uint32_t capacity)
    : table_(table),
      shift_(32 - static_cast<unsigned>(std::bit_width(std::max(capacity, 2u)))),
      heads_(std::make_unique<std::atomic<std::uint32_t>[]>(std::size_t{1} << (32 - shift_))) {}

void SpiIndex::link(std::uint32_t index) noexcept {
  Sa& sa = table_[index];
  std::atomic<std::uint32_t>& first = head(sa.spi);
  sa.next.store(first.load(std::memory_order_relaxed), std::memory_order_relaxed);
  first.store(index + 1, std::memory_order_release);
}

void SpiIndex::unlink(std::uint32_t index) noexcept {
  std::atomic<std::uint32_t>* link = &head(table_[index].spi);
  for (std::uint32_t at = link->load(std::memory_order_relaxed); at != 0;
       at = link->load(std::memory_order_relaxed)) {
    std::atomic<std::uint32_t>& next = table_[at - 1].next;
    if (at == index + 1) {
      link->store(next.load(std::memory_order_relaxed), std::memory_order_release);
      return;
    }
    link = &next;
  }
}

bool SpiIndex::clashes(const Sa& sa) const noexcept {
  for (std::uint32_t at = head(sa.spi).load(std::memory_order_relaxed); at != 0;
       at = table_[at - 1].next.load(std::memory_order_relaxed)) {
    const Sa& other = table_[at - 1];
    if (&other != &sa && other.spi == sa.spi && protocol_of(other) == protocol_of(sa) &&
        other.destination == sa.destination &&
        (!sa.destination.is_multicast() || other.source == sa.source))
      return true;
  }
  return false;
}

// Unicast SAs match by SPI and protocol alone: their peer may move (MOBIKE, NAT), and the ICV says
// whose packet it is.  Multicast SAs share SPIs, so their addresses count.
std::uint32_t SpiIndex::find(std::uint32_t spi, std::uint8_t protocol, Family family,
                             const std::uint8_t* destination,
                             const std::uint8_t* source) const noexcept {
  const unsigned octets = family == Family::ipv4 ? 4 : 16;
  std::uint32_t best = kNone;
  int best_score = -1;
  for (std::uint32_t at = head(spi).load(std::memory_order_acquire); at != 0;
       at = table_[at - 1].next.load(std::memory_order_acquire)) {
    const Sa& sa = table_[at - 1];
    if (sa.spi != spi || protocol_of(sa) != protocol) continue;
    const bool same_family = sa.destination.family == family;
    const bool to =
        same_family && std::equal(destination, destination + octets, sa.destination.octets.begin());
    const bool from = same_family && std::equal(source, source + octets, sa.source.octets.begin());
    if (sa.destination.is_multicast() && !to) continue;
    const int score = 2 * to + (to && from);
    if (score > best_score) {
      best_score = score;
      best = at - 1;
    }
  }
  return best;
}

}  // namespace espalier

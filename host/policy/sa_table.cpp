// SPDX-License-Identifier: BSD-2-Clause-Patent
#include "policy/sa_table.hpp"

namespace espalier {

void PeerIndex::link(SaView& sa) noexcept {
  std::atomic<SaView*>& first = head(sa.spi);
  sa.next.store(first.load(std::memory_order_relaxed), std::memory_order_relaxed);
  first.store(&sa, std::memory_order_release);
}

void PeerIndex::unlink(SaView& sa) noexcept {
  std::atomic<SaView*>* link = &head(sa.spi);
  for (SaView* at = link->load(std::memory_order_relaxed); at != nullptr;
       at = link->load(std::memory_order_relaxed)) {
    if (at == &sa) {
      link->store(sa.next.load(std::memory_order_relaxed), std::memory_order_release);
      return;
    }
    link = &at->next;
  }
}

SaView* PeerIndex::find(std::uint32_t spi, Family family,
                        const std::uint8_t* destination) const noexcept {
  for (SaView* sa = head(spi).load(std::memory_order_acquire); sa != nullptr;
       sa = sa->next.load(std::memory_order_acquire)) {
    const driver::Endpoints& ends = sa->more->config.ends;
    if (sa->spi == spi && ends.family == family &&
        std::equal(destination, destination + (family == Family::ipv4 ? 4 : 16),
                   ends.destination.begin()))
      return sa;
  }
  return nullptr;
}

}  // namespace espalier

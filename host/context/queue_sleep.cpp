// SPDX-License-Identifier: BSD-2-Clause-Patent
// A queue that sleeps, and its counters.
#include <sys/eventfd.h>
#include <unistd.h>

#include "context/queue.hpp"

namespace espalier {

Queue::~Queue() {
  if (fd_ >= 0) close(fd_);
}

/// Holds nothing back: what waits for its batch goes to the devices now.
bool Queue::arm() noexcept {
  Reading reading(activity_);
  armed_.store(false, std::memory_order_relaxed);
  eventfd_t ignored;
  eventfd_read(fd_, &ignored);
  look_at_devices();
  flush(true);
  for (std::uint8_t d = 0; d < dispatch_.count(); ++d) collect(d);
  if (pending_.any_ready() || !rerun_.empty()) return true;
  armed_.store(outstanding() != 0, std::memory_order_release);
  return false;
}

bool Queue::wake() noexcept {
  return armed_.exchange(false, std::memory_order_acq_rel) && eventfd_write(fd_, 1) == 0;
}

void Queue::add_to(Totals& totals) const noexcept {
  totals.packets += packets_.load(std::memory_order_relaxed);
  totals.bytes += bytes_.load(std::memory_order_relaxed);
  for (unsigned r = 0; r < spec::kDropCount; ++r)
    totals.drops[r] += drops_[r].load(std::memory_order_relaxed);
}

}  // namespace espalier

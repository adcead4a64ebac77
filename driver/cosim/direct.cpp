// SPDX-License-Identifier: BSD-2-Clause-Patent
#include "cosim/direct.hpp"

#include "card/simulated_card.hpp"

namespace espalier::driver {

DirectTransport::DirectTransport(std::shared_ptr<sim::SimulatedCard> card)
    : card_(std::move(card)) {}
DirectTransport::~DirectTransport() = default;

std::uint32_t DirectTransport::read(std::uint32_t offset) noexcept {
  const std::lock_guard lock(mutex_);
  return card_->read_register(offset);
}

void DirectTransport::write(std::uint32_t offset, std::uint32_t value) noexcept {
  const std::lock_guard lock(mutex_);
  card_->write_register(offset, value);
}

std::span<std::uint8_t> DirectTransport::memory() noexcept {
  return card_->memory();
}
std::uint64_t DirectTransport::io_base() const noexcept {
  return sim::SimulatedCard::kIoBase;
}

void DirectTransport::wait() noexcept {
  const std::lock_guard lock(mutex_);
  card_->run(kWaitCycles);
}

Time DirectTransport::clock() noexcept {
  const std::lock_guard lock(mutex_);
  return Time(
      static_cast<std::int64_t>(static_cast<double>(card_->cycles()) * kNanosecondsPerCycle));
}

std::uint64_t DirectTransport::cycles() noexcept {
  const std::lock_guard lock(mutex_);
  return card_->cycles();
}

LinkCycles DirectTransport::link_cycles(std::uint32_t source, std::uint32_t result) noexcept {
  const sim::LinkLoad load = card_->options().link.load_of(source, result);
  return {load.up, load.down};
}

}  // namespace espalier::driver

// SPDX-License-Identifier: BSD-2-Clause-Patent
#include "espalier/driver/null.hpp"

#include <algorithm>
#include <cstring>
#include <new>
#include <vector>

namespace espalier::driver {
namespace {

constexpr unsigned kSlots = 65536;
constexpr std::size_t kAlignment = 64;

class NullDevice final : public Device {
 public:
  NullDevice(unsigned queues, unsigned depth) : slots_(kSlots, SlotState::empty), rings_(queues) {
    capabilities_.name = "null";
    capabilities_.priority = 1;
    capabilities_.queues = queues;
    capabilities_.queue_depth = depth;
    capabilities_.slots = kSlots;
    capabilities_.max_packet = kMaxPacket;
    capabilities_.max_segments = kMaxSegments;
    capabilities_.simulated = true;
    capabilities_.verifiable = false;
    for (Ring& ring : rings_) ring.entries.resize(depth);
  }

  const Capabilities& capabilities() const noexcept override { return capabilities_; }
  bool supports(const SaParameters&) const noexcept override { return true; }

  Status install(Slot slot, Generation, const SaParameters&) noexcept override {
    SlotState& state = slots_[static_cast<std::uint16_t>(slot)];
    if (state != SlotState::empty) return Status::no_room;
    state = SlotState::ready;
    return Status::ok;
  }
  void remove(Slot slot) noexcept override {
    slots_[static_cast<std::uint16_t>(slot)] = SlotState::empty;
  }
  SlotState slot_state(Slot slot) const noexcept override {
    return slots_[static_cast<std::uint16_t>(slot)];
  }

  std::size_t submit(QueueId queue, std::span<const Job> jobs) noexcept override {
    Ring& ring = rings_[static_cast<unsigned>(queue)];
    const std::size_t room = ring.entries.size() - (ring.tail - ring.head);
    const std::size_t n = std::min(room, jobs.size());
    for (std::size_t i = 0; i < n; ++i) {
      Completion& c = ring.entries[ring.tail++ & (ring.entries.size() - 1)];
      c.cookie = jobs[i].cookie;
      c.status = Status::ok;
      c.length = 0;
      for (const Segment& s : jobs[i].source) c.length += s.length;
      c.next_header = jobs[i].direction == Direction::seal ? 50 : 4;
    }
    return n;
  }
  std::size_t poll(QueueId queue, std::span<Completion> completions) noexcept override {
    Ring& ring = rings_[static_cast<unsigned>(queue)];
    std::size_t n = 0;
    while (n < completions.size() && ring.head != ring.tail)
      completions[n++] = ring.entries[ring.head++ & (ring.entries.size() - 1)];
    return n;
  }

  Time tick(Time) noexcept override { return Time::max(); }
  Health health() const noexcept override { return Health::ready; }
  bool reset() noexcept override {
    std::fill(slots_.begin(), slots_.end(), SlotState::empty);
    return true;
  }

  std::span<std::uint8_t> allocate(std::size_t bytes) noexcept override {
    void* memory = ::operator new (bytes, std::align_val_t{kAlignment}, std::nothrow);
    if (memory == nullptr) return {};
    std::memset(memory, 0, bytes);
    return {static_cast<std::uint8_t*>(memory), bytes};
  }
  void release(std::span<std::uint8_t> memory) noexcept override {
    ::operator delete (memory.data(), std::align_val_t{kAlignment});
  }

 private:
  struct Ring {
    std::vector<Completion> entries;
    std::size_t head = 0, tail = 0;  // free-running
  };
  Capabilities capabilities_;
  std::vector<SlotState> slots_;
  std::vector<Ring> rings_;
};

}  // namespace

std::unique_ptr<Device> make_null_device(unsigned queues, unsigned queue_depth) {
  return std::make_unique<NullDevice>(queues, queue_depth);
}

}  // namespace espalier::driver

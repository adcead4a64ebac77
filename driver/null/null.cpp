// SPDX-License-Identifier: BSD-2-Clause-Patent
#include "espalier/driver/null.hpp"

#include <algorithm>
#include <atomic>
#include <cstring>
#include <new>
#include <vector>

#include "espalier/driver/segments.hpp"

namespace espalier::driver {
namespace {

constexpr unsigned kSlots = 65536;
constexpr std::size_t kAlignment = 64;
constexpr std::uint32_t kStagedPacket = 2048;

class NullDevice final : public Device {
 public:
  NullDevice(unsigned queues, unsigned depth, bool staged)
      : staged_(staged), slots_(kSlots, SlotState::empty), rings_(queues) {
    capabilities_.name = "null";
    capabilities_.priority = 1;
    capabilities_.queues = queues;
    capabilities_.queue_depth = depth;
    capabilities_.slots = kSlots;
    capabilities_.max_packet = staged ? kStagedPacket : kMaxPacket;
    capabilities_.needs_pool_memory = staged;
    capabilities_.max_segments = kMaxSegments;
    capabilities_.simulated = true;
    capabilities_.verifiable = false;
    for (Ring& ring : rings_) {
      ring.entries.resize(depth);
      ring.mask = depth - 1;
      if (!staged) continue;
      ring.results.resize(depth);
      ring.memory.resize(std::size_t{depth} * kStagedPacket);
    }
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

  std::size_t submit(QueueId queue, Jobs jobs) noexcept override {
    Ring& ring = rings_[static_cast<unsigned>(queue)];
    const std::size_t room = ring.entries.size() - (ring.tail - ring.head);
    jobs = jobs.first(std::min(room, jobs.size()));
    for (const Job* const each : jobs) {
      const Job& job = *each;
      const std::size_t at = ring.tail++ & ring.mask;
      const auto length = static_cast<std::uint32_t>(total_length(job.source));
      ring.entries[at] = {job.cookie, Status::ok, length,
                          job.direction == Direction::seal ? kEsp : kIpv4};
      if (staged_) stage(ring, at, job);
    }
    if (staged_) ring.staged.fetch_add(jobs.size(), std::memory_order_relaxed);
    return jobs.size();
  }
  std::size_t poll(QueueId queue, std::span<Completion> completions) noexcept override {
    Ring& ring = rings_[static_cast<unsigned>(queue)];
    completions = completions.first(std::min(ring.tail - ring.head, completions.size()));
    for (Completion& completion : completions) {
      const std::size_t at = ring.head++ & ring.mask;
      completion = ring.entries[at];
      if (staged_) unstage(ring, at);
    }
    return completions.size();
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
  std::uint64_t staged_jobs() const noexcept override {
    std::uint64_t jobs = 0;
    for (const Ring& ring : rings_) jobs += ring.staged.load(std::memory_order_relaxed);
    return jobs;
  }

 private:
  static constexpr std::uint8_t kEsp = 50, kIpv4 = 4;  // protocol numbers

  struct Ring {
    std::vector<Completion> entries;
    std::size_t mask = 0;
    std::size_t head = 0, tail = 0;  // free-running
    // Staged only, by entry: where the result goes, and the memory it waits in.
    std::vector<Segment> results;
    std::vector<std::uint8_t> memory;
    std::atomic<std::uint64_t> staged{0};
  };

  static void stage(Ring& ring, std::size_t at, const Job& job) noexcept {
    std::uint8_t* to = &ring.memory[at * kStagedPacket];
    for (const Segment& s : job.source) {
      std::memcpy(to, s.data, s.length);
      to += s.length;
    }
    ring.results[at] = job.destination[0];
  }
  static void unstage(Ring& ring, std::size_t at) noexcept {
    const Segment& to = ring.results[at];
    std::memcpy(to.data, &ring.memory[at * kStagedPacket],
                std::min(to.length, ring.entries[at].length));
  }

  Capabilities capabilities_;
  bool staged_;
  std::vector<SlotState> slots_;
  std::vector<Ring> rings_;
};

}  // namespace

std::unique_ptr<Device> make_null_device(unsigned queues, unsigned queue_depth, bool staged) {
  return std::make_unique<NullDevice>(queues, queue_depth, staged);
}

}  // namespace espalier::driver

// SPDX-License-Identifier: BSD-2-Clause-Patent
// The software device: its slots, and memory.  The packet path is the queues' (queue.hpp).
#include <openssl/crypto.h>

#include <algorithm>
#include <cstdlib>
#include <cstring>
#include <deque>
#include <new>
#include <vector>

#include "espalier/driver/software.hpp"
#include "queue.hpp"

namespace espalier::driver {
namespace {

using namespace software;

constexpr std::size_t kAlignment = 64;

/// An SA out of its slot, and by queue what that queue may still be using.
struct Retired {
  struct Share {
    std::unique_ptr<KeyedSa> sa;
    std::uint64_t phase;  ///< Of the queue when it was taken out.
  };
  Slot slot;
  std::vector<Share> shares;
};

class Software final : public Device {
 public:
  explicit Software(const SoftwareOptions& options) : states_(options.slots) {
    for (unsigned i = 0; i < options.queues; ++i)
      queues_.push_back(std::make_unique<Queue>(options));
    const MultiBuffer* multi_buffer = queues_[0]->multi_buffer();
    capabilities_.cipher_library = multi_buffer != nullptr ? multi_buffer->name() : "OpenSSL";
    capabilities_.name = "software";
    capabilities_.keeps_source = false;
    capabilities_.queues = options.queues;
    capabilities_.queue_depth = options.queue_depth;
    capabilities_.slots = options.slots;
    capabilities_.max_packet = kMaxPacket;
    capabilities_.max_segments = kMaxSegments;
  }

  /// False if a queue lacks what the options want.
  bool complete(const SoftwareOptions& options) const {
    return !options.multi_buffer || std::all_of(queues_.begin(), queues_.end(), [](const auto& q) {
      return q->multi_buffer() != nullptr;
    });
  }

  const Capabilities& capabilities() const noexcept override { return capabilities_; }
  bool supports(const SaParameters& sa) const noexcept override { return check(sa).empty(); }

  Status install(Slot slot, Generation generation, const SaParameters& sa) noexcept override;
  void remove(Slot slot) noexcept override;
  SlotState slot_state(Slot slot) const noexcept override;
  std::size_t submit(QueueId queue, Jobs jobs) noexcept override {
    const auto id = static_cast<std::size_t>(queue);
    return id < queues_.size() ? queues_[id]->submit(jobs) : 0;
  }
  std::size_t poll(QueueId queue, std::span<Completion> completions) noexcept override {
    const auto id = static_cast<std::size_t>(queue);
    return id < queues_.size() ? queues_[id]->poll(completions) : 0;
  }

  Time tick(Time now) noexcept override {
    collect();
    constexpr Time kIdle = std::chrono::seconds(1);
    return now + kIdle;
  }
  Health health() const noexcept override { return Health::ready; }
  bool reset() noexcept override;
  std::span<std::uint8_t> allocate(std::size_t bytes) noexcept override;
  void release(std::span<std::uint8_t> memory) noexcept override;

 private:
  void collect() const noexcept;
  bool passed(const Retired& retired) const noexcept;

  Capabilities capabilities_;
  std::vector<std::unique_ptr<Queue>> queues_;
  // The control thread's own; slot_state() is const to its caller but may find an SA free to go.
  mutable std::vector<SlotState> states_;
  mutable std::deque<Retired> retired_;
};

std::size_t index(Slot slot) {
  return static_cast<std::size_t>(slot);
}

Status Software::install(Slot slot, Generation generation, const SaParameters& sa) noexcept {
  collect();
  if (index(slot) >= states_.size() || states_[index(slot)] != SlotState::empty)
    return Status::no_room;
  if (!supports(sa)) return Status::unsupported;
  try {
    std::vector<std::unique_ptr<KeyedSa>> keyed;
    for (const auto& queue : queues_) {
      keyed.push_back(KeyedSa::make(sa, generation, queue->multi_buffer()));
      if (!keyed.back()) return Status::unsupported;
    }
    for (std::size_t i = 0; i < queues_.size(); ++i)
      queues_[i]->publish(index(slot), std::move(keyed[i]));
  } catch (const std::bad_alloc&) {
    return Status::no_room;
  }
  states_[index(slot)] = SlotState::ready;
  return Status::ok;
}

void Software::remove(Slot slot) noexcept {
  if (index(slot) >= states_.size() || states_[index(slot)] != SlotState::ready) return;
  Retired retired{slot, {}};
  for (const auto& queue : queues_) {
    auto sa = queue->withdraw(index(slot));
    retired.shares.push_back({std::move(sa), queue->phase()});
  }
  states_[index(slot)] = SlotState::removing;
  retired_.push_back(std::move(retired));
  collect();
}

bool Software::passed(const Retired& retired) const noexcept {
  for (std::size_t i = 0; i < queues_.size(); ++i)
    if (!queues_[i]->passed(retired.shares[i].phase)) return false;
  return true;
}

/// From the oldest on: a queue that has not passed one has not passed any behind it.
void Software::collect() const noexcept {
  while (!retired_.empty() && passed(retired_.front())) {
    states_[index(retired_.front().slot)] = SlotState::empty;
    retired_.pop_front();
  }
}

SlotState Software::slot_state(Slot slot) const noexcept {
  if (index(slot) >= states_.size()) return SlotState::empty;
  if (states_[index(slot)] == SlotState::removing) collect();
  return states_[index(slot)];
}

bool Software::reset() noexcept {
  for (std::size_t i = 0; i < states_.size(); ++i) remove(static_cast<Slot>(i));
  collect();
  return retired_.empty();
}

std::span<std::uint8_t> Software::allocate(std::size_t bytes) noexcept {
  const std::size_t rounded = (bytes + kAlignment - 1) / kAlignment * kAlignment;
  if (bytes == 0 || rounded < bytes) return {};
  void* memory = std::aligned_alloc(kAlignment, rounded);
  if (memory == nullptr) return {};
  std::memset(memory, 0, rounded);
  return {static_cast<std::uint8_t*>(memory), bytes};
}

void Software::release(std::span<std::uint8_t> memory) noexcept {
  OPENSSL_cleanse(memory.data(), memory.size());
  std::free(memory.data());
}

}  // namespace

bool multi_buffer_available() {
  return software::MultiBuffer::make() != nullptr;
}

std::unique_ptr<Device> make_software(const SoftwareOptions& options) {
  constexpr unsigned kMaxQueues = 256, kMaxSlots = 65536;
  if (options.queues == 0 || options.queues > kMaxQueues || options.queue_depth == 0 ||
      options.slots == 0 || options.slots > kMaxSlots)
    return nullptr;
  try {
    auto software = std::make_unique<Software>(options);
    return software->complete(options) ? std::move(software) : nullptr;
  } catch (const std::bad_alloc&) {
    return nullptr;
  }
}

}  // namespace espalier::driver

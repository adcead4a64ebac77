// SPDX-License-Identifier: BSD-2-Clause-Patent
// One packet through a device, for tests that look at packets and not at queues.
#pragma once

#include <gtest/gtest.h>

#include <cstdint>
#include <span>
#include <thread>
#include <vector>

#include "espalier/driver/device.hpp"
#include "support.hpp"

namespace espalier::driver::test {

/// What came of a job: `packet` is the result, empty unless ok.
struct Outcome {
  Status status = Status::internal_error;
  Bytes packet;
  std::uint8_t next_header = 0;

  bool operator==(const Outcome&) const = default;
};

/// Polls or ticks after which a device that owes something has lost it.  Every one of them yields:
/// what a device owes may hang on another thread, which gets its turn so on a busy machine too.
constexpr unsigned kPatience = 10'000'000;

/// Polls until one completion is there.
inline Completion wait_for(Device& device, QueueId queue = QueueId{0}) {
  Completion completion;
  for (unsigned i = 0; i < kPatience && device.health() <= Health::suspect; ++i) {
    if (device.poll(queue, {&completion, 1}) == 1) return completion;
    std::this_thread::yield();
  }
  ADD_FAILURE() << device.capabilities().name << " never completed the job";
  return completion;
}

/// Submits `job` with one source and one destination segment of `room` octets.
inline Outcome run(Device& device, Job job, Bytes source, std::size_t room = kMaxPacket + 64) {
  Bytes destination(room, 0xdd);
  const Segment in{source.data(), static_cast<std::uint32_t>(source.size())};
  const Segment out{destination.data(), static_cast<std::uint32_t>(destination.size())};
  job.source = {&in, 1};
  job.destination = {&out, 1};
  EXPECT_TRUE(device.submit_one(QueueId{0}, job));
  const Completion completion = wait_for(device);
  EXPECT_EQ(completion.cookie, job.cookie);
  EXPECT_LE(completion.length, room);
  destination.resize(completion.length);
  return {completion.status, destination, completion.next_header};
}

/// Ticks until the slot is in `state`.
inline void settle(Device& device, Slot slot, SlotState state) {
  for (unsigned i = 0; i < kPatience; ++i) {
    if (device.slot_state(slot) == state) return;
    device.tick(Time{0});
    std::this_thread::yield();
  }
  ADD_FAILURE() << device.capabilities().name << " left the slot in another state";
}

/// Installs and waits until the slot is ready.
inline Status install(Device& device, Slot slot, Generation generation, const SaParameters& sa) {
  const Status status = device.install(slot, generation, sa);
  if (status == Status::ok) settle(device, slot, SlotState::ready);
  return status;
}

/// Removes and waits until the slot is wiped.
inline void remove(Device& device, Slot slot) {
  device.remove(slot);
  settle(device, slot, SlotState::empty);
}

}  // namespace espalier::driver::test

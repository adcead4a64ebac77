// SPDX-License-Identifier: BSD-2-Clause-Patent
// One packet through a device, for tests that look at packets and not at queues.
#pragma once

#include <gtest/gtest.h>

#include <cstdint>
#include <span>
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

/// Polls until one completion is there; a device that owes one for `kPatience` polls has lost it.
inline Completion wait_for(Device& device, QueueId queue = QueueId{0}) {
  constexpr unsigned kPatience = 1'000'000;
  Completion completion;
  for (unsigned i = 0; i < kPatience && device.health() == Health::ready; ++i)
    if (device.poll(queue, {&completion, 1}) == 1) return completion;
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
  EXPECT_EQ(device.submit(QueueId{0}, {&job, 1}), 1u);
  const Completion completion = wait_for(device);
  EXPECT_EQ(completion.cookie, job.cookie);
  EXPECT_LE(completion.length, room);
  destination.resize(completion.length);
  return {completion.status, destination, completion.next_header};
}

/// Installs and waits until the slot is ready.
inline Status install(Device& device, Slot slot, Generation generation, const SaParameters& sa) {
  const Status status = device.install(slot, generation, sa);
  for (unsigned i = 0; status == Status::ok && device.slot_state(slot) != SlotState::ready; ++i) {
    if (i == 1'000'000) {
      ADD_FAILURE() << device.capabilities().name << " never got slot ready";
      break;
    }
    device.tick(Time{0});
  }
  return status;
}

inline void remove(Device& device, Slot slot) {
  device.remove(slot);
  for (unsigned i = 0; device.slot_state(slot) != SlotState::empty; ++i) {
    if (i == 1'000'000) {
      ADD_FAILURE() << device.capabilities().name << " never wiped the slot";
      break;
    }
    device.tick(Time{0});
  }
}

}  // namespace espalier::driver::test

// SPDX-License-Identifier: BSD-2-Clause-Patent
#include "cli/rig.hpp"

#include <chrono>
#include <string>

#include "cli/command.hpp"

namespace espalier::cli {
namespace {

constexpr std::uint32_t kRoom = driver::kMaxPacket + 1024;
constexpr auto kPatience = std::chrono::seconds(60);

driver::Time now() {
  return std::chrono::steady_clock::now().time_since_epoch();
}

driver::Slot last_slot(const driver::Device& device) {
  return static_cast<driver::Slot>(device.capabilities().slots - 1);
}

}  // namespace

/// Polls until `done` says so; a completion that comes meanwhile is handed to it.
template <class Done>
void Rig::wait(Done&& done, const char* what) {
  const driver::Time begun = now();
  for (;;) {
    driver::Completion completion;
    const bool any = device_.poll(driver::QueueId{0}, {&completion, 1}) != 0;
    if (done(any ? &completion : nullptr)) return;
    device_.tick(now());
    if (now() - begun > kPatience)
      throw Failure("device " + std::string(device_.capabilities().name) + " did not " + what +
                    " within 60 s; see 'espalier devices' for its health");
  }
}

void Rig::install(const driver::SaParameters& sa) {
  generation_ = static_cast<driver::Generation>(static_cast<std::uint16_t>(generation_) + 1);
  const driver::Slot slot = last_slot(device_);
  const driver::Status status = device_.install(slot, generation_, sa);
  if (status != driver::Status::ok)
    throw Failure(std::string("device refused an SA it supports: ") + spec::info(status).name);
  wait([&](auto*) { return device_.slot_state(slot) == driver::SlotState::ready; },
       "install an SA");
}

Rig::Outcome Rig::run(driver::Job job, Octets packet) {
  Octets result(kRoom);
  const driver::Segment source{packet.data(), static_cast<std::uint32_t>(packet.size())};
  const driver::Segment destination{result.data(), driver::kMaxPacket};
  job.slot = last_slot(device_);
  job.generation = generation_;
  job.source = {&source, 1};
  job.destination = {&destination, 1};
  if (!device_.submit_one(driver::QueueId{0}, job))
    throw Failure("device took no job although none was under way");
  Outcome outcome{driver::Status::internal_error, {}, 0};
  wait(
      [&](const driver::Completion* completion) {
        if (completion == nullptr) return false;
        outcome.status = completion->status;
        outcome.next_header = completion->next_header;
        result.resize(completion->length);
        return true;
      },
      "complete a job");
  if (outcome.status == driver::Status::ok) outcome.packet = std::move(result);
  return outcome;
}

void Rig::remove() {
  const driver::Slot slot = last_slot(device_);
  device_.remove(slot);
  wait([&](auto*) { return device_.slot_state(slot) == driver::SlotState::empty; }, "remove an SA");
}

}  // namespace espalier::cli

// SPDX-License-Identifier: BSD-2-Clause-Patent
#include "cli/settle.hpp"

#include <algorithm>
#include <chrono>

#include "cli/command.hpp"
#include "sa/sa.hpp"

namespace espalier::cli {
namespace {

constexpr auto kPatience = std::chrono::seconds(60);

Time now() {
  return std::chrono::steady_clock::now().time_since_epoch();
}

bool installing(const driver::Device& device, SaHandle sa) {
  const std::uint32_t slot = index_of(sa);
  return slot < device.capabilities().slots &&
         device.slot_state(static_cast<driver::Slot>(slot)) == driver::SlotState::installing;
}

}  // namespace

void wait_until_installed(Context& context, const std::vector<SaHandle>& sas) {
  const auto waiting = [&] {
    return std::any_of(context.devices().begin(), context.devices().end(), [&](const auto& device) {
      return std::any_of(sas.begin(), sas.end(),
                         [&](SaHandle sa) { return installing(*device, sa); });
    });
  };
  const Time begun = now();
  bool more = true;
  while (more) {
    more = waiting();  // and one tick() after, by which the context learns of it
    Completion none;
    context.poll(QueueId{0}, {&none, 1});
    context.tick(now());
    if (now() - begun > kPatience)
      throw Failure("a device did not install an SA within 60 s; see 'espalier devices'");
  }
}

}  // namespace espalier::cli

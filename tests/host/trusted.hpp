// SPDX-License-Identifier: BSD-2-Clause-Patent
// Contexts over real devices, and one that lies.
#pragma once

#include <optional>

#include "espalier/driver/wrapping.hpp"
#include "fixture.hpp"

namespace espalier::test {

/// Passes everything on to another device, and damages what it did while `lies`.
class Liar final : public driver::WrappingDevice {
 public:
  explicit Liar(std::unique_ptr<driver::Device> inner)
      : WrappingDevice(std::move(inner)), can_(WrappingDevice::capabilities()) {
    can_.name = "liar";
    can_.priority = 10;
  }
  bool lies = false;
  std::optional<driver::Status> verdict;  ///< Instead of the true one.
  std::size_t hold_after = 1 << 20;       ///< Completions a poll gives at most.

  const driver::Capabilities& capabilities() const noexcept override { return can_; }
  std::size_t submit(driver::QueueId queue, driver::Jobs jobs) noexcept override {
    const std::size_t n = inner().submit(queue, jobs);
    for (std::size_t i = 0; i < n && lies; ++i) jobs[i]->destination[0].data[30] ^= 4;
    return n;
  }
  std::size_t poll(driver::QueueId queue, std::span<driver::Completion> out) noexcept override {
    const std::size_t n = inner().poll(queue, out.first(std::min(out.size(), hold_after)));
    for (driver::Completion& c : out.first(n))
      if (verdict) {
        c.status = *verdict;
        c.length = *verdict == driver::Status::ok ? 100 : 0;
      }
    return n;
  }

 private:
  driver::Capabilities can_;
};

inline Result<std::unique_ptr<Context>> over(std::unique_ptr<driver::Device> first,
                                             std::unique_ptr<driver::Device> second = nullptr,
                                             const ContextConfig& config = {}) {
  std::vector<std::unique_ptr<driver::Device>> devices;
  devices.push_back(std::move(first));
  if (second) devices.push_back(std::move(second));
  return Context::create(config, std::move(devices));
}

/// Sends one packet through and waits for its completion, 1,000 polls at most.
inline bool pass(Context& context, SaHandle sa, std::vector<std::uint8_t> packet,
                 Completion& done) {
  std::vector<std::uint8_t> room(2048);
  const Segment in{packet.data(), static_cast<std::uint32_t>(packet.size())};
  const Segment out{room.data(), static_cast<std::uint32_t>(room.size())};
  Job job;
  job.sa = sa;
  job.source = {&in, 1};
  job.destination = {&out, 1};
  if (context.submit(kQueue, {&job, 1}) != 1) return false;
  for (int i = 0; i < 1000; ++i)
    if (context.poll(kQueue, {&done, 1}) == 1) return true;
  return false;
}

}  // namespace espalier::test

// SPDX-License-Identifier: BSD-2-Clause-Patent
// A simulated card under the Device contract, with its simulation at hand.
#pragma once

#include <gtest/gtest.h>

#include <cstdlib>
#include <memory>
#include <string>

#include "card/card.hpp"
#include "card/random.hpp"
#include "card/simulated_card.hpp"
#include "cosim/direct.hpp"

namespace espalier::driver::test {

inline std::uint64_t seed() {
  const char* text = std::getenv("ESPALIER_SEED");
  return text != nullptr ? std::strtoull(text, nullptr, 0) : 20261123;
}

/// Time-outs short enough for a simulation, long against a healthy link.
inline CardSettings quick_settings() {
  CardSettings s;
  s.name = "cosim";
  s.simulated = true;
  s.doorbell_timeout = std::chrono::microseconds(20);
  s.job_timeout = std::chrono::microseconds(60);
  s.reset_timeout = std::chrono::microseconds(60);
  s.heartbeat = std::chrono::microseconds(50);
  return s;
}

struct CardUnderTest {
  std::shared_ptr<sim::SimulatedCard> simulation;
  std::unique_ptr<Device> device;

  explicit CardUnderTest(sim::CardOptions options = {},
                         const CardSettings& settings = quick_settings()) {
    options.seed = seed();
    simulation = std::make_shared<sim::SimulatedCard>(options);
    std::string why;
    device = open_card(std::make_unique<DirectTransport>(simulation), settings, why);
    EXPECT_TRUE(device) << why;
  }
  Device* operator->() { return device.get(); }
};

}  // namespace espalier::driver::test

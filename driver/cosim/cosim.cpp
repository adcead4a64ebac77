// SPDX-License-Identifier: BSD-2-Clause-Patent
#include "espalier/driver/cosim.hpp"

#include <exception>
#include <optional>

#include "card/card.hpp"
#include "card/simulated_card.hpp"
#include "cosim/direct.hpp"

namespace espalier::driver {

namespace {

std::optional<sim::LinkProfile> profile(const std::string& name) {
  if (name == "ideal") return sim::LinkProfile::ideal();
  if (name == "pcie3x16") return sim::LinkProfile::pcie3x16();
  return std::nullopt;
}

}  // namespace

std::unique_ptr<Device> make_cosim(const CosimOptions& options, std::string& why) {
  const auto link = profile(options.link);
  if (!link) {
    why = "no link profile '" + options.link + "'; use ideal or pcie3x16";
    return nullptr;
  }
  if (options.depth_log2 < 3 || options.depth_log2 > 13) {
    why = "the queue depth must be a power of two from 8 to 8192";
    return nullptr;
  }
  sim::CardOptions card;
  card.link = *link;
  card.seed = options.seed;
  card.memory_bytes = options.memory_bytes;
  card.waves = options.waves;
  CardSettings settings;
  settings.name = "cosim";
  settings.priority = 10;
  settings.simulated = true;
  settings.depth_log2 = options.depth_log2;
  try {
    auto simulation = std::make_shared<sim::SimulatedCard>(card);
    return open_card(std::make_unique<DirectTransport>(std::move(simulation)), settings, why);
  } catch (const std::exception& e) {
    why = e.what();
    return nullptr;
  }
}

}  // namespace espalier::driver

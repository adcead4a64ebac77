// SPDX-License-Identifier: BSD-2-Clause-Patent
// Reads a file of tests/vectors; tests run in the project's root.
#pragma once

#include <fstream>
#include <nlohmann/json.hpp>
#include <stdexcept>
#include <string>
#include <vector>

namespace espalier::test {

inline nlohmann::json vectors(const std::string& name) {
  std::ifstream in("tests/vectors/packets/" + name + ".json");
  if (!in) throw std::runtime_error("run from the project's root: tests/vectors/packets/" + name);
  return nlohmann::json::parse(in).at("vectors");
}

inline std::vector<std::uint8_t> octets(const std::string& hex) {
  std::vector<std::uint8_t> out;
  for (std::size_t i = 0; i + 1 < hex.size(); i += 2)
    out.push_back(static_cast<std::uint8_t>(std::stoul(hex.substr(i, 2), nullptr, 16)));
  return out;
}

}  // namespace espalier::test

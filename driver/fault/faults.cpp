// SPDX-License-Identifier: BSD-2-Clause-Patent
#include "espalier/driver/fault.hpp"

namespace espalier::driver {
namespace {

constexpr FaultName kNames[] = {
    {"refuse", &FaultOptions::refuse, false, "submit takes fewer jobs"},
    {"read_error", &FaultOptions::read_error, false, "a job fails before it starts"},
    {"write_error", &FaultOptions::write_error, false, "a job fails and leaves rubbish"},
    {"stall", &FaultOptions::stall, false, "completions pause"},
    {"reorder", &FaultOptions::reorder, false, "completions change places"},
    {"duplicate", &FaultOptions::duplicate, false, "a completion comes twice"},
    {"lose", &FaultOptions::lose, false, "a completion never comes"},
    {"hang", &FaultOptions::hang, false, "no completion comes until reset"},
    {"late_write", &FaultOptions::late_write, false, "a result is written after the time-out"},
    {"false_icv", &FaultOptions::false_icv, false, "a good packet fails its ICV"},
    {"flip", &FaultOptions::flip, true, "a bit of a good result is wrong"},
    {"refuse_install", &FaultOptions::refuse_install, false, "an SA finds no slot"},
};

std::string unknown(std::string_view name) {
  std::string text = "unknown fault '" + std::string(name) + "'; use all or a list of";
  for (const FaultName& known : kNames) text += " " + std::string(known.name);
  return text;
}

}  // namespace

std::span<const FaultName> fault_names() {
  return kNames;
}

std::string set_faults(std::string_view list, unsigned per_million, FaultOptions& options) {
  while (true) {
    const std::size_t comma = list.find(',');
    const std::string_view name = list.substr(0, comma);
    bool known = false;
    for (const FaultName& fault : kNames)
      if (name == "all" || name == fault.name) {
        options.*fault.rate = per_million;
        known = true;
      }
    if (!known) return unknown(name);
    if (comma == std::string_view::npos) return {};
    list.remove_prefix(comma + 1);
  }
}

}  // namespace espalier::driver

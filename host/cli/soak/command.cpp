// SPDX-License-Identifier: BSD-2-Clause-Patent
// espalier soak: does a device that fails lose a packet?
#include <fmt/core.h>

#include <nlohmann/json.hpp>

#include "cli/command.hpp"
#include "cli/progress.hpp"
#include "cli/soak/soak.hpp"

namespace espalier::cli {
namespace {

struct Arguments {
  std::string device = "auto";
  std::string faults = "all";
  std::uint64_t packets = 100'000;
  std::uint64_t seed = 1;
  unsigned rate = 2'000;
  int shadow = -1;
  bool json = false;
};

constexpr int kEvery = 1'000'000;

/// Faults that take the device out of service strike more seldom, so that it does some work
/// between.
constexpr unsigned driver::FaultOptions::*kGrave[] = {
    &driver::FaultOptions::lose,       &driver::FaultOptions::hang,
    &driver::FaultOptions::late_write, &driver::FaultOptions::false_icv,
    &driver::FaultOptions::flip,
};
constexpr unsigned kGraver = 10;

SoakOptions options_of(const Arguments& arguments) {
  SoakOptions options;
  options.device = arguments.device;
  options.packets = arguments.packets;
  options.seed = arguments.seed;
  if (arguments.faults != "none") {
    const std::string why = driver::set_faults(arguments.faults, arguments.rate, options.faults);
    if (!why.empty()) throw Failure(why + ", or none");
  }
  for (const auto fault : kGrave) options.faults.*fault /= kGraver;
  // Silent faults are found by comparison alone.
  bool silent = false;
  for (const driver::FaultName& fault : driver::fault_names())
    silent = silent || (fault.silent && options.faults.*fault.rate != 0);
  if (arguments.shadow >= 0)
    options.shadow_per_million = static_cast<std::uint32_t>(arguments.shadow);
  else if (silent)
    options.shadow_per_million = kEvery;
  return options;
}

std::string replay(const Arguments& a) {
  std::string line = fmt::format("espalier soak --device {} --faults {} --packets {} --seed {}",
                                 a.device, a.faults, a.packets, a.seed);
  if (a.rate != Arguments().rate) line += fmt::format(" --rate {}", a.rate);
  if (a.shadow >= 0) line += fmt::format(" --shadow {}", a.shadow);
  return line;
}

nlohmann::ordered_json describe(const Arguments& a, const SoakCounts& c) {
  return {{"device", a.device},
          {"faults", a.faults},
          {"packets", a.packets},
          {"seed", a.seed},
          {"submitted", c.submitted},
          {"delivered", c.delivered},
          {"refused", c.refused},
          {"lost", c.lost},
          {"duplicated", c.duplicated},
          {"reordered", c.reordered},
          {"corrupted", c.corrupted},
          {"nonce_reused", c.nonce_reused},
          {"plaintext_leaked", c.plaintext_leaked},
          {"fell_back", c.fell_back},
          {"quarantined", c.quarantined},
          {"by_device", c.by_device},
          {"rekeys", c.rekeys}};
}

int run(const Arguments& arguments) {
  const SoakOptions options = options_of(arguments);
  std::unique_ptr<Progress> progress;
  if (!arguments.json)
    progress = std::make_unique<Progress>("soak " + arguments.device, arguments.packets);
  const SoakCounts counts = soak(options, [&](std::uint64_t done) {
    if (progress) progress->show(done);
  });
  const nlohmann::ordered_json all = describe(arguments, counts);
  if (arguments.json) {
    fmt::print("{}\n", all.dump());
  } else {
    progress->finish(counts.good() ? "nothing lost" : "FAILED");
    for (const auto& [name, value] : all.items())
      if (value.is_number() && name != "seed" && name != "packets")
        fmt::print("{:>12}  {}\n", value.dump(), name);
    for (const auto& [reason, count] : counts.reasons)
      fmt::print("{:>12}    lost: {}\n", count, reason);
  }
  if (counts.good()) return kDone;
  fmt::print(stderr, "espalier: seed {} failed; again with: {}\n", arguments.seed,
             replay(arguments));
  return kSomeFailed;
}

std::string fault_help() {
  std::string text = "all, none, or a list of:";
  for (const driver::FaultName& fault : driver::fault_names())
    text += fmt::format(" {} ({});", fault.name, fault.doc);
  text.pop_back();
  return text;
}

}  // namespace

void add_soak(CLI::App& app, int& status) {
  auto* command = app.add_subcommand(
      "soak", "Random traffic through a device with faults; exit 1 if anything was lost");
  auto arguments = std::make_shared<Arguments>();
  command->add_option("--device", arguments->device, kDeviceHelp);
  command->add_option("--faults", arguments->faults, fault_help());
  command->add_option("--packets", arguments->packets, "Packets to submit")
      ->check(CLI::Range(1, 1'000'000'000));
  command
      ->add_option("--seed", arguments->seed, "The same seed gives the same run, 1 to 4294967295")
      ->check(CLI::Range(1u, ~0u));
  command
      ->add_option("--rate", arguments->rate,
                   "Jobs per million each fault strikes; a tenth of that for those that take the "
                   "device out of service")
      ->check(CLI::Range(0, kEvery));
  command
      ->add_option("--shadow", arguments->shadow,
                   "Packets per million verified against software; by default all if a fault is "
                   "silent, else 1000")
      ->check(CLI::Range(0, kEvery));
  command->add_flag("--json", arguments->json, "One JSON object");
  command->callback([arguments, &status] { status = run(*arguments); });
}

}  // namespace espalier::cli

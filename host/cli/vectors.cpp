// SPDX-License-Identifier: BSD-2-Clause-Patent
// espalier vectors, espalier selftest: packets with known answers on a device.
#include <fmt/core.h>

#include <algorithm>
#include <filesystem>
#include <fstream>

#include "cli/command.hpp"
#include "cli/vectors/inbound.hpp"
#include "cli/vectors/pair.hpp"

namespace espalier::cli {
namespace {

/// Known answers compiled in: one vector of each kind of SA (selftest.json).
extern "C" const char espalier_selftest_vectors[];

struct Options {
  std::string device = "auto";
  std::vector<std::string> files;
  bool json = false;
  bool verbose = false;
};

class Runner {
 public:
  Runner(const std::string& device, bool tamper) : tamper_(tamper) {
    ContextConfig config;
    config.max_sas = 16;
    std::vector<std::unique_ptr<driver::Device>> devices;
    devices.push_back(device_or_fail(device));
    auto made = Context::create(config, std::move(devices));
    if (!made) throw Failure(made.error());
    context_ = std::move(*made);
  }

  const driver::Device& device() const { return *context_->devices()[0]; }

  Verdict check(const std::string& format, const nlohmann::json& vector) {
    if (format == "ipsec-packet-vectors" || format == "ipsec-implicit-iv") {
      Rig rig(*context_->devices()[0]);
      return check_pair(rig, device(), vector, tamper_);
    }
    if (format == "ipsec-inbound-tampered") return check_tampered(*context_, vector);
    if (format == "ipsec-replay-scripts") return check_replay_script(*context_, vector);
    if (format == "ecn-decapsulation") return check_ecn(*context_, vector);
    if (format == "ipsec-nat-checksum") return check_nat_checksum(*context_, vector);
    if (format == "udp-4500-demultiplexing") return check_udp_4500(vector);
    throw Failure("has format '" + format + "', none of those tests/vectors/MANIFEST.md lists");
  }

 private:
  bool tamper_;
  std::unique_ptr<Context> context_;
};

nlohmann::json read(const std::filesystem::path& path) {
  std::ifstream in(path);
  if (!in) throw Failure("can't read " + path.string() + "; check the path and its permissions");
  try {
    return nlohmann::json::parse(in);
  } catch (const nlohmann::json::exception& error) {
    throw Failure(path.string() + " is not JSON: " + error.what());
  }
}

/// A directory stands for the .json files in it, by name.
std::vector<std::filesystem::path> expand(const std::vector<std::string>& names) {
  std::vector<std::filesystem::path> out;
  for (const std::string& name : names) {
    if (!std::filesystem::is_directory(name)) {
      out.emplace_back(name);
      continue;
    }
    const std::size_t first = out.size();
    for (const auto& entry : std::filesystem::directory_iterator(name))
      if (entry.path().extension() == ".json") out.push_back(entry.path());
    if (out.size() == first) throw Failure("no .json file in directory " + name);
    std::sort(out.begin() + static_cast<std::ptrdiff_t>(first), out.end());
  }
  return out;
}

/// `path` is what errors name, `name` what results do.
Report run_file(Runner& runner, const std::string& path, const std::string& name,
                const nlohmann::json& file) {
  Report report;
  try {
    for (const nlohmann::json& vector : file.at("vectors")) {
      const Verdict verdict = runner.check(file.at("format"), vector);
      if (verdict.kind == Verdict::Kind::failed)
        fmt::print("FAILED {} {}: {}\n", name, vector.at("id").get<std::string>(), verdict.why);
      report.add(verdict);
    }
  } catch (const nlohmann::json::exception& error) {
    throw Failure(path + " is no vector file: " + error.what());
  } catch (const Failure& failure) {
    throw Failure(path + ": " + failure.what());
  }
  if (report.passed + report.failed + report.skipped == 0)
    throw Failure(path + " holds no vector; give a file that tests/vectors/MANIFEST.md describes");
  return report;
}

void print(const std::string& name, const Report& report, const Options& options) {
  if (options.json) {
    fmt::print("{}\n", nlohmann::json{{"file", name},
                                      {"passed", report.passed},
                                      {"failed", report.failed},
                                      {"skipped", report.skipped},
                                      {"skips", report.skips}}
                           .dump());
    return;
  }
  fmt::print("{:<40} {:>5} passed {:>5} failed {:>5} skipped\n", name, report.passed, report.failed,
             report.skipped);
}

int run_vectors(const Options& options) {
  Runner runner(options.device, false);
  Report total;
  for (const std::filesystem::path& path : expand(options.files)) {
    const std::string name = path.stem().string();
    const Report report = run_file(runner, path.string(), name, read(path));
    print(name, report, options);
    total.passed += report.passed;
    total.failed += report.failed;
    total.skipped += report.skipped;
    for (const auto& [why, count] : report.skips) total.skips[why] += count;
  }
  if (!options.json)
    for (const auto& [why, count] : total.skips) fmt::print("skipped {:>5}: {}\n", count, why);
  fmt::print("{} passed, {} failed, {} skipped\n", total.passed, total.failed, total.skipped);
  return total.failed == 0 ? kDone : kSomeFailed;
}

int run_selftest(const Options& options) {
  Runner runner(options.device, true);
  const Report report =
      run_file(runner, "selftest", "selftest", nlohmann::json::parse(espalier_selftest_vectors));
  const std::string device(runner.device().capabilities().name);
  if (options.json) {
    print(device, report, options);
  } else {
    if (options.verbose)
      for (const auto& [why, count] : report.skips) fmt::print("skipped {:>5}: {}\n", count, why);
    fmt::print("{}: {} passed, {} failed, {} skipped\n", device, report.passed, report.failed,
               report.skipped);
  }
  if (report.passed + report.failed == 0)
    throw Failure("device " + device + " offers no suite with known answers");
  return report.failed == 0 ? kDone : kSomeFailed;
}

}  // namespace

void add_vectors(CLI::App& app, int& status) {
  auto* command = app.add_subcommand("vectors", "Check packet vectors on a device");
  auto options = std::make_shared<Options>();
  command->add_option("--device", options->device, kDeviceHelp)->capture_default_str();
  command->add_flag("--json", options->json, "One JSON object a file, before the last line");
  command->add_option("files", options->files, "Vector files, or directories of them")
      ->required()
      ->check(CLI::ExistingPath);
  command->callback([options, &status] { status = run_vectors(*options); });
}

void add_selftest(CLI::App& app, int& status) {
  auto* command = app.add_subcommand(
      "selftest", "Known answers on a device: seal, open, and every octet of the ICV changed");
  auto options = std::make_shared<Options>();
  command->add_option("--device", options->device, kDeviceHelp)->capture_default_str();
  command->add_flag("--json", options->json, "One JSON object");
  command->add_flag("-v,--verbose", options->verbose, "Say what was skipped, and why");
  command->callback([options, &status] { status = run_selftest(*options); });
}

}  // namespace espalier::cli

// SPDX-License-Identifier: BSD-2-Clause-Patent
// espalier devices: what there is to run on.
#include <fmt/core.h>

#include <nlohmann/json.hpp>

#include "cli/command.hpp"
#include "espalier/devices.hpp"
#include "espalier/driver/suite.hpp"

namespace espalier::cli {
namespace {

/// Suites of ESP in IPv4 tunnels, the mode every device begins with.
std::vector<std::string> suites_of(const driver::Device& device) {
  std::vector<std::string> out;
  for (const driver::Suite& suite : driver::all_suites()) {
    driver::SaParameters sa;
    driver::apply(suite, sa);
    sa.spi = 256;
    const std::vector<std::uint8_t> cipher(suite.cipher_key_length),
        auth(suite.integrity_key_length);
    sa.cipher_key.assign(cipher);
    sa.integrity_key.assign(auth);
    driver::set_header_template({}, sa);
    if (device.supports(sa))
      out.push_back((suite.protocol == driver::Protocol::ah ? "ah:" : "") +
                    driver::suite_name(suite));
  }
  return out;
}

nlohmann::json describe(const std::string& name, const driver::Device& device) {
  const driver::Capabilities& can = device.capabilities();
  return {{"device", name},
          {"health", driver::name(device.health())},
          {"priority", can.priority},
          {"simulated", can.simulated},
          {"ciphers", can.cipher_library},
          {"queues", can.queues},
          {"queue_depth", can.queue_depth},
          {"slots", can.slots},
          {"max_packet", can.max_packet},
          {"max_segments", can.max_segments},
          {"tunnel4_suites", suites_of(device)}};
}

void list(const DeviceKind& kind, const std::string& name, const std::string& what, bool json) {
  std::string why;
  DeviceOptions options;
  if (name != kind.name) options.argument = name.substr(kind.name.size() + 1);
  const auto device = kind.open(options, why);
  if (!device) {
    if (json)
      fmt::print("{}\n", nlohmann::json{{"device", name}, {"health", "gone"}}.dump());
    else
      fmt::print("{:<17} gone      {}: did not open: {}\n", name, what, why);
    return;
  }
  const nlohmann::json d = describe(name, *device);
  if (json) {
    fmt::print("{}\n", d.dump());
    return;
  }
  fmt::print("{:<17} {:<9} {}\n", name, d["health"].get<std::string>(), what);
  fmt::print("{:<27} {} queues of {}, {} SA slots, packets to {} octets, {} suites\n", "",
             d["queues"].dump(), d["queue_depth"].dump(), d["slots"].dump(), d["max_packet"].dump(),
             d["tunnel4_suites"].size());
  if (const auto& ciphers = d["ciphers"].get_ref<const std::string&>(); !ciphers.empty())
    fmt::print("{:<27} ciphers: {}\n", "", ciphers);
}

int run(bool json) {
  for (const DeviceKind& kind : device_kinds()) {
    list(kind, std::string(kind.name), std::string(kind.what), json);
    // What this machine has, not only ways to open the device.
    if (kind.name != "software") continue;
    list(kind, "software:openssl", "the same by OpenSSL alone", json);
    list(kind, "software:ipsec-mb", "the same by libipsec-mb wherever that can", json);
  }
  return kDone;
}

}  // namespace

std::unique_ptr<driver::Device> device_or_fail(const std::string& name,
                                               const DeviceOptions& options) {
  auto device = open_device(name, options);
  if (!device) throw Failure(device.error());
  return std::move(*device);
}

void add_devices(CLI::App& app, int& status) {
  auto* command = app.add_subcommand("devices", "List the devices, their capabilities and health");
  auto json = std::make_shared<bool>(false);
  command->add_flag("--json", *json, "One JSON object a line");
  command->callback([json, &status] { status = run(*json); });
}

}  // namespace espalier::cli

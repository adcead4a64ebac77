// SPDX-License-Identifier: BSD-2-Clause-Patent
#include "device/registry.hpp"

#include "espalier/driver/null.hpp"
#include "espalier/driver/software.hpp"

namespace espalier {
namespace {

constexpr unsigned kSoftwareSlots = 65536;

std::unique_ptr<driver::Device> open_software(const DeviceOptions& options) {
  driver::SoftwareOptions software;
  software.queues = options.queues;
  software.queue_depth = options.queue_depth;
  software.slots = kSoftwareSlots;
  return driver::make_software(software);
}

std::unique_ptr<driver::Device> open_null(const DeviceOptions& options) {
  return driver::make_null_device(options.queues, options.queue_depth);
}

constexpr DeviceKind kKinds[] = {
    {"software", "the CPU, by OpenSSL: every suite and mode", open_software},
    {"null", "does nothing, says ok: for measuring costs", open_null},
};

std::string names() {
  std::string out = "auto";
  for (const DeviceKind& kind : kKinds) out += ", " + std::string(kind.name);
  return out;
}

}  // namespace

std::span<const DeviceKind> device_kinds() {
  return kKinds;
}

Result<std::unique_ptr<driver::Device>> open_device(std::string_view name,
                                                    const DeviceOptions& options) {
  const std::string_view wanted = name == "auto" ? "software" : name;
  for (const DeviceKind& kind : kKinds)
    if (kind.name == wanted) {
      auto device = kind.open(options);
      if (!device)
        return Error{"device " + std::string(wanted) + " did not open; see its page in docs/"};
      return device;
    }
  return Error{"no device '" + std::string(name) + "' in this build; use one of " + names()};
}

}  // namespace espalier

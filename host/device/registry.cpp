// SPDX-License-Identifier: BSD-2-Clause-Patent
#include "espalier/devices.hpp"

#include <algorithm>
#include <bit>

#include "espalier/driver/null.hpp"
#include "espalier/driver/software.hpp"
#if defined(ESPALIER_HAVE_CSIM) || defined(ESPALIER_HAVE_ENGINE)
#include "espalier/driver/stream.hpp"
#endif
#ifdef ESPALIER_HAVE_COSIM
#include "espalier/driver/cosim.hpp"
#endif

namespace espalier {
namespace {

using Opened = std::unique_ptr<driver::Device>;

Opened open_software(const DeviceOptions& options, std::string& why) {
  driver::SoftwareOptions software;
  software.queues = options.queues;
  software.queue_depth = options.queue_depth;
  software.slots = options.slots;
  const bool insists = options.argument == "ipsec-mb", available = driver::multi_buffer_available();
  software.multi_buffer = insists || (available && options.argument != "openssl");
  software.few_by_openssl = !insists;
  if (insists && !available) {
    why = "this build has no libipsec-mb, or the CPU no AES instructions; use device software";
    return nullptr;
  }
  return driver::make_software(software);
}

#if defined(ESPALIER_HAVE_CSIM) || defined(ESPALIER_HAVE_ENGINE)
constexpr unsigned kStreamDepth = 1024;

driver::StreamOptions stream_options(const DeviceOptions& options) {
  driver::StreamOptions stream;
  stream.queue_depth = std::min(options.queue_depth, kStreamDepth);
  return stream;
}
#endif
#ifdef ESPALIER_HAVE_ENGINE
Opened open_engine(const DeviceOptions& options, std::string& why) {
  driver::StreamOptions stream = stream_options(options);
  stream.trace_file = options.waves;
  stream.occupancy = options.occupancy;
  auto device = driver::make_engine(stream);
  if (!device && !options.waves.empty())
    why = "waveforms are not built in: configure with -DESPALIER_WAVES=ON";
  return device;
}
#endif
#ifdef ESPALIER_HAVE_CSIM
Opened open_csim(const DeviceOptions& options, std::string&) {
  return driver::make_csim(stream_options(options));
}
#endif
#ifdef ESPALIER_HAVE_COSIM
Opened open_cosim(const DeviceOptions& options, std::string& why) {
  driver::CosimOptions cosim;
  if (!options.argument.empty()) cosim.link = options.argument;
  cosim.waves = options.waves;
  cosim.depth_log2 = static_cast<unsigned>(std::bit_width(options.queue_depth) - 1);
  return driver::make_cosim(cosim, why);
}
#endif

Opened open_null(const DeviceOptions& options, std::string&) {
  return driver::make_null_device(options.queues, options.queue_depth,
                                  options.argument == "staged");
}

constexpr DeviceKind kKinds[] = {
    {"software",
     "the CPU: every suite and mode, by libipsec-mb where that is there and faster, else OpenSSL",
     "openssl,ipsec-mb", open_software},
#ifdef ESPALIER_HAVE_COSIM
    {"cosim",
     "the whole simulated card, rings to engine, in Verilator (cosim:ideal, cosim:pcie3x16)",
     "ideal,pcie3x16", open_cosim},
#endif
#ifdef ESPALIER_HAVE_ENGINE
    {"engine", "the bare packet engine's RTL, in Verilator", "", open_engine},
#endif
#ifdef ESPALIER_HAVE_CSIM
    {"csim", "the packet engine's C++, compiled natively", "", open_csim},
#endif
    {"null", "does nothing, says ok: for measuring costs (null:staged copies in and out)", "staged",
     open_null},
};

std::string names() {
  std::string out = "auto";
  for (const DeviceKind& kind : kKinds) out += ", " + std::string(kind.name);
  return out;
}

/// Empty if the kind takes the argument, else what it does take.
std::string refuse(const DeviceKind& kind, const std::string& argument) {
  std::string taken;
  for (std::string_view left = kind.arguments; !left.empty();) {
    const std::string_view one = left.substr(0, left.find(','));
    if (one == argument) return {};
    taken += " or " + std::string(kind.name) + ':' + std::string(one);
    left.remove_prefix(std::min(left.size(), one.size() + 1));
  }
  return "it does not know '" + argument + "'; use " + std::string(kind.name) + taken;
}

}  // namespace

std::span<const DeviceKind> device_kinds() {
  return kKinds;
}

Result<Opened> open_device(std::string_view name, DeviceOptions options) {
  const std::string_view wanted = name == "auto" ? "software" : name.substr(0, name.find(':'));
  const std::size_t colon = name.find(':');
  if (colon != std::string_view::npos) options.argument = name.substr(colon + 1);
  if (!options.waves.empty() && wanted != "engine" && wanted != "cosim")
    return Error{"device " + std::string(wanted) +
                 " has no signals; use engine or cosim for waveforms"};
  if (options.occupancy != nullptr && wanted != "engine")
    return Error{"device " + std::string(wanted) +
                 " shows no stages; use engine for their occupancy"};
  for (const DeviceKind& kind : kKinds) {
    if (kind.name != wanted) continue;
    std::string why = colon == std::string_view::npos ? "" : refuse(kind, options.argument);
    if (why.empty())
      if (Opened device = kind.open(options, why)) return device;
    if (why.empty()) why = "its options are out of range, or memory is short";
    return Error{"device " + std::string(wanted) + " did not open: " + why};
  }
  return Error{"no device '" + std::string(name) + "' in this build; use one of " + names()};
}

}  // namespace espalier

// SPDX-License-Identifier: BSD-2-Clause-Patent
// Random traffic both ways through a device with faults, and an account of every packet.
#pragma once

#include <cstdint>
#include <functional>
#include <map>
#include <memory>
#include <string>

#include "espalier/driver/device.hpp"
#include "espalier/driver/fault.hpp"

namespace espalier::cli {

struct SoakOptions {
  std::string device = "software";
  driver::FaultOptions faults;
  std::uint64_t packets = 100'000;
  std::uint64_t seed = 1;
  std::uint32_t shadow_per_million = 1'000;
};

/// What became of the packets.  A packet counts once as lost, duplicated, corrupted or leaked.
struct SoakCounts {
  std::uint64_t submitted = 0;  ///< Taken by the library.
  std::uint64_t delivered = 0;
  std::uint64_t refused = 0;     ///< Forged and replayed packets that were dropped, as they should.
  std::uint64_t lost = 0;        ///< Good packets dropped, or never heard of again.
  std::uint64_t duplicated = 0;  ///< Completed twice, or a replay that was delivered.
  std::uint64_t reordered = 0;   ///< Delivered before an earlier packet of its SA.
  std::uint64_t corrupted = 0;   ///< Wrong octets, or a buffer written to after its completion.
  std::uint64_t nonce_reused = 0;
  std::uint64_t plaintext_leaked = 0;  ///< Released although it was not authentic.
  std::uint64_t fell_back = 0;         ///< Done by software in place of the device.
  std::uint64_t quarantined = 0;       ///< Times the device was taken out of service.
  std::uint64_t rekeys = 0;
  std::uint64_t by_device = 0;                   ///< Delivered packets that the device did.
  std::map<std::string, std::uint64_t> reasons;  ///< Of lost packets.

  bool good() const {
    return lost + duplicated + reordered + corrupted + nonce_reused + plaintext_leaked == 0;
  }
};

/// Runs to the end.  `progress` is called now and then with the packets submitted.  Throws Failure
/// if a device does not open.
SoakCounts soak(const SoakOptions& options, const std::function<void(std::uint64_t)>& progress);

}  // namespace espalier::cli

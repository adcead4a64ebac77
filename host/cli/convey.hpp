// SPDX-License-Identifier: BSD-2-Clause-Patent
// Many packets through a context, and what became of each.
#pragma once

#include <cstdint>
#include <functional>
#include <map>
#include <span>
#include <string>

#include "cli/rig.hpp"
#include "espalier/context.hpp"

namespace espalier::cli {

/// One packet on its way.
struct Parcel {
  SaHandle sa = SaHandle::none;          ///< None: it is not sent, `drop` says why.
  std::span<const std::uint8_t> source;  ///< From the IP header on.
  Octets result;                         ///< Empty if dropped.
  Drop drop = Drop::none;
  std::uint8_t device = 0xff;       ///< Index in Context::devices().
  Refusal refusal = Refusal::none;  ///< Why a better device did not do it.
};

/// How the best device's packets flowed: from the first ones' completion to the last one's, in the
/// cycles of a simulated device.  So the time a first packet takes to get through is left out.
struct Flow {
  std::uint64_t cycles = 0;
  std::uint64_t packets = 0;  ///< Completed after the first poll that gave any.
  std::uint64_t source_octets = 0, result_octets = 0;
  std::uint64_t beats = 0;  ///< Sum over packets of the longer side's 64-octet beats.
};

/// Sends every parcel that has an SA through queue 0, in order, as many under way as the queue
/// holds, and waits for them all.  `progress`, if any, is told now and then how many are done.
/// Throws Failure if the devices do not answer.
Flow convey(Context& context, std::span<Parcel> parcels,
            const std::function<void(std::size_t)>& progress = {});

/// Counts over parcels, for reports.
struct Tally {
  std::uint64_t packets = 0, done = 0, octets = 0, dropped = 0;
  std::map<std::string, std::uint64_t> drops;      ///< By reason.
  std::map<std::string, std::uint64_t> devices;    ///< Done, by device.
  std::map<std::string, std::uint64_t> fallbacks;  ///< Done by a lesser device, by reason.

  void count(const Context& context, const Parcel& parcel);
  void count_drop(const std::string& reason);
};

}  // namespace espalier::cli

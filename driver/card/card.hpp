// SPDX-License-Identifier: BSD-2-Clause-Patent
// A card under the Device contract: queue pairs for packets, one more for control jobs, and what to
// do when the card does not answer.
#pragma once

#include <memory>
#include <string>
#include <string_view>

#include "card/transport.hpp"
#include "espalier/driver/device.hpp"

namespace espalier::driver {

/// Times are by the transport's clock.
struct CardSettings {
  std::string_view name;  ///< Of the device; a literal.
  unsigned priority = 100;
  bool simulated = false;
  unsigned depth_log2 = 10;       ///< log2 of the jobs a queue holds, 3 to 13.
  unsigned staging_blocks = 128;  ///< Per queue.
  Time doorbell_timeout = std::chrono::microseconds(100);  ///< No answer: ring again.
  Time job_timeout = std::chrono::milliseconds(50);        ///< No answer: reset the card.
  Time reset_timeout = std::chrono::milliseconds(50);      ///< Not quiet: answer jobs all the same.
  Time heartbeat = std::chrono::milliseconds(10);          ///< An idle card is asked this often.
};

/// Opens the card behind `transport`: checks magic, version and layout hash, resets it, waits until
/// all slots are wiped.  Null on failure; `why` is then one line that says how to mend it.
///
/// A card that lets a job wait longer than job_timeout is reset.  Its jobs complete, as timed_out,
/// when the reset is acknowledged: then nothing of theirs is in flight any more.  If it is not
/// acknowledged within reset_timeout they complete all the same, but pool memory that is released
/// stays out of use until the card is quiet, for ever if it never is; the caller must take a
/// timed_out job's destination for lost.  All slots are empty after a reset.
std::unique_ptr<Device> open_card(std::unique_ptr<Transport> transport,
                                  const CardSettings& settings, std::string& why);

}  // namespace espalier::driver

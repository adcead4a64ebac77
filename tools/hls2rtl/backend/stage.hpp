// SPDX-License-Identifier: BSD-2-Clause-Patent
#pragma once
#include "backend/schedule.hpp"
#include "hwir/hwir.hpp"

namespace espalier::backend {

/// A step function, translated and scheduled.
struct Stage {
  hwir::Module module;
  Schedule schedule;
};

/// Balances and schedules a step function.  Memories whose writes are to be forwarded get the
/// registers and multiplexers for it.  Throws hwir::Error as schedule() does.
Stage makeStage(hwir::Module module, const ScheduleOptions& options);

}  // namespace espalier::backend

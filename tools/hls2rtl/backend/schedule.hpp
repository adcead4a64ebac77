// SPDX-License-Identifier: BSD-2-Clause-Patent
/// Spreads a step over pipeline stages.
///
/// One step enters stage 0 per clock and moves on by one stage each clock, without stalls.  State
/// binds: a register and the computation of its next value are in one stage, so that the next step,
/// one clock behind, finds it ready; whatever decides about popping an input is in stage 0; the two
/// ports of a memory are in one stage, so that reads and writes happen in the order of the steps.
#pragma once
#include <string>
#include <vector>

#include "backend/timing.hpp"
#include "hwir/hwir.hpp"

namespace espalier::backend {

struct ScheduleOptions {
  int levels = 4;  ///< LUT levels a stage may have, as far as feed-forward logic goes
  int limit = 5;   ///< LUT levels a recurrence, or what decides about a pop, may have
};

/// Registers that depend on each other within a step, and so have to fit one stage.
struct Recurrence {
  std::vector<std::string> registers;
  hwir::SourceLoc loc;  ///< of the first register
  int stage = 0;
  int levels = 0;
};

struct Schedule {
  int stages = 1;
  Stages node;                ///< of each node: where it is computed; memory data: where it arrives
  std::vector<int> reg;       ///< where a register lives
  std::vector<int> push;      ///< where an output is pushed
  std::vector<int> mem_read;  ///< where a memory's address is presented
  std::vector<int> mem_write;  ///< where a memory is written
  std::vector<int> levels;     ///< deepest path of each stage
  std::vector<Recurrence> recurrences;
};

/// Throws hwir::Error, naming registers, source line and depth, if state or pops don't fit a stage.
Schedule schedule(const hwir::Module& module, const ScheduleOptions& options);

/// For each node bit the last stage that uses it (at least the one that computes it).
std::vector<std::vector<int>> lastUses(const hwir::Module& module, const Schedule& schedule);

}  // namespace espalier::backend

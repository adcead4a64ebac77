// SPDX-License-Identifier: BSD-2-Clause-Patent
/// SystemVerilog of one scheduled stage.
///
/// Ports: clk_i, rst_i (synchronous); per input <name>_valid_i, <name>_data_i, <name>_ready_o
/// (popped this cycle); per output <name>_valid_o, <name>_data_o, <name>_room_i.  A step fires when
/// every output has room; <name>_room_i has to promise as many free slots as margin() says.
#pragma once
#include <string>

#include "backend/schedule.hpp"
#include "hwir/hwir.hpp"

namespace espalier::backend {

/// The module's text, one file.
std::string emit(const hwir::Module& module, const Schedule& schedule);

/// Free slots an output's FIFO has to promise: the words under way in the pipeline, and one.
inline int margin(const Schedule& schedule, unsigned output) {
  return schedule.push[output] + 1;
}

/// Flip-flop bits: state, and registers that carry values between pipeline stages.
struct FlipFlops {
  long state = 0;
  long pipeline = 0;
};
FlipFlops flipFlops(const hwir::Module& module, const Schedule& schedule);

}  // namespace espalier::backend

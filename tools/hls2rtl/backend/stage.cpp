// SPDX-License-Identifier: BSD-2-Clause-Patent
#include "backend/stage.hpp"

#include <vector>

#include "backend/balance.hpp"
#include "hwir/forward.hpp"

namespace espalier::backend {

using hwir::Hazard;
using hwir::Module;

namespace {

/// The module with forwarding over `steps` steps for each memory that has more than none.
Module withForwarding(Module m, const std::vector<unsigned>& steps) {
  for (unsigned i = 0; i < steps.size(); i++) {
    if (steps[i]) m = forwardWrites(m, i, steps[i]);
  }
  return m;
}

}  // namespace

Stage makeStage(Module m, const ScheduleOptions& options) {
  std::vector<unsigned> steps(m.memories.size(), 0);
  for (unsigned i = 0; i < m.memories.size(); i++) {
    if (m.memories[i].hazard != Hazard::kForward) continue;
    if (writesWhatItRead(m, i)) {
      steps[i] = m.memories[i].latency;
    } else {
      m.memories[i].hazard = Hazard::kForbid;  // both ports fit one stage: nothing to forward
    }
  }
  // How long a write is on its way is known only when it is scheduled; more forwarding may delay
  // it.
  for (;;) {
    Module forwarded = balance(withForwarding(m, steps));
    Schedule s = schedule(forwarded, options);
    bool enough = true;
    for (unsigned i = 0; i < steps.size(); i++) {
      const auto needed = static_cast<unsigned>(s.mem_write[i] - s.mem_read[i]);
      if (steps[i] == 0 || needed <= steps[i]) continue;
      steps[i] = needed;
      enough = false;
    }
    if (enough) return {std::move(forwarded), std::move(s)};
  }
}

}  // namespace espalier::backend

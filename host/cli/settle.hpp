// SPDX-License-Identifier: BSD-2-Clause-Patent
// Waits for what a context's devices do in their own time.
#pragma once

#include <vector>

#include "espalier/context.hpp"

namespace espalier::cli {

/// Until no device is filling the slot of one of these SAs; queue 0 must be idle.  Throws Failure
/// after 60 s.
void wait_until_installed(Context& context, const std::vector<SaHandle>& sas);

}  // namespace espalier::cli

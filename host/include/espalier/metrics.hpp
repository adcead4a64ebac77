// SPDX-License-Identifier: BSD-2-Clause-Patent
// All counters of a context as OpenMetrics text (docs/metrics.md names them).
#pragma once

#include <string>

#include "espalier/context.hpp"

namespace espalier {

inline constexpr const char* kMetricsContentType =
    "application/openmetrics-text; version=1.0.0; charset=utf-8";

/// The exposition, `# EOF` included.  Packets may go on meanwhile: each counter is right, the sum
/// of several may be a few packets apart.  No keys are in it.  Allocates. Threads: the control
/// thread.
std::string metrics(const Context& context);

}  // namespace espalier

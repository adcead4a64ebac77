// SPDX-License-Identifier: BSD-2-Clause-Patent
// From an SA to the record a card keeps of it: the host expands all keys (D6).
#pragma once

#include "espalier/driver/job.hpp"
#include "espalier/spec/sa_record.h"

namespace espalier::driver {

/// Fills `record` (all 1 KiB of it) for one generation of an SA.  `sa` has passed check().
/// Returns ok, unsupported if the SA's algorithms are no suite, or internal_error if OpenSSL
/// failed; `record` is all zero then.  The record holds keys: wipe_record() it after use.
/// Temporaries are wiped.  Any thread.
Status build_record(const SaParameters& sa, Generation generation, spec::SaRecord& record) noexcept;

void wipe_record(spec::SaRecord& record) noexcept;

}  // namespace espalier::driver

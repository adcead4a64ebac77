// SPDX-License-Identifier: BSD-2-Clause-Patent
#pragma once
#include "hwir/hwir.hpp"

namespace espalier::hwir {

/// Whether what a memory writes, or where, depends on its own read of the same step or an earlier
/// one: then the write comes later than the next step's read.
bool writesWhatItRead(const Module& module, unsigned memory);

/// The same step function, in which reads of `memory` look at the last `steps` writes first, newest
/// first.  The result is right if a write reaches the memory at most `steps` steps after its step's
/// read; the memory's policy becomes kPromise.
Module forwardWrites(const Module& module, unsigned memory, unsigned steps);

}  // namespace espalier::hwir

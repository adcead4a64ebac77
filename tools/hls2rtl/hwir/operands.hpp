// SPDX-License-Identifier: BSD-2-Clause-Patent
/// What the builder's parts share about operands.
#pragma once
#include <set>

#include "hwir/hwir.hpp"

namespace espalier::hwir {

/// A total order of values: commutative operations keep their operands in it.
bool valueLess(const Value& a, const Value& b);

/// Positions where a segment ends.
void addSegmentCuts(const Value& v, std::set<unsigned>& cuts);

}  // namespace espalier::hwir

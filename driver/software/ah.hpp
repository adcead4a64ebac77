// SPDX-License-Identifier: BSD-2-Clause-Patent
// The Authentication Header (RFC 4302).
#pragma once

#include "sa.hpp"

namespace espalier::driver::software {

/// Brings a parsed IP header, options and extension headers included, to the form the ICV covers:
/// mutable fields as zero, predictable ones as they will arrive (RFC 4302 3.3.3.1, appendix A).
/// False if an option does not fit its header.
bool mask_mutable_fields(std::span<std::uint8_t> header, Family family) noexcept;

}  // namespace espalier::driver::software

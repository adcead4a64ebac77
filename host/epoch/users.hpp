// SPDX-License-Identifier: BSD-2-Clause-Patent
#pragma once

#include <cstdint>

namespace espalier {

/// How many threads change something at a time; any number may read it.
enum class Users : std::uint8_t {
  one,  ///< No locked instructions, which cost more than all the rest.
  any,
};

}  // namespace espalier

// SPDX-License-Identifier: BSD-2-Clause-Patent
#pragma once
#include <stdexcept>

namespace espalier::hwir {

/// Something the user has to mend.  what() names file and line, what is wrong, and the way out.
struct Error : std::runtime_error {
  using std::runtime_error::runtime_error;
};

}  // namespace espalier::hwir

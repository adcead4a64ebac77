// SPDX-License-Identifier: BSD-2-Clause-Patent
// SA files: TOML, one [[sa]] table an SA; docs/sa-files.md lists the fields.
#pragma once

#include <string>
#include <vector>

#include "espalier/address.hpp"
#include "espalier/sa.hpp"

namespace espalier::cli {

struct FileSa {
  std::string name;              ///< As given, or "sa" and its SPI.
  SaConfig config;               ///< Direction is the command's to set.
  bool test = false;             ///< Its key protects nothing: numbers may begin anew.
  std::vector<Prefix> from, to;  ///< Selectors of the clear packet; empty: any.

  bool selects(const Address& source, const Address& destination) const;
};

/// Reads and checks a file.  Throws Failure with file, line and field.  Unless `insecure`, a file
/// that everyone may read is refused.
std::vector<FileSa> read_sa_file(const std::string& path, bool insecure);

}  // namespace espalier::cli

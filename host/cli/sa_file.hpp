// SPDX-License-Identifier: BSD-2-Clause-Patent
// SA files: TOML, one [[sa]] table an SA, or the tables of Wireshark and of `ip xfrm state`;
// docs/sa-files.md.
#pragma once

#include <string>
#include <vector>

#include "espalier/address.hpp"
#include "espalier/sa.hpp"

namespace espalier::cli {

struct FileSa {
  std::string name;              ///< As given, or "sa" and its SPI.
  SaConfig config;               ///< Direction is the command's to set.
  std::uint64_t used = 0;        ///< Outbound: the last number somebody else has used.
  unsigned line = 0;             ///< Of the file, where its SPI stands or it begins.
  bool test = false;             ///< Its key protects nothing: numbers may begin anew.
  std::vector<Prefix> from, to;  ///< Selectors of the clear packet; empty: any.

  bool selects(const Address& source, const Address& destination) const;
};

/// Reads and checks a file; what kind it is its first line tells.  Throws Failure with file, line
/// and field.  Unless `insecure`, a file that everyone may read is refused.
std::vector<FileSa> read_sa_file(const std::string& path, bool insecure);

}  // namespace espalier::cli

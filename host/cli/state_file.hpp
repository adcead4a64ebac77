// SPDX-License-Identifier: BSD-2-Clause-Patent
// The state file: which numbers static keys have used up (D13).
//
// One line an SA: a fingerprint of its key, and the last number reserved.  The fingerprint is of
// the key alone, so that a key under another SPI goes on where it was.
#pragma once

#include <cstdint>
#include <map>
#include <string>

#include "espalier/sa.hpp"

namespace espalier::cli {

/// Holds the file's lock from construction to destruction.
class StateFile {
 public:
  /// Makes the file if there is none.  Throws Failure if it is locked, damaged or can't be written.
  explicit StateFile(std::string path);
  ~StateFile();
  StateFile(const StateFile&) = delete;
  StateFile& operator=(const StateFile&) = delete;

  /// Sets aside `count` numbers of the SA's key, behind its last_number: sets last_number and
  /// number_limit.
  void reserve(SaConfig& sa, std::uint64_t count);
  /// Puts all reservations on the disk; before it returns no number may be used.
  void commit();

 private:
  std::string path_;
  int lock_ = -1;
  std::map<std::string, std::uint64_t> last_;  // by fingerprint
};

}  // namespace espalier::cli

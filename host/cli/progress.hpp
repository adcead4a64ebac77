// SPDX-License-Identifier: BSD-2-Clause-Patent
// A progress bar on a terminal; elsewhere one line a step, when it is done.
#pragma once

#include <cstddef>
#include <string>

namespace espalier::cli {

/// One step of `total` units.  The line goes to stdout.
class Progress {
 public:
  Progress(std::string step, std::size_t total);
  /// Redraws if the bar has grown.
  void show(std::size_t done);
  /// Ends the line, with `result` where the bar was.
  void finish(const std::string& result);

 private:
  std::string step_;
  std::size_t total_;
  std::size_t drawn_ = ~std::size_t{0};
  bool terminal_;
};

}  // namespace espalier::cli

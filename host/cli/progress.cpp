// SPDX-License-Identifier: BSD-2-Clause-Patent
#include "cli/progress.hpp"

#include <fmt/core.h>
#include <unistd.h>

#include <algorithm>
#include <cstdio>

namespace espalier::cli {
namespace {

constexpr std::size_t kWidth = 40;

}  // namespace

Progress::Progress(std::string step, std::size_t total)
    : step_(std::move(step)),
      total_(std::max<std::size_t>(total, 1)),
      terminal_(isatty(STDOUT_FILENO) == 1) {
  show(0);
}

void Progress::show(std::size_t done) {
  const std::size_t filled = std::min(done, total_) * kWidth / total_;
  if (!terminal_ || filled == drawn_) return;
  drawn_ = filled;
  fmt::print("\r  {:<20}[{:#<{}}{:.<{}}] {:>3}%", step_, "", filled, "", kWidth - filled,
             filled * 100 / kWidth);
  std::fflush(stdout);
}

void Progress::finish(const std::string& result) {
  fmt::print("{}  {:<20}{}{}\n", terminal_ ? "\r" : "", step_, result, terminal_ ? "\x1b[K" : "");
  std::fflush(stdout);
}

}  // namespace espalier::cli

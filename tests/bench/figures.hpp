// SPDX-License-Identifier: BSD-2-Clause-Patent
// Medians, and the table of what a figure must reach and what was measured.
#pragma once

#include <benchmark/benchmark.h>

#include <algorithm>
#include <chrono>
#include <string>
#include <vector>

namespace espalier::bench {

/// Nanoseconds since it was made or last asked.
class Lap {
 public:
  double take() {
    const auto now = std::chrono::steady_clock::now();
    const double ns = std::chrono::duration<double, std::nano>(now - from_).count();
    from_ = now;
    return ns;
  }

 private:
  std::chrono::steady_clock::time_point from_ = std::chrono::steady_clock::now();
};

class Samples {
 public:
  void add(double value) { values_.push_back(value); }
  double sum() const {
    double total = 0;
    for (const double value : values_) total += value;
    return total;
  }
  /// 0 if there are none.
  double median() {
    if (values_.empty()) return 0;
    const auto middle = values_.begin() + static_cast<std::ptrdiff_t>(values_.size() / 2);
    std::nth_element(values_.begin(), middle, values_.end());
    return *middle;
  }

 private:
  std::vector<double> values_;
};

enum class Bound { none, at_most, at_least };

struct Figure {
  std::string what;
  double measured = 0;
  const char* unit = "ns";
  Bound bound = Bound::none;
  double must = 0;
  std::string beside;  ///< What else belongs to it, e.g. the two figures it is the difference of.
};

/// Puts a figure into the table; the last of several of one name counts.
void report(Figure figure);
/// Prints the table.  Says "missed" where a bound does not hold; that fails nothing (D10).
void print_figures();

}  // namespace espalier::bench

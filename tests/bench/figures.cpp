// SPDX-License-Identifier: BSD-2-Clause-Patent
#include "figures.hpp"

#include <fmt/core.h>

namespace espalier::bench {
namespace {

std::vector<Figure>& table() {
  static std::vector<Figure> figures;
  return figures;
}

std::string demand(const Figure& f) {
  if (f.bound == Bound::none) return "";
  return fmt::format("{} {:.0f}", f.bound == Bound::at_most ? "<=" : ">=", f.must);
}

const char* verdict(const Figure& f) {
  if (f.bound == Bound::none) return "";
  const bool holds = f.bound == Bound::at_most ? f.measured <= f.must : f.measured >= f.must;
  return holds ? "holds" : "missed";
}

}  // namespace

void report(Figure figure) {
  for (Figure& known : table())
    if (known.what == figure.what) {
      known = std::move(figure);
      return;
    }
  table().push_back(std::move(figure));
}

void print_figures() {
  if (table().empty()) return;
  fmt::print("\n{:<46}{:>12} {:<8}{:>10}  {:<7} {}\n", "figure (medians)", "measured", "", "must",
             "", "beside");
  for (const Figure& f : table())
    fmt::print("{:<46}{:>12.1f} {:<8}{:>10}  {:<7} {}\n", f.what, f.measured, f.unit, demand(f),
               verdict(f), f.beside);
}

}  // namespace espalier::bench

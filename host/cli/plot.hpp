// SPDX-License-Identifier: BSD-2-Clause-Patent
// A chart of curves over packet size, as SVG.
#pragma once

#include <cstdint>
#include <string>
#include <vector>

namespace espalier::cli {

struct Curve {
  std::string name;
  std::vector<std::pair<double, double>> points;  ///< Size in octets, value; by rising size.
  enum class Style : std::uint8_t { line, points, thin } style = Style::line;
};

/// The x axis is logarithmic; y begins at zero.
std::string plot_svg(const std::string& title, const std::string& y_label,
                     const std::vector<Curve>& curves);

}  // namespace espalier::cli

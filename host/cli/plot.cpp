// SPDX-License-Identifier: BSD-2-Clause-Patent
#include "cli/plot.hpp"

#include <fmt/core.h>

#include <algorithm>
#include <cmath>

namespace espalier::cli {
namespace {

constexpr double kWidth = 720, kHeight = 420, kLeft = 70, kRight = 20, kTop = 50, kBottom = 50;
constexpr const char* kColours[] = {"#1f5fa8", "#888888", "#b5541c", "#3c7d3c"};

struct Scale {
  double low, high, top;  // of x as log2, of y
  double x(double size) const {
    const double span = std::max(high - low, 1e-9);
    return kLeft + (std::log2(size) - low) / span * (kWidth - kLeft - kRight);
  }
  double y(double value) const {
    return kHeight - kBottom - value / top * (kHeight - kTop - kBottom);
  }
};

Scale scale_of(const std::vector<Curve>& curves) {
  Scale s{1e9, -1e9, 0};
  for (const Curve& curve : curves)
    for (const auto& [size, value] : curve.points) {
      s.low = std::min(s.low, std::log2(size));
      s.high = std::max(s.high, std::log2(size));
      s.top = std::max(s.top, value);
    }
  const double step = std::pow(10, std::floor(std::log10(std::max(s.top, 1e-9))));
  s.top = std::max(1e-9, std::ceil(s.top / step) * step);
  return s;
}

}  // namespace

std::string plot_svg(const std::string& title, const std::string& y_label,
                     const std::vector<Curve>& curves) {
  const Scale s = scale_of(curves);
  std::string out = fmt::format(
      "<svg xmlns=\"http://www.w3.org/2000/svg\" viewBox=\"0 0 {} {}\" "
      "font-family=\"sans-serif\" font-size=\"12\">\n"
      "<rect width=\"100%\" height=\"100%\" fill=\"white\"/>\n"
      "<text x=\"{}\" y=\"24\" font-size=\"15\">{}</text>\n",
      kWidth, kHeight, kLeft, title);
  for (int i = 0; i <= 4; ++i) {
    const double value = s.top * i / 4;
    out += fmt::format(
        "<line x1=\"{0}\" x2=\"{1}\" y1=\"{2:.1f}\" y2=\"{2:.1f}\" stroke=\"#dddddd\"/>"
        "<text x=\"{3}\" y=\"{4:.1f}\" text-anchor=\"end\">{5:g}</text>\n",
        kLeft, kWidth - kRight, s.y(value), kLeft - 8, s.y(value) + 4, value);
  }
  if (!curves.empty())
    for (const auto& point : curves.front().points)
      out += fmt::format("<text x=\"{:.1f}\" y=\"{}\" text-anchor=\"middle\">{:g}</text>\n",
                         s.x(point.first), kHeight - kBottom + 18, point.first);
  out += fmt::format(
      "<text x=\"{}\" y=\"{}\" text-anchor=\"middle\">clear packet, octets</text>\n"
      "<text transform=\"translate(18 {}) rotate(-90)\" text-anchor=\"middle\">{}</text>\n",
      (kLeft + kWidth - kRight) / 2, kHeight - 10, kHeight / 2, y_label);
  for (std::size_t c = 0; c < curves.size(); ++c) {
    std::string points;
    for (const auto& [size, value] : curves[c].points)
      points += fmt::format("{:.1f},{:.1f} ", s.x(size), s.y(value));
    const char* colour = kColours[c % std::size(kColours)];
    out += fmt::format(
        "<polyline points=\"{}\" fill=\"none\" stroke=\"{}\" stroke-width=\"2\"{}/>\n"
        "<text x=\"{}\" y=\"{}\" fill=\"{}\">{}</text>\n",
        points, colour, curves[c].dashed ? " stroke-dasharray=\"6 4\"" : "", kLeft + 10,
        kTop + 4 + 16 * static_cast<double>(c), colour, curves[c].name);
  }
  return out + "</svg>\n";
}

}  // namespace espalier::cli

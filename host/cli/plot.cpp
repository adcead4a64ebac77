// SPDX-License-Identifier: BSD-2-Clause-Patent
#include "cli/plot.hpp"

#include <fmt/core.h>

#include <algorithm>
#include <cmath>

namespace espalier::cli {
namespace {

constexpr double kWidth = 720, kHeight = 420, kLeft = 70, kRight = 20, kTop = 50, kBottom = 50;
constexpr const char* kColours[] = {"#888888", "#b5541c", "#1f5fa8", "#3c7d3c"};

struct Scale {
  double low, high, top, step;  // of x as log2; of y
  double x(double size) const {
    const double span = std::max(high - low, 1e-9);
    return kLeft + (std::log2(size) - low) / span * (kWidth - kLeft - kRight);
  }
  double y(double value) const {
    return kHeight - kBottom - value / top * (kHeight - kTop - kBottom);
  }
};

Scale scale_of(const std::vector<Curve>& curves) {
  Scale s{1e9, -1e9, 0, 1};
  for (const Curve& curve : curves)
    for (const auto& [size, value] : curve.points) {
      s.low = std::min(s.low, std::log2(size));
      s.high = std::max(s.high, std::log2(size));
      s.top = std::max(s.top, value);
    }
  // Four to ten grid lines at 1, 2 or 5 times a power of ten.
  const double decade = std::pow(10, std::floor(std::log10(std::max(s.top, 1e-9))));
  const double leading = s.top / decade;
  s.step = decade * (leading > 5 ? 1 : leading > 2 ? 0.5 : 0.2);
  s.top = std::max(1e-9, std::ceil(s.top / s.step) * s.step);
  return s;
}

std::string polyline(const Scale& s, const Curve& curve, const char* colour) {
  std::string points;
  for (const auto& [size, value] : curve.points)
    points += fmt::format("{:.1f},{:.1f} ", s.x(size), s.y(value));
  return fmt::format("<polyline points=\"{}\" fill=\"none\" stroke=\"{}\" stroke-width=\"{}\"/>\n",
                     points, colour, curve.style == Curve::Style::thin ? 1 : 2);
}

/// Rings that leave what is under them in sight; large and small, so that two of them on one place
/// are both seen.
std::string markers(const Scale& s, const Curve& curve, const char* colour, bool large) {
  std::string out;
  for (const auto& [size, value] : curve.points)
    out += fmt::format(
        "<circle cx=\"{:.1f}\" cy=\"{:.1f}\" r=\"{}\" fill=\"none\" stroke=\"{}\" "
        "stroke-width=\"2\"><title>{}: {:.2f} at {:g}</title></circle>\n",
        s.x(size), s.y(value), large ? 5 : 2.5, colour, curve.name, value, size);
  return out;
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
  for (double value = 0; value < s.top + s.step / 2; value += s.step)
    out += fmt::format(
        "<line x1=\"{0}\" x2=\"{1}\" y1=\"{2:.1f}\" y2=\"{2:.1f}\" stroke=\"#dddddd\"/>"
        "<text x=\"{3}\" y=\"{4:.1f}\" text-anchor=\"end\">{5:g}</text>\n",
        kLeft, kWidth - kRight, s.y(value), kLeft - 8, s.y(value) + 4, value);
  for (double size = std::exp2(std::ceil(s.low)); std::log2(size) <= s.high; size *= 2)
    out += fmt::format(
        "<line x1=\"{0:.1f}\" x2=\"{0:.1f}\" y1=\"{1}\" y2=\"{2}\" stroke=\"#dddddd\"/>"
        "<text x=\"{0:.1f}\" y=\"{3}\" text-anchor=\"middle\">{4:g}</text>\n",
        s.x(size), kTop, kHeight - kBottom, kHeight - kBottom + 18, size);
  out += fmt::format(
      "<text x=\"{}\" y=\"{}\" text-anchor=\"middle\">clear packet, octets</text>\n"
      "<text transform=\"translate(18 {}) rotate(-90)\" text-anchor=\"middle\">{}</text>\n",
      (kLeft + kWidth - kRight) / 2, kHeight - 10, kHeight / 2, y_label);
  for (std::size_t c = 0; c < curves.size(); ++c) {
    const char* colour = kColours[c % std::size(kColours)];
    out += curves[c].style == Curve::Style::points ? markers(s, curves[c], colour, c % 2 == 0)
                                                   : polyline(s, curves[c], colour);
    out += fmt::format("<text x=\"{}\" y=\"{}\" fill=\"{}\" text-anchor=\"end\">{}</text>\n",
                       kWidth - kRight - 10, kHeight - kBottom - 12 - 16 * static_cast<double>(c),
                       colour, curves[c].name);
  }
  return out + "</svg>\n";
}

}  // namespace espalier::cli

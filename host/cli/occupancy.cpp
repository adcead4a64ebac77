// SPDX-License-Identifier: BSD-2-Clause-Patent
#include "cli/occupancy.hpp"

#include <fmt/core.h>

#include <algorithm>
#include <cmath>
#include <vector>

namespace espalier::cli {
namespace {

using driver::Occupancy;
using driver::StageWork;

constexpr double kLeft = 120, kChart = 660, kRight = 120, kTop = 70, kRow = 28, kGap = 8;
constexpr std::size_t kColumns = 330;
constexpr const char* kBusy = "#1f5fa8";
constexpr const char* kWaiting = "#e0a030";
constexpr const char* kGround = "#f0f0f0";

/// Shares of a stage's clocks in one column of the picture.
struct Share {
  double busy = 0, waiting = 0;
};

struct Columns {
  std::size_t clocks, count;
  std::size_t first(std::size_t column) const { return clocks * column / count; }
  double x(std::size_t column) const {
    return kLeft + kChart * static_cast<double>(column) / static_cast<double>(count);
  }
};

Share share(const Occupancy& o, std::size_t stage, std::size_t from, std::size_t to) {
  Share s;
  for (std::size_t clock = from; clock < to; ++clock) {
    const StageWork work = o.work[clock * o.stages.size() + stage];
    s.busy += work == StageWork::busy;
    s.waiting += work == StageWork::waiting;
  }
  const double n = static_cast<double>(std::max<std::size_t>(to - from, 1));
  return {s.busy / n, s.waiting / n};
}

/// The area under a stair of one step a column, from the row's bottom up.
std::string area(const Columns& columns, const std::vector<double>& height, double bottom,
                 const char* colour) {
  std::string path = fmt::format("M{:.1f},{:.1f}", kLeft, bottom);
  double drawn = -1;
  for (std::size_t c = 0; c < columns.count; ++c) {
    if (height[c] == drawn) continue;
    path += fmt::format("H{:.1f}V{:.1f}", columns.x(c), bottom - kRow * height[c]);
    drawn = height[c];
  }
  return fmt::format("<path d=\"{}H{:.1f}V{:.1f}Z\" fill=\"{}\"/>\n", path,
                     columns.x(columns.count), bottom, colour);
}

std::string row(const Occupancy& o, const Columns& columns, std::size_t stage, double top) {
  std::vector<double> busy, both;
  for (std::size_t c = 0; c < columns.count; ++c) {
    const Share s = share(o, stage, columns.first(c), columns.first(c + 1));
    busy.push_back(s.busy);
    both.push_back(s.busy + s.waiting);
  }
  const Share all = share(o, stage, 0, columns.clocks);
  const double bottom = top + kRow;
  return fmt::format(
             "<g><title>{0}: busy {1:.1f}%, waiting {2:.1f}%, starved {3:.1f}%</title>\n"
             "<text x=\"{4}\" y=\"{5:.1f}\" text-anchor=\"end\">{0}</text>\n"
             "<rect x=\"{6}\" y=\"{7:.1f}\" width=\"{8}\" height=\"{9}\" fill=\"{10}\"/>\n",
             o.stages[stage], 100 * all.busy, 100 * all.waiting, 100 * (1 - all.busy - all.waiting),
             kLeft - 10, bottom - kRow / 2 + 4, kLeft, top, kChart, kRow, kGround) +
         area(columns, both, bottom, kWaiting) + area(columns, busy, bottom, kBusy) +
         fmt::format("<text x=\"{}\" y=\"{:.1f}\">{:.1f}%</text></g>\n", kLeft + kChart + 10,
                     bottom - kRow / 2 + 4, 100 * all.busy);
}

/// Clocks between ticks: 1, 2 or 5 times a power of ten, four to ten of them.
double tick_step(double clocks) {
  const double decade = std::pow(10, std::floor(std::log10(std::max(clocks, 1.0))));
  const double leading = clocks / decade;
  return std::max(1.0, decade * (leading > 5 ? 1 : leading > 2 ? 0.5 : 0.2));
}

std::string time_axis(double clocks, double bottom) {
  std::string out;
  const double step = tick_step(clocks);
  for (double t = 0; t <= clocks; t += step) {
    const double x = kLeft + kChart * t / std::max(clocks, 1.0);
    out += fmt::format(
        "<line x1=\"{0:.1f}\" x2=\"{0:.1f}\" y1=\"{1}\" y2=\"{2}\" stroke=\"#ffffff\" "
        "stroke-opacity=\"0.5\"/><text x=\"{0:.1f}\" y=\"{3}\" "
        "text-anchor=\"middle\">{4:g}</text>\n",
        x, kTop, bottom, bottom + 16, t);
  }
  return out + fmt::format("<text x=\"{}\" y=\"{}\" text-anchor=\"middle\">clock cycles</text>\n",
                           kLeft + kChart / 2, bottom + 36);
}

std::string legend() {
  std::string out;
  double x = kLeft;
  for (const auto& [colour, text] :
       {std::pair{kBusy, "busy"}, std::pair{kWaiting, "waits for room"},
        std::pair{kGround, "starved"}}) {
    out += fmt::format(
        "<rect x=\"{}\" y=\"42\" width=\"12\" height=\"12\" fill=\"{}\"/>"
        "<text x=\"{}\" y=\"52\">{}</text>\n",
        x, colour, x + 18, text);
    x += 140;
  }
  return out + fmt::format("<text x=\"{}\" y=\"52\">busy in all</text>\n", kLeft + kChart + 10);
}

}  // namespace

std::string occupancy_svg(const std::string& title, const Occupancy& o) {
  const Columns columns{o.clocks(), std::clamp<std::size_t>(o.clocks(), 1, kColumns)};
  const double bottom = kTop + (kRow + kGap) * static_cast<double>(o.stages.size()) - kGap;
  std::string out = fmt::format(
      "<svg xmlns=\"http://www.w3.org/2000/svg\" viewBox=\"0 0 {} {}\" "
      "font-family=\"sans-serif\" font-size=\"12\">\n"
      "<rect width=\"100%\" height=\"100%\" fill=\"white\"/>\n"
      "<text x=\"{}\" y=\"26\" font-size=\"15\">{}</text>\n",
      kLeft + kChart + kRight, bottom + 50, kLeft, title);
  out += legend();
  for (std::size_t stage = 0; stage < o.stages.size(); ++stage)
    out += row(o, columns, stage, kTop + (kRow + kGap) * static_cast<double>(stage));
  return out + time_axis(static_cast<double>(o.clocks()), bottom) + "</svg>\n";
}

}  // namespace espalier::cli

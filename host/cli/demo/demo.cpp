// SPDX-License-Identifier: BSD-2-Clause-Patent
// espalier demo: a capture of real traffic through the simulated card and back.
#include <fmt/core.h>

#include <algorithm>
#include <filesystem>

#include "cli/capture.hpp"
#include "cli/command.hpp"
#include "cli/demo/gateway.hpp"
#include "cli/esp_sa.hpp"
#include "cli/plot.hpp"
#include "cli/progress.hpp"
#include "cli/workload.hpp"

namespace espalier::cli::demo {
namespace {

constexpr const char* kSuite = "aes256gcm16";
/// Sizes whose speed is measured by themselves, as far as the capture has packets of them.
constexpr std::uint32_t kSizes[] = {40, 64, 128, 256, 512, 576, 1024, 1500, 4096, 9000};
/// So many beats of one size are measured, some ten times what a lone packet takes to come back.
constexpr std::uint64_t kSteadyBeats = 8192;
constexpr std::uint32_t kBeat = 64;

struct Options {
  std::string device = "cosim";
  std::string capture, reports = "demo";
  std::uint64_t seed = 1;
};

/// Speed of packets of one size, both ways.
struct Speed {
  std::uint32_t size = 0;
  std::size_t captured = 0;
  Flow seal, open;
};

double octets_per_cycle(std::uint64_t octets, const Flow& flow) {
  return flow.cycles == 0 ? 0 : static_cast<double>(octets) / static_cast<double>(flow.cycles);
}
double seal_speed(const Flow& flow) {
  return octets_per_cycle(flow.source_octets, flow);
}
double open_speed(const Flow& flow) {
  return octets_per_cycle(flow.result_octets, flow);
}
/// No packet can pass faster than one beat a cycle of its longer side.
double ceiling(const Flow& seal) {
  return seal.beats == 0
             ? 0
             : static_cast<double>(seal.source_octets) / static_cast<double>(seal.beats);
}

Gateway::Packets results(const std::vector<Parcel>& parcels) {
  Gateway::Packets out;
  for (const Parcel& parcel : parcels) out.emplace_back(parcel.result);
  return out;
}

class Demo {
 public:
  explicit Demo(const Options& options)
      : options_(options),
        capture_(read_capture(options.capture)),
        tunnels_(make_tunnels(kSuite, options.seed)),
        card_(options.device, tunnels_),
        peer_("software:openssl", tunnels_) {
    try {  // libstdc++ 12 throws from the overload that should not, too
      std::filesystem::create_directories(options.reports);
    } catch (const std::filesystem::filesystem_error& error) {
      throw Failure("can't make directory " + options.reports + ": " + error.code().message() +
                    "; choose another with --reports");
    }
    for (std::size_t i = 0; i < capture_.frames.size(); ++i) sort(i);
  }

  int run() {
    introduce();
    const Gateway::Pass sealed = pass(card_, true, clear_, "seal on the card", clear_.size());
    const Gateway::Pass opened =
        pass(peer_, false, results(sealed.parcels), "open in software", clear_.size());
    compare(opened, clear_, "equal to the capture");
    const Gateway::Pass again = pass(peer_, true, clear_, "seal in software", clear_.size());
    compare(again, results(sealed.parcels), "equal to what the card sealed");
    const Gateway::Pass back =
        pass(card_, false, results(again.parcels), "open on the card", clear_.size());
    compare(back, clear_, "equal to the capture");
    if (clocked(card_.device())) measure(sealed.parcels);
    tabulate(sealed.flow, back.flow);
    count({&sealed, &opened, &again, &back});
    save(sealed.parcels);
    return equal_ ? kDone : kSomeFailed;
  }

 private:
  /// Takes frame `i` among the packets if it is one.
  void sort(std::size_t i) {
    const Octets& frame = capture_.frames[i].octets;
    std::uint32_t offset = 0;
    unsigned tunnel = 0;
    if (!find_ip(capture_.link_type, frame, offset) ||
        !choose_tunnel(std::span(frame).subspan(offset), tunnel)) {
      ++no_packets_;
      return;
    }
    clear_.push_back(std::span(frame).subspan(offset));
    places_.push_back({i, offset});
    ++(tunnel < 2 ? ipv4_ : ipv6_);
  }

  void introduce() const {
    const auto shorter = [](const auto& a, const auto& b) { return a.size() < b.size(); };
    if (clear_.empty()) throw Failure(options_.capture + " holds no IP packet; give another");
    const auto [least, most] = std::minmax_element(clear_.begin(), clear_.end(), shorter);
    fmt::print("{}: {} IPv4 and {} IPv6 packets of {} to {} octets\n", options_.capture, ipv4_,
               ipv6_, least->size(), most->size());
    if (no_packets_ != 0) fmt::print("{} frames hold no whole IP packet: left out\n", no_packets_);
    fmt::print("card: {}; tunnels: {}, one each way for each family\n\n",
               card_.device().capabilities().name, kSuite);
  }

  Gateway::Pass pass(Gateway& gateway, bool seal, const Gateway::Packets& packets, const char* step,
                     std::size_t total) {
    Progress progress(step, total);
    const auto show = [&](std::size_t done) { progress.show(done); };
    Gateway::Pass out = seal ? gateway.seal(packets, show) : gateway.open(packets, show);
    std::string result = fmt::format("{} packets", out.tally.done);
    const char* separator = ": ";
    for (const auto& [device, n] : out.tally.devices) {
      result += fmt::format("{}{} by {}", separator, n, device);
      separator = ", ";
    }
    progress.finish(result);
    return out;
  }

  void compare(const Gateway::Pass& got, const Gateway::Packets& expected, const char* what) {
    std::size_t same = 0;
    for (std::size_t i = 0; i < expected.size(); ++i)
      same +=
          !got.parcels[i].result.empty() && std::ranges::equal(got.parcels[i].result, expected[i]);
    equal_ = equal_ && same == clear_.size();
    fmt::print("  {:<20}{} of {} {}\n", "", same, clear_.size(), what);
  }

  /// Seals and opens packets of each size by themselves, as many as give a steady flow.
  void measure(const std::vector<Parcel>& sealed) {
    Progress progress("one size at a time", std::size(kSizes));
    std::size_t measured = 0;
    for (const std::uint32_t size : kSizes) {
      Gateway::Packets packets;
      for (std::size_t i = 0; i < clear_.size(); ++i)
        if (clear_[i].size() == size && sealed[i].device == 0 && sealed[i].drop == Drop::none)
          packets.push_back(clear_[i]);
      progress.show(++measured);
      if (packets.empty()) continue;
      Speed speed;
      speed.size = size;
      speed.captured = packets.size();
      for (std::size_t i = 0; packets.size() * (size + kBeat) < kSteadyBeats * kBeat; ++i)
        packets.push_back(packets[i]);
      const Gateway::Pass there = card_.seal(packets, {});
      const Gateway::Pass back = card_.open(results(there.parcels), {});
      for (std::size_t i = 0; i < packets.size(); ++i)
        equal_ = equal_ && std::ranges::equal(back.parcels[i].result, packets[i]);
      speed.seal = there.flow;
      speed.open = back.flow;
      speeds_.push_back(speed);
    }
    progress.finish(fmt::format("{} sizes measured, equal to the capture again", speeds_.size()));
  }

  void tabulate(const Flow& seal, const Flow& open) const {
    if (!clocked(card_.device())) {
      fmt::print("\n{} has no clock: no cycles to report\n", card_.device().capabilities().name);
      return;
    }
    fmt::print(
        "\nOn the card, in cycles from the first to the last completion of a steady flow\n"
        "{:>8} {:>9} {:>9} {:>9} {:>7} {:>9} {:>7} {:>9}\n"
        "{:>8} {:>9} {:>9} {:>9} {:>7} {:>9} {:>7} {:>9}\n",
        "size", "in the", "measured", "seal,", "B/cycle", "open,", "B/cycle", "ceiling,", "octets",
        "capture", "packets", "cycles", "", "cycles", "", "B/cycle");
    for (const Speed& s : speeds_) row(fmt::format("{}", s.size), s.captured, s.seal, s.open);
    row("capture", seal.packets, seal, open);
    fmt::print(
        "Size is the clear packet's and B/cycle are its octets; the ceiling is one 64-octet beat "
        "a\n"
        "cycle of the longer, sealed packet.  'capture' is all of it, in its order.  Completions "
        "come\n"
        "in groups, so a figure may be off by 1%.\n");
  }

  static void row(const std::string& size, std::size_t captured, const Flow& seal,
                  const Flow& open) {
    fmt::print("{:>8} {:>9} {:>9} {:>9} {:>7.2f} {:>9} {:>7.2f} {:>9.2f}\n", size, captured,
               seal.packets, seal.cycles, seal_speed(seal), open.cycles, open_speed(open),
               ceiling(seal));
  }

  /// Drops and fallbacks of the four passes.
  static void count(std::initializer_list<const Gateway::Pass*> passes) {
    Tally sum;
    for (const Gateway::Pass* pass : passes) {
      for (const auto& [reason, n] : pass->tally.drops) sum.drops[reason] += n;
      for (const auto& [reason, n] : pass->tally.fallbacks) sum.fallbacks[reason] += n;
    }
    const auto list = [](const char* what, const std::map<std::string, std::uint64_t>& counts) {
      std::string line;
      for (const auto& [reason, n] : counts)
        line += fmt::format("{}{} ({})", line.empty() ? "" : ", ", n, reason);
      fmt::print("{:<11}{}\n", what, line.empty() ? "none" : line);
    };
    fmt::print("\n");
    list("drops", sum.drops);
    list("fallbacks", sum.fallbacks);
    if (sum.fallbacks.count("capability") != 0)
      fmt::print(
          "           capability: the engine does not take IPv6 tunnels yet, software did\n");
  }

  std::string path(const char* name) const {
    return (std::filesystem::path(options_.reports) / name).string();
  }

  void save(const std::vector<Parcel>& sealed) const {
    Capture out{capture_.link_type, {}};
    for (std::size_t i = 0; i < sealed.size(); ++i) {
      if (sealed[i].result.empty()) continue;
      const Frame& frame = capture_.frames[places_[i].frame];
      out.frames.push_back(
          {frame.time, 0,
           reframe(capture_.link_type, frame.octets, places_[i].offset, sealed[i].result)});
    }
    write_capture(path("sealed.pcap"), out);
    std::string table;
    for (const Tunnel& tunnel : tunnels_) table += esp_sa_line(tunnel.config).value_or("") + "\n";
    write_text(path("esp_sa"), table);
    fmt::print("\nwritten    {}\n           {}: its SAs, for Wireshark\n", path("sealed.pcap"),
               path("esp_sa"));
    if (speeds_.size() < 2) return;
    write_text(path("bytes_per_cycle.svg"), plot());
    fmt::print("           {}\n", path("bytes_per_cycle.svg"));
  }

  std::string plot() const {
    Curve seal{"seal", {}, Curve::Style::points}, open{"open", {}, Curve::Style::points};
    for (const Speed& s : speeds_) {
      seal.points.emplace_back(s.size, seal_speed(s.seal));
      open.points.emplace_back(s.size, open_speed(s.open));
    }
    WorkloadOptions workload;
    workload.suite = kSuite;
    const Curve limit{"ceiling: one 64-octet beat a cycle",
                      ceiling_curve(workload, speeds_.front().size, speeds_.back().size),
                      Curve::Style::thin};
    return plot_svg(fmt::format("{}, {} in IPv4 tunnels: captured packets, one size at a time",
                                card_.device().capabilities().name, kSuite),
                    "clear octets a cycle", {limit, seal, open});
  }

  struct Place {
    std::size_t frame;
    std::uint32_t offset;
  };

  const Options& options_;
  Capture capture_;
  std::array<Tunnel, kTunnels> tunnels_;
  Gateway card_, peer_;
  Gateway::Packets clear_;     // within capture_
  std::vector<Place> places_;  // of clear_
  std::size_t no_packets_ = 0, ipv4_ = 0, ipv6_ = 0;
  std::vector<Speed> speeds_;
  bool equal_ = true;
};

}  // namespace

}  // namespace espalier::cli::demo

namespace espalier::cli {

void add_demo(CLI::App& app, int& status) {
  auto* command = app.add_subcommand(
      "demo",
      "A capture through the simulated card and back, against software: what `make demo` runs");
  auto o = std::make_shared<demo::Options>();
  command->add_option("--device", o->device, kDeviceHelp)->capture_default_str();
  command->add_option("--reports", o->reports, "Directory to write to, made if need be")
      ->capture_default_str();
  command->add_option("--seed", o->seed, "Seed of the keys")->capture_default_str();
  command
      ->add_option("capture", o->capture,
                   "Capture of clear packets (pcap), e.g. tests/vectors/captures/mixed.pcap")
      ->required();
  command->callback([o, &status] { status = demo::Demo(*o).run(); });
}

}  // namespace espalier::cli

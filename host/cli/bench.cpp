// SPDX-License-Identifier: BSD-2-Clause-Patent
// espalier bench: what a packet costs on a device, through the whole of L1.
//
// CPU devices: rounds over the same packets, closed batches, the median round; time, no cycles.
// Simulated devices: one round, the queue kept full; cycles, no time as a figure of merit (D10).
#include <fmt/core.h>

#include <algorithm>
#include <bit>
#include <chrono>
#include <random>
#include <sstream>

#include "cli/bench_report.hpp"
#include "cli/capture.hpp"
#include "cli/command.hpp"
#include "cli/settle.hpp"
#include "cli/workload.hpp"

namespace espalier::cli {
namespace {

constexpr QueueId kQueue{0};
constexpr std::uint32_t kQueueCapacity = 1024;
constexpr unsigned kLonePackets = 15;
constexpr std::size_t kMostClocks = 1u << 20;  // of an occupancy picture
constexpr auto kPatience = std::chrono::seconds(120);
constexpr Time kNever = std::chrono::hours(24 * 365 * 100);

Time now() {
  return std::chrono::steady_clock::now().time_since_epoch();
}

WorkloadOptions workload_options(const BenchOptions& options, const std::string& size,
                                 std::size_t packets) {
  WorkloadOptions workload;
  workload.suite = options.suite;
  workload.mode = parse_mode(options.mode);
  workload.mix = parse_mix(options.direction);
  workload.size = size;
  workload.sas = options.sas;
  workload.seed = options.seed;
  workload.packets = packets;
  return workload;
}

void refuse_too_long(const Workload& workload, const driver::Capabilities& can) {
  for (const Item& item : workload.items) {
    const std::size_t octets = std::max<std::size_t>(item.source.size(), item.result_size);
    if (octets > can.max_packet)
      throw Failure(
          fmt::format("a packet of {} octets is wanted, and device {} takes {}; choose "
                      "smaller --sizes",
                      octets, can.name, can.max_packet));
  }
}

class Bench {
 public:
  /// `occupancy`, if not null, receives what the engine's stages do meanwhile.
  Bench(const BenchOptions& options, const std::string& size, driver::Occupancy* occupancy)
      : options_(options), occupancy_(occupancy) {
    DeviceOptions shape;
    shape.waves = options.waves;
    shape.occupancy = occupancy;
    auto opened = device_or_fail(options.device, shape);
    const driver::Capabilities can = opened->capabilities();
    figures_.simulated = can.simulated && can.name != "null";

    workload_ = make_workload(workload_options(options, size,
                                               options.packets != 0 ? options.packets
                                               : figures_.simulated ? 2048
                                                                    : 1024));
    for (const SaConfig& sa : workload_.sas)
      if (!opened->supports(with_template(sa)))
        throw Failure(
            fmt::format("device {} does not offer {} {}; 'espalier devices' says what it does",
                        can.name, options.suite, options.mode));
    if (workload_.sas.size() >= can.slots)
      throw Failure(
          fmt::format("{} SAs are wanted, and device {} has {} slots, one of them for "
                      "known-answer tests; take fewer --sas",
                      workload_.sas.size(), can.name, can.slots));

    ContextConfig config;
    config.max_sas = static_cast<std::uint32_t>(workload_.sas.size());
    config.queue_capacity = kQueueCapacity;
    config.batch = std::min(options.batch, kQueueCapacity);
    // Each SA ready and drained, twice; no device that tells of ready ones holds more than 16,384.
    config.events = std::min(std::bit_ceil(4 * config.max_sas + 64), 65536u);
    config.health.test_interval = kNever;  // a test's packets would count with the others
    std::vector<std::unique_ptr<driver::Device>> devices;
    devices.push_back(std::move(opened));
    auto made = Context::create(config, std::move(devices));
    if (!made) throw Failure(made.error());
    context_ = std::move(*made);
    figures_.size = size;
    figures_.packets = workload_.items.size();
    figures_.inner_bytes = workload_.clear_bytes;
    figures_.beats_in = workload_.beats_in;
    figures_.beats_out = workload_.beats_out;
    figures_.beats = workload_.beats;
    for (const Item& item : workload_.items) {
      const driver::LinkCycles link =
          device().link_cycles(static_cast<std::uint32_t>(item.source.size()), item.result_size);
      figures_.link.up += link.up;
      figures_.link.down += link.down;
    }
    lend_buffers();
  }
  ~Bench() {
    for (const auto memory : pool_) context_->release(memory);
  }
  Bench(const Bench&) = delete;
  Bench& operator=(const Bench&) = delete;

  Figures run() {
    if (figures_.simulated) {
      measure_latency();
      figures_.wall_ns = round(kQueueCapacity);
    } else {
      std::vector<double> rounds;
      for (unsigned i = 0; i < options_.rounds; ++i) rounds.push_back(round(options_.batch));
      std::nth_element(rounds.begin(), rounds.begin() + options_.rounds / 2, rounds.end());
      figures_.wall_ns = rounds[options_.rounds / 2];
    }
    return figures_;
  }

 private:
  driver::Device& device() const { return *context_->devices()[0]; }

  static driver::SaParameters with_template(const SaConfig& config) {
    driver::SaParameters sa = config.transform;
    driver::set_header_template(config.ends, sa);
    return sa;
  }

  /// Memory of the device's own where it has any: it then copies nothing.  64-octet aligned, but
  /// for the skew.
  std::span<std::uint8_t> memory(std::size_t bytes) {
    const auto lent = context_->allocate((bytes + options_.skew + 63) / 64 * 64);
    if (!lent.empty()) {
      pool_.push_back(lent);
      return lent.subspan(options_.skew, bytes);
    }
    own_.emplace_back(bytes);
    return own_.back();
  }

  void lend_buffers() {
    for (const Item& item : workload_.items) {
      const auto source = memory(item.source.size());
      std::copy(item.source.begin(), item.source.end(), source.begin());
      const auto destination =
          memory(std::max<std::size_t>(item.source.size(), item.clear_size) + 160);
      sources_.push_back({source.data(), static_cast<std::uint32_t>(source.size())});
      destinations_.push_back({destination.data(), static_cast<std::uint32_t>(destination.size())});
    }
  }

  /// All packets once, at most `window` under way; nanoseconds.
  double round(std::uint32_t window) {
    const std::vector<SaHandle> sas = add_sas();
    std::vector<Job> jobs(workload_.items.size());
    for (std::size_t i = 0; i < jobs.size(); ++i) {
      jobs[i].sa = sas[workload_.items[i].sa];
      jobs[i].source = {&sources_[i], 1};
      jobs[i].destination = {&destinations_[i], 1};
    }
    const driver::CycleCounters before = device().cycle_counters();
    const std::uint64_t cycles = device().simulated_cost().cycles;
    if (occupancy_ != nullptr) occupancy_->record(kMostClocks);
    const Time begun = now();
    drive(jobs, window);
    const double ns = static_cast<double>((now() - begun).count());
    if (occupancy_ != nullptr) occupancy_->left = 0;
    figures_.cycles = device().simulated_cost().cycles - cycles;
    const driver::CycleCounters after = device().cycle_counters();
    figures_.where = {after.engine_in - before.engine_in, after.engine_out - before.engine_out,
                      after.starved - before.starved, after.blocked - before.blocked};
    remove_sas(sas);
    return ns;
  }

  void drive(std::span<const Job> jobs, std::uint32_t window) {
    std::vector<Completion> done(kQueueCapacity);
    std::size_t submitted = 0, completed = 0;
    const Time begun = now();
    while (completed < jobs.size()) {
      const std::size_t under_way = submitted - completed;
      const std::size_t room = window > under_way ? window - under_way : 0;
      const std::size_t n =
          std::min({room, jobs.size() - submitted, static_cast<std::size_t>(options_.batch)});
      if (n != 0) submitted += context_->submit(kQueue, jobs.subspan(submitted, n));
      const std::size_t got = context_->poll(kQueue, done);
      for (std::size_t i = 0; i < got; ++i)
        if (done[i].drop != Drop::none)
          throw Failure(fmt::format("the device dropped a good packet: {} ({})",
                                    spec::info(done[i].drop).name,
                                    spec::info(done[i].status).name));
      completed += got;
      if (got == 0) {
        context_->tick(now());
        if (now() - begun > kPatience) throw Failure("the device gave no answer within 120 s");
      }
    }
  }

  std::vector<SaHandle> add_sas() {
    std::vector<SaHandle> out;
    for (const SaConfig& config : workload_.sas) {
      auto added = context_->add(config);
      if (!added) throw Failure(added.error());
      out.push_back(*added);
    }
    wait_until_installed(*context_, out);
    return out;
  }

  void remove_sas(const std::vector<SaHandle>& sas) {
    for (const SaHandle sa : sas) context_->remove(sa);
    std::size_t drained = 0;
    settle([&] {
      for (Event event; context_->next_event(event);)
        drained += event.kind == EventKind::sa_drained;
      return drained >= sas.size();
    });
  }

  template <class Done>
  void settle(Done&& done) {
    const Time begun = now();
    while (!done()) {
      Completion none;
      context_->poll(kQueue, {&none, 1});
      context_->tick(now());
      if (now() - begun > kPatience) throw Failure("the device gave no answer within 120 s");
    }
  }

  /// Packets one at a time, each alone in the device; their latency as the device counts it, both
  /// directions together.
  void measure_latency() {
    const std::vector<SaHandle> sas = add_sas();
    device().restart_latency();
    for (std::size_t i = 0; i < std::min<std::size_t>(kLonePackets, workload_.items.size()); ++i) {
      Job job;
      job.sa = sas[workload_.items[i].sa];
      job.source = {&sources_[i], 1};
      job.destination = {&destinations_[i], 1};
      drive({&job, 1}, 1);
    }
    const driver::SimulatedCost cost = device().simulated_cost();
    figures_.last = both(cost.seal, cost.open);
    figures_.first = both(cost.seal_first, cost.open_first);
    remove_sas(sas);
  }

  /// Of two directions, with the median of the one that has more jobs.
  static driver::LatencyCycles both(const driver::LatencyCycles& a,
                                    const driver::LatencyCycles& b) {
    if (a.jobs == 0) return b;
    if (b.jobs == 0) return a;
    return {a.jobs + b.jobs, std::min(a.minimum, b.minimum), a.jobs >= b.jobs ? a.median : b.median,
            std::max(a.maximum, b.maximum)};
  }

  const BenchOptions& options_;
  driver::Occupancy* occupancy_;
  std::unique_ptr<Context> context_;
  Workload workload_;
  Figures figures_;
  std::vector<Segment> sources_, destinations_;
  std::vector<std::span<std::uint8_t>> pool_;
  std::vector<Octets> own_;
};

/// All sizes, or a Failure before the first is measured.
std::vector<std::string> list_sizes(const BenchOptions& options) {
  std::vector<std::string> out;
  std::stringstream sizes(options.sizes);
  std::mt19937_64 random(options.seed);
  std::size_t numbers = 0;
  for (std::string size; std::getline(sizes, size, ',');) {
    packet_sizes(size, parse_mode(options.mode).family, 1, random);
    numbers += size != "imix" && size != "random";
    out.push_back(size);
  }
  if (out.empty()) throw Failure("no sizes; try --sizes 64,imix,1500,9000");
  if (!options.plot.empty() && numbers < 2)
    throw Failure("a plot needs two sizes or more that are numbers; add some to --sizes");
  if ((!options.occupancy.empty() || !options.waves.empty()) && out.size() != 1)
    throw Failure("an occupancy picture or waveforms are of one size; give --sizes one");
  return out;
}

int run(const BenchOptions& options) {
  if (options.batch == 0) throw Failure("batch 0 would submit nothing; use 1 or more");
  if (options.sas == 0 || options.sas > 16384) throw Failure("--sas takes 1 to 16384");
  if (options.skew >= 64) throw Failure("--skew takes 0 to 63");
  if (options.rounds == 0 || options.rounds > 100000) throw Failure("--rounds takes 1 to 100000");
  if (options.packets > 10'000'000) throw Failure("--packets takes 1 to 10000000, or 0");
  const std::vector<std::string> sizes = list_sizes(options);
  for (const std::string& file : {options.plot, options.occupancy, options.waves})
    if (!file.empty()) check_writable(file);
  constexpr std::size_t kOneMix = 12;  // packets of an IMIX round
  const driver::Capabilities can = device_or_fail(options.device)->capabilities();
  for (const std::string& size : sizes)
    refuse_too_long(make_workload(workload_options(options, size, kOneMix)), can);
  driver::Occupancy occupancy;
  std::vector<Figures> all;
  std::string device;
  for (const std::string& size : sizes) {
    Bench bench(options, size, options.occupancy.empty() ? nullptr : &occupancy);
    all.push_back(bench.run());
    device = options.device == "auto" ? "software" : options.device;
    if (options.json) {
      print_json(options, device, all.back());
    } else {
      if (all.size() == 1) print_head(options, device, all.back().simulated);
      print_text(all.back());
    }
  }
  if (!options.plot.empty()) write_plot(options, device, all);
  if (!options.occupancy.empty()) write_occupancy(options, device, sizes.front(), occupancy);
  return kDone;
}

}  // namespace

void add_bench(CLI::App& app, int& status) {
  auto* command = app.add_subcommand("bench", "Measure a device through the library");
  auto o = std::make_shared<BenchOptions>();
  command->add_option("--device", o->device, kDeviceHelp)->capture_default_str();
  command
      ->add_option(
          "--suite", o->suite,
          "Suite, e.g. aes256gcm16, aes128-sha256; several, comma-separated: the SAs' in turn")
      ->capture_default_str();
  command->add_option("--mode", o->mode, "tunnel4, tunnel6, transport4, transport6, each -natt too")
      ->capture_default_str();
  command->add_option("--direction", o->direction, "seal, open, both or mixed-random")
      ->capture_default_str();
  command
      ->add_option("--sizes", o->sizes, "Octets of clear packets, imix or random, comma-separated")
      ->capture_default_str();
  command->add_option("--packets", o->packets, "Packets of each size; 0: 1024, simulated 2048")
      ->capture_default_str();
  command->add_option("--batch", o->batch, "Jobs submitted at once")->capture_default_str();
  command->add_option("--sas", o->sas, "SAs in each direction")->capture_default_str();
  command->add_option("--rounds", o->rounds, "CPU devices: rounds, of which the median counts")
      ->capture_default_str();
  command->add_option("--skew", o->skew, "Octets buffers begin past a 64-octet boundary")
      ->capture_default_str();
  command->add_option("--seed", o->seed, "Seed of keys, sizes and payloads")->capture_default_str();
  command->add_flag("--json", o->json, "One JSON object a size");
  command->add_option("--plot", o->plot, "Write an SVG over the sizes that are numbers");
  command->add_option("--occupancy", o->occupancy,
                      "Device engine, one size: write an SVG of which stage works when");
  command->add_option("--waves", o->waves,
                      "Devices engine and cosim, one size: write every signal to this FST file");
  command->callback([o, &status] { status = run(*o); });
}

}  // namespace espalier::cli

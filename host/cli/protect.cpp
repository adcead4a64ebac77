// SPDX-License-Identifier: BSD-2-Clause-Patent
// espalier protect, espalier unprotect: a capture through the library, both ways.
#include <fmt/core.h>

#include <algorithm>
#include <chrono>
#include <map>
#include <nlohmann/json.hpp>

#include "cli/capture.hpp"
#include "cli/command.hpp"
#include "cli/sa_file.hpp"
#include "cli/settle.hpp"
#include "cli/state_file.hpp"
#include "espalier/context.hpp"
#include "packet/ip.hpp"
#include "packet/octets.hpp"

namespace espalier::cli {
namespace {

constexpr QueueId kQueue{0};
constexpr std::uint32_t kMostOverhead = 256;
constexpr auto kPatience = std::chrono::seconds(120);

struct Options {
  bool seal = true;
  std::string device = "auto";
  std::string sa_file, state_file, in, out;
  bool insecure = false;
  bool no_fallback = false;
  bool json = false;
};

Time now() {
  return std::chrono::steady_clock::now().time_since_epoch();
}

bool counter_mode(const driver::SaParameters& sa) {
  return (sa.cipher != spec::Cipher::null && sa.cipher != spec::Cipher::aes_cbc) ||
         sa.integrity == spec::Integrity::aes_gmac;
}

class Run {
 public:
  explicit Run(const Options& options)
      : options_(options),
        sas_(read_sa_file(options.sa_file, options.insecure)),
        capture_(read_capture(options.in)) {
    ContextConfig config;
    config.max_sas = static_cast<std::uint32_t>(std::max<std::size_t>(sas_.size(), 1));
    std::vector<std::unique_ptr<driver::Device>> devices;
    devices.push_back(device_or_fail(options.device));
    if (!options.no_fallback && devices[0]->capabilities().name != "software")
      devices.push_back(device_or_fail("software"));
    auto made = Context::create(config, std::move(devices));
    if (!made) throw Failure(made.error());
    context_ = std::move(*made);
  }

  int run() {
    add_sas();
    results_.resize(capture_.frames.size());
    jobs_.resize(capture_.frames.size());
    for (std::size_t i = 0; i < capture_.frames.size(); ++i) send(i);
    while (context_->outstanding(kQueue) != 0) collect();
    write();
    report();
    return dropped_ == 0 ? kDone : kSomeFailed;
  }

 private:
  struct Result {
    std::uint32_t offset = 0;
    Octets packet;
  };
  struct Buffers {
    Segment source, destination;
    std::size_t sa = 0;  // index of the file's SA
  };

  void add_sas() {
    std::unique_ptr<StateFile> state;
    if (options_.seal && !options_.state_file.empty())
      state = std::make_unique<StateFile>(options_.state_file);
    for (FileSa& sa : sas_) {
      sa.config.transform.direction =
          options_.seal ? driver::Direction::seal : driver::Direction::open;
      if (!options_.seal) continue;
      if (state && !sa.test) {
        state->reserve(sa.config, capture_.frames.size());
      } else if (!sa.test && counter_mode(sa.config.transform)) {
        throw Failure(sa.name +
                      " has a counter mode and a static key: a number used twice would "
                      "break it; give --state FILE, or 'test = true' if the key protects nothing");
      }
    }
    if (state) state->commit();
    for (const FileSa& sa : sas_) {
      auto added = context_->add(sa.config);
      if (!added) throw Failure(sa.name + ": " + added.error());
      handles_.push_back(*added);
    }
    wait_until_installed(*context_, handles_);
    state_ = std::move(state);  // keeps the lock
  }

  /// The SA for a frame, or why there is none.
  SaHandle choose(const IpHeader& ip, const std::uint8_t* packet, Drop& why) {
    if (options_.seal) {
      const Address source = Address::from(ip.family, ip.source);
      const Address destination = Address::from(ip.family, ip.destination);
      for (std::size_t s = 0; s < sas_.size(); ++s)
        if (sas_[s].selects(source, destination)) return handles_[s];
      why = Drop::no_policy_out;
      return SaHandle::none;
    }
    std::uint32_t at = ip.header_length;
    if (ip.fragment) {
      why = Drop::fragment;
      return SaHandle::none;
    }
    std::uint8_t protocol = ip.protocol;
    if (protocol == kProtocolUdp) {
      const std::uint32_t left = ip.length - at;
      if (classify_udp_4500({packet + at, left}, left) == Datagram::esp) {
        at += 8;
        protocol = kProtocolEsp;
      }
    }
    const std::uint32_t spi_at = at + (protocol == kProtocolAh ? 4 : 0);
    why = Drop::no_sa;
    if ((protocol != kProtocolEsp && protocol != kProtocolAh) || spi_at + 4 > ip.length)
      return SaHandle::none;
    return context_->find(kQueue, load_be32(packet + spi_at), protocol, ip.family, ip.destination,
                          ip.source);
  }

  void send(std::size_t i) {
    Frame& frame = capture_.frames[i];
    Result& result = results_[i];
    if (!find_ip(capture_.link_type, frame.octets, result.offset)) return drop("not_ip");
    const std::uint8_t* packet = frame.octets.data() + result.offset;
    const std::uint32_t octets = static_cast<std::uint32_t>(frame.octets.size()) - result.offset;
    IpHeader ip;
    Drop why = parse_ip({packet, octets}, octets, ip);
    if (why != Drop::none) return drop(spec::kDrops[static_cast<unsigned>(why)].name);
    Job job;
    job.sa = choose(ip, packet, why);
    if (job.sa == SaHandle::none) return drop(spec::kDrops[static_cast<unsigned>(why)].name);
    jobs_[i].sa = static_cast<std::size_t>(std::find(handles_.begin(), handles_.end(), job.sa) -
                                           handles_.begin());
    result.packet.resize(octets + kMostOverhead);
    jobs_[i].source = {frame.octets.data(), static_cast<std::uint32_t>(frame.octets.size())};
    jobs_[i].destination = {result.packet.data(), static_cast<std::uint32_t>(result.packet.size())};
    job.cookie = i;
    job.l3_offset = result.offset;
    job.source = {&jobs_[i].source, 1};
    job.destination = {&jobs_[i].destination, 1};
    while (context_->submit(kQueue, {&job, 1}) == 0) collect();
  }

  void collect() {
    Completion done[64];
    const std::size_t n = context_->poll(kQueue, done);
    for (std::size_t i = 0; i < n; ++i) finish(done[i]);
    const Time time = now();
    if (n != 0 || waiting_since_ == Time{}) waiting_since_ = time;
    if (n == 0) context_->tick(time);
    if (time - waiting_since_ > kPatience)
      throw Failure("the device gave no answer within 120 s; see 'espalier devices'");
  }

  void finish(const Completion& done) {
    Octets& packet = results_[done.cookie].packet;
    packet.resize(done.length);
    if (done.drop == Drop::none && !options_.seal && !selected(done.cookie)) {
      packet.clear();
      return drop(spec::kDrops[static_cast<unsigned>(Drop::selector_mismatch)].name);
    }
    if (done.drop != Drop::none) return drop(spec::kDrops[static_cast<unsigned>(done.drop)].name);
    ++done_;
    octets_ += done.length;
    ++by_device_[std::string(context_->devices()[done.device]->capabilities().name)];
    if (done.refusal != Refusal::none) ++fallbacks_[name(done.refusal)];
  }

  /// The clear packet is one its SA may carry (RFC 4301 5.2 step 4).
  bool selected(std::uint64_t frame) const {
    const Octets& packet = results_[frame].packet;
    IpHeader ip;
    return parse_ip(packet, static_cast<std::uint32_t>(packet.size()), ip) == Drop::none &&
           sas_[jobs_[frame].sa].selects(Address::from(ip.family, ip.source),
                                         Address::from(ip.family, ip.destination));
  }

  void drop(const char* reason) {
    ++dropped_;
    ++drops_[reason];
  }

  void write() {
    Capture out;
    out.link_type = capture_.link_type;
    for (std::size_t i = 0; i < results_.size(); ++i)
      if (!results_[i].packet.empty())
        out.frames.push_back({capture_.frames[i].time, 0,
                              reframe(capture_.link_type, capture_.frames[i].octets,
                                      results_[i].offset, results_[i].packet)});
    write_capture(options_.out, out);
  }

  void report() const {
    const char* verb = options_.seal ? "protected" : "unprotected";
    if (options_.json) {
      fmt::print("{}\n", nlohmann::json{{"packets", results_.size()},
                                        {verb, done_},
                                        {"octets", octets_},
                                        {"dropped", dropped_},
                                        {"drops", drops_},
                                        {"devices", by_device_},
                                        {"fallbacks", fallbacks_}}
                             .dump());
      return;
    }
    fmt::print("{} packets: {} {}, {} dropped\n", results_.size(), done_, verb, dropped_);
    for (const auto& [reason, n] : drops_) fmt::print("  dropped {:>8}  {}\n", n, reason);
    for (const auto& [device, n] : by_device_) fmt::print("  device  {:>8}  {}\n", n, device);
    for (const auto& [reason, n] : fallbacks_) fmt::print("  passed over {:>4}  {}\n", n, reason);
  }

  const Options& options_;
  std::vector<FileSa> sas_;
  Capture capture_;
  std::unique_ptr<Context> context_;
  std::unique_ptr<StateFile> state_;
  std::vector<SaHandle> handles_;
  std::vector<Result> results_;
  std::vector<Buffers> jobs_;
  std::uint64_t done_ = 0, dropped_ = 0, octets_ = 0;
  std::map<std::string, std::uint64_t> drops_, by_device_, fallbacks_;
  Time waiting_since_{};
};

void add(CLI::App& app, int& status, const char* name, const char* what, bool seal) {
  auto* command = app.add_subcommand(name, what);
  auto o = std::make_shared<Options>();
  o->seal = seal;
  command->add_option("--sa", o->sa_file, "SA file (TOML, docs/sa-files.md)")->required();
  command->add_option("--device", o->device, kDeviceHelp)->capture_default_str();
  if (seal)
    command->add_option("--state", o->state_file,
                        "State file: numbers already used, for counter modes with static keys");
  command->add_flag("--insecure-key-file", o->insecure, "Take an SA file that everyone may read");
  command->add_flag("--no-fallback", o->no_fallback, "Drop what the device does not take");
  command->add_flag("--json", o->json, "One JSON object");
  command->add_option("in", o->in, "Capture to read (pcap; Ethernet or raw IP)")->required();
  command->add_option("out", o->out, "Capture to write")->required();
  command->callback([o, &status] { status = Run(*o).run(); });
}

}  // namespace

void add_protect(CLI::App& app, int& status) {
  add(app, status, "protect", "Seal the packets of a capture", true);
}
void add_unprotect(CLI::App& app, int& status) {
  add(app, status, "unprotect", "Open the packets of a capture", false);
}

}  // namespace espalier::cli

// SPDX-License-Identifier: BSD-2-Clause-Patent
// espalier protect, espalier unprotect: a capture through the library, both ways.
#include <fmt/core.h>

#include <algorithm>
#include <nlohmann/json.hpp>

#include "cli/capture.hpp"
#include "cli/command.hpp"
#include "cli/convey.hpp"
#include "cli/sa_file.hpp"
#include "cli/settle.hpp"
#include "cli/state_file.hpp"
#include "espalier/context.hpp"
#include "packet/ip.hpp"
#include "packet/octets.hpp"

namespace espalier::cli {
namespace {

constexpr QueueId kQueue{0};

struct Options {
  bool seal = true;
  std::string device = "auto";
  std::string sa_file, state_file, in, out;
  bool insecure = false;
  bool no_fallback = false;
  bool json = false;
};

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
    check_writable(options.out);
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
    const std::size_t frames = capture_.frames.size();
    parcels_.resize(frames);
    offsets_.resize(frames);
    for (std::size_t i = 0; i < frames; ++i)
      if (!address(i)) tally_.count_drop("not_ip");
    convey(*context_, parcels_);
    Capture out{capture_.link_type, {}};
    for (std::size_t i = 0; i < frames; ++i) take(i, out);
    write_capture(options_.out, out);
    report();
    return tally_.dropped == 0 ? kDone : kSomeFailed;
  }

 private:
  void add_sas() {
    std::unique_ptr<StateFile> state;
    if (options_.seal && !options_.state_file.empty())
      state = std::make_unique<StateFile>(options_.state_file);
    for (FileSa& sa : sas_) {
      sa.config.transform.direction =
          options_.seal ? driver::Direction::seal : driver::Direction::open;
      if (!options_.seal) continue;
      sa.config.last_number = sa.used;
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

  /// Fills in a frame's parcel: where its packet is, and its SA or why it has none.  False if it
  /// carries no IP.
  bool address(std::size_t i) {
    const Octets& frame = capture_.frames[i].octets;
    Parcel& parcel = parcels_[i];
    if (!find_ip(capture_.link_type, frame, offsets_[i])) return false;
    parcel.source = std::span(frame).subspan(offsets_[i]);
    IpHeader ip;
    parcel.drop = parse_ip(parcel.source, static_cast<std::uint32_t>(parcel.source.size()), ip);
    if (parcel.drop == Drop::none)
      parcel.sa = options_.seal ? outbound(ip, parcel.drop)
                                : inbound(ip, parcel.source.data(), parcel.drop);
    return true;
  }

  SaHandle outbound(const IpHeader& ip, Drop& why) const {
    const Address source = Address::from(ip.family, ip.source);
    const Address destination = Address::from(ip.family, ip.destination);
    for (std::size_t s = 0; s < sas_.size(); ++s)
      if (sas_[s].selects(source, destination)) return handles_[s];
    why = Drop::no_policy_out;
    return SaHandle::none;
  }

  SaHandle inbound(const IpHeader& ip, const std::uint8_t* packet, Drop& why) {
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
    SaHandle found = SaHandle::none;
    if ((protocol == kProtocolEsp || protocol == kProtocolAh) && spi_at + 4 <= ip.length)
      found = context_->find(kQueue, load_be32(packet + spi_at), protocol, ip.family,
                             ip.destination, ip.source);
    if (found == SaHandle::none) why = Drop::no_sa;
    return found;
  }

  /// Counts a parcel and, if it was done, adds its frame to `out`.
  void take(std::size_t i, Capture& out) {
    Parcel& parcel = parcels_[i];
    if (parcel.source.empty()) return;  // counted as not_ip
    if (parcel.drop == Drop::none && !options_.seal && !selected(parcel))
      parcel.drop = Drop::selector_mismatch;
    tally_.count(*context_, parcel);
    if (parcel.drop != Drop::none) return;
    const Frame& frame = capture_.frames[i];
    out.frames.push_back(
        {frame.time, 0, reframe(capture_.link_type, frame.octets, offsets_[i], parcel.result)});
  }

  /// The clear packet is one its SA may carry (RFC 4301 5.2 step 4).
  bool selected(const Parcel& parcel) const {
    const auto sa = std::find(handles_.begin(), handles_.end(), parcel.sa) - handles_.begin();
    IpHeader ip;
    return parse_ip(parcel.result, static_cast<std::uint32_t>(parcel.result.size()), ip) ==
               Drop::none &&
           sas_[static_cast<std::size_t>(sa)].selects(Address::from(ip.family, ip.source),
                                                      Address::from(ip.family, ip.destination));
  }

  void report() const {
    const char* verb = options_.seal ? "protected" : "unprotected";
    if (options_.json) {
      fmt::print("{}\n", nlohmann::json{{"packets", tally_.packets},
                                        {verb, tally_.done},
                                        {"octets", tally_.octets},
                                        {"dropped", tally_.dropped},
                                        {"drops", tally_.drops},
                                        {"devices", tally_.devices},
                                        {"fallbacks", tally_.fallbacks}}
                             .dump());
      return;
    }
    fmt::print("{} packets: {} {}, {} dropped\n", tally_.packets, tally_.done, verb,
               tally_.dropped);
    for (const auto& [reason, n] : tally_.drops) fmt::print("  dropped {:>8}  {}\n", n, reason);
    for (const auto& [device, n] : tally_.devices) fmt::print("  device  {:>8}  {}\n", n, device);
    for (const auto& [reason, n] : tally_.fallbacks)
      fmt::print("  passed over {:>4}  {}\n", n, reason);
  }

  const Options& options_;
  std::vector<FileSa> sas_;
  Capture capture_;
  std::unique_ptr<Context> context_;
  std::unique_ptr<StateFile> state_;
  std::vector<SaHandle> handles_;
  std::vector<Parcel> parcels_;  // one a frame
  std::vector<std::uint32_t> offsets_;
  Tally tally_;
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

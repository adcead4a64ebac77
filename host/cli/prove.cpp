// SPDX-License-Identifier: BSD-2-Clause-Patent
// espalier prove: is this flow really encrypted, by what, and where?
#include <fmt/core.h>
#include <openssl/crypto.h>
#include <unistd.h>

#include <algorithm>
#include <cstring>
#include <nlohmann/json.hpp>

#include "cli/capture.hpp"
#include "cli/command.hpp"
#include "cli/convey.hpp"
#include "cli/esp_sa.hpp"
#include "cli/sa_file.hpp"
#include "cli/settle.hpp"
#include "espalier/metrics.hpp"
#include "packet/ip.hpp"

namespace espalier::cli {
namespace {

struct ProveOptions {
  std::string device = "auto";
  std::string sa_file, in, source, destination, sealed, metrics, keys;
  int protocol = -1;
  bool insecure = false;
};

std::optional<Prefix> prefix_or_fail(const std::string& text) {
  if (text.empty()) return std::nullopt;
  auto prefix = Prefix::parse(text);
  if (!prefix) throw Failure("'" + text + "' is no address or prefix, as 10.0.0.0/8");
  return prefix;
}

/// What was found out about the packets of the flow under one SA.
struct Proof {
  std::uint64_t packets = 0, dropped = 0, opened = 0, clear = 0;
  std::map<std::string, std::uint64_t> devices, reasons;
  Octets sample;  ///< One sealed packet.
};

class Prove {
 public:
  explicit Prove(const ProveOptions& options)
      : options_(options),
        sas_(read_sa_file(options.sa_file, options.insecure)),
        capture_(read_capture(options.in)),
        source_(prefix_or_fail(options.source)),
        destination_(prefix_or_fail(options.destination)) {
    std::vector<std::unique_ptr<driver::Device>> devices, peers;
    devices.push_back(device_or_fail(options.device));
    if (devices[0]->capabilities().name != "software")
      devices.push_back(device_or_fail("software"));
    peers.push_back(device_or_fail("software"));
    sealer_ = open(std::move(devices));
    peer_ = open(std::move(peers));
    for (const std::string* path : {&options_.sealed, &options_.metrics, &options_.keys})
      if (!path->empty()) check_writable(*path);
    for (FileSa& sa : sas_) {
      if (!sa.test)
        throw Failure(sa.name +
                      " is no test SA: a proof seals packets; set 'test = true' on a copy "
                      "of it, or prove where the SA is in use");
      sa.config.transform.direction = driver::Direction::seal;
      sealing_.push_back(add(*sealer_, sa));
      sa.config.transform.direction = driver::Direction::open;
      opening_.push_back(add(*peer_, sa));
    }
    wait_until_installed(*sealer_, sealing_);
  }

  int run() {
    select();
    convey(*sealer_, parcels_);
    proofs_.resize(sas_.size());
    for (std::size_t i = 0; i < parcels_.size(); ++i) judge(parcels_[i], of_[i]);
    report();
    export_keys();
    if (!options_.metrics.empty()) write_text(options_.metrics, metrics(*sealer_));
    return good_ && !parcels_.empty() ? kDone : kSomeFailed;
  }

 private:
  static std::unique_ptr<Context> open(std::vector<std::unique_ptr<driver::Device>> devices) {
    auto made = Context::create({}, std::move(devices));
    if (!made) throw Failure(made.error());
    return std::move(*made);
  }
  static SaHandle add(Context& context, const FileSa& sa) {
    auto added = context.add(sa.config);
    if (!added) throw Failure(sa.name + ": " + added.error());
    return *added;
  }

  /// The flow's packets, and the first SA whose selectors hold each.
  void select() {
    for (const Frame& frame : capture_.frames) {
      std::uint32_t at = 0;
      if (!find_ip(capture_.link_type, frame.octets, at)) {
        ++not_ip_;
        continue;
      }
      Parcel parcel;
      parcel.source = std::span(frame.octets).subspan(at);
      IpHeader ip;
      if (parse_ip(parcel.source, static_cast<std::uint32_t>(parcel.source.size()), ip) !=
          Drop::none) {
        ++malformed_;
        continue;
      }
      const Address from = Address::from(ip.family, ip.source);
      const Address to = Address::from(ip.family, ip.destination);
      if ((options_.protocol >= 0 && ip.protocol != options_.protocol) ||
          (source_ && !source_->contains(from)) || (destination_ && !destination_->contains(to)))
        continue;
      std::size_t s = 0;
      while (s < sas_.size() && !sas_[s].selects(from, to)) ++s;
      if (s == sas_.size()) {
        ++unprotected_;
        good_ = false;
        continue;
      }
      parcel.sa = sealing_[s];
      parcels_.push_back(parcel);
      of_.push_back(s);
    }
  }

  /// Sealed it does not show its payload, and a peer that has only the SA gets the packet back.
  void judge(const Parcel& parcel, std::size_t sa) {
    Proof& proof = proofs_[sa];
    ++proof.packets;
    if (parcel.drop != Drop::none) {
      ++proof.dropped;
      good_ = false;
      return;
    }
    ++proof.devices[std::string(sealer_->devices()[parcel.device]->capabilities().name)];
    if (parcel.refusal != Refusal::none) ++proof.reasons[name(parcel.refusal)];
    Parcel back;
    back.sa = opening_[sa];
    back.source = parcel.result;
    convey(*peer_, {&back, 1});
    const bool same = back.drop == Drop::none && back.result.size() <= parcel.source.size() &&
                      std::equal(back.result.begin(), back.result.end(), parcel.source.begin());
    proof.opened += same;
    const bool shows = shows_payload(parcel);
    proof.clear += shows;
    good_ = good_ && same && !shows;
    proof.sample = parcel.result;
  }

  /// The clear packet's last 16 octets, anywhere in the sealed one.
  static bool shows_payload(const Parcel& parcel) {
    constexpr std::size_t kPiece = 16;
    if (parcel.source.size() < kPiece + 28) return false;
    return memmem(parcel.result.data(), parcel.result.size(),
                  parcel.source.data() + parcel.source.size() - kPiece, kPiece) != nullptr;
  }

  void report() {
    Capture out{12, {}};  // DLT_RAW
    for (std::size_t s = 0; s < sas_.size(); ++s) {
      const Proof& proof = proofs_[s];
      if (proof.packets == 0) continue;
      const auto about = sealer_->describe(sealing_[s]);
      const auto counted = sealer_->statistics(sealing_[s]);
      fmt::print("policy   {}: its selectors hold the flow\n", sas_[s].name);
      fmt::print("sa       SPI {:#010x}, {} {}, {} to {}\n", about->spi, about->suite,
                 about->mode == driver::Mode::tunnel ? "tunnel" : "transport", about->source.text(),
                 about->destination.text());
      for (const auto& [device, n] : proof.devices) fmt::print("device   {:>8}  {}\n", n, device);
      for (const auto& [why, n] : proof.reasons) fmt::print("  passed over {:>4}  {}\n", n, why);
      fmt::print("counters {} packets, {} octets, last number {}\n", counted->packets,
                 counted->bytes, counted->number);
      fmt::print("packets  {}: {} dropped, {} open again under the SA alone, {} show payload\n",
                 proof.packets, proof.dropped, proof.opened, proof.clear);
      if (!proof.sample.empty()) out.frames.push_back({{}, 0, proof.sample});
    }
    if (unprotected_ != 0)
      fmt::print("NO SA    {} packets: sent in clear or not at all\n", unprotected_);
    if (not_ip_ + malformed_ != 0)
      fmt::print("not looked at: {} frames without IP, {} with malformed IP\n", not_ip_,
                 malformed_);
    if (parcels_.empty() && unprotected_ == 0)
      fmt::print("no packet of this flow is in the capture\n");
    fmt::print("{}\n", good_ && !parcels_.empty() ? "encrypted" : "NOT PROVEN");
    if (!options_.sealed.empty()) write_capture(options_.sealed, out);
  }

  /// Only on request; readable by the owner alone, and never without a trace.
  void export_keys() const {
    if (options_.keys.empty()) return;
    std::string table;
    unsigned count = 0;
    for (std::size_t s = 0; s < sas_.size(); ++s)
      if (const auto line = esp_sa_line(sas_[s].config); line && proofs_[s].packets != 0) {
        table += *line + '\n';
        ++count;
      }
    write_private(options_.keys, table);
    OPENSSL_cleanse(table.data(), table.size());
    fmt::print(stderr, "espalier: audit: user {} exported the keys of {} SAs to {}\n", getuid(),
               count, options_.keys);
  }

  const ProveOptions& options_;
  std::vector<FileSa> sas_;
  Capture capture_;
  std::optional<Prefix> source_, destination_;
  std::unique_ptr<Context> sealer_, peer_;
  std::vector<SaHandle> sealing_, opening_;
  std::vector<Parcel> parcels_;
  std::vector<std::size_t> of_;  // by parcel: its SA
  std::vector<Proof> proofs_;    // by SA
  std::uint64_t unprotected_ = 0;
  std::uint64_t not_ip_ = 0, malformed_ = 0;  // frames whose flow nobody can tell
  bool good_ = true;
};

}  // namespace

void add_prove(CLI::App& app, int& status) {
  auto* command = app.add_subcommand("prove", "Say whether a flow is encrypted, by what and where");
  auto o = std::make_shared<ProveOptions>();
  command->add_option("--sa", o->sa_file, "SA file (TOML, docs/sa-files.md)")->required();
  command->add_option("--device", o->device, kDeviceHelp)->capture_default_str();
  command->add_option("--source", o->source, "Flow: source address or prefix");
  command->add_option("--destination", o->destination, "Flow: destination address or prefix");
  command->add_option("--protocol", o->protocol, "Flow: IP protocol number")
      ->check(CLI::Range(0, 255));
  command->add_option("--sealed", o->sealed, "Capture to write a sealed packet of each SA to");
  command->add_option("--metrics", o->metrics, "File to write all counters to (OpenMetrics)");
  command->add_option("--allow-key-export", o->keys,
                      "File to write the SAs' keys to, as Wireshark's esp_sa; audited");
  command->add_flag("--insecure-key-file", o->insecure, "Take an SA file that everyone may read");
  command->add_option("in", o->in, "Capture with packets of the flow")->required();
  command->callback([o, &status] { status = Prove(*o).run(); });
}

}  // namespace espalier::cli

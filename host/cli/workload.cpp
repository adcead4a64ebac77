// SPDX-License-Identifier: BSD-2-Clause-Patent
#include "cli/workload.hpp"

#include <algorithm>
#include <charconv>
#include <sstream>

#include "cli/command.hpp"
#include "packet/checksum.hpp"
#include "packet/octets.hpp"

namespace espalier::cli {
namespace {

constexpr std::uint32_t kFirstSpi = 0x1000;
constexpr std::uint32_t kBeat = 64;
constexpr std::uint8_t kUdp = 17;
constexpr double kCurveStep = 1.03;

std::uint32_t header_length(Family family) {
  return family == Family::ipv4 ? 20 : 40;
}

std::uint64_t beats_of(std::size_t octets) {
  return (octets + kBeat - 1) / kBeat;
}

Octets random_octets(std::size_t count, std::mt19937_64& random) {
  Octets out(count);
  for (auto& octet : out) octet = static_cast<std::uint8_t>(random());
  return out;
}

/// Seals as any peer would: in software, job by job.
class Peer {
 public:
  Peer() : context_(open()) {}

  SaHandle add(SaConfig config) {
    config.transform.direction = driver::Direction::seal;
    auto added = context_->add(config);
    if (!added) throw Failure(added.error());
    return *added;
  }
  Octets seal(SaHandle sa, Octets packet) {
    Octets out(packet.size() + 512);
    const Segment source{packet.data(), static_cast<std::uint32_t>(packet.size())};
    const Segment destination{out.data(), static_cast<std::uint32_t>(out.size())};
    Job job;
    job.sa = sa;
    job.source = {&source, 1};
    job.destination = {&destination, 1};
    Completion done;
    context_->submit(QueueId{0}, {&job, 1});
    context_->poll(QueueId{0}, {&done, 1});
    if (done.drop != Drop::none)
      throw Failure(std::string("software can't seal a packet of this workload: ") +
                    spec::info(done.drop).name);
    out.resize(done.length);
    return out;
  }

 private:
  static std::unique_ptr<Context> open() {
    ContextConfig config;
    config.max_sas = 65535;
    std::vector<std::unique_ptr<driver::Device>> devices;
    devices.push_back(device_or_fail("software"));
    auto made = Context::create(config, std::move(devices));
    if (!made) throw Failure(made.error());
    return std::move(*made);
  }
  std::unique_ptr<Context> context_;
};

std::vector<std::string> suite_names(const std::string& list) {
  std::vector<std::string> out;
  std::stringstream names(list);
  for (std::string name; std::getline(names, name, ',');) out.push_back(name);
  if (out.empty()) throw Failure("no suite; try aes256gcm16");
  return out;
}

}  // namespace

ModeName parse_mode(const std::string& name) {
  ModeName out;
  std::string base = name;
  if (base.ends_with("-natt")) {
    out.natt = true;
    base.resize(base.size() - 5);
  }
  if (base != "tunnel4" && base != "tunnel6" && base != "transport4" && base != "transport6")
    throw Failure("no mode '" + name +
                  "'; use tunnel4, tunnel6, transport4 or transport6, with -natt if wanted");
  out.mode = base.starts_with("tunnel") ? driver::Mode::tunnel : driver::Mode::transport;
  out.family = base.ends_with("4") ? Family::ipv4 : Family::ipv6;
  return out;
}

Mix parse_mix(const std::string& name) {
  if (name == "seal") return Mix::seal;
  if (name == "open") return Mix::open;
  if (name == "both") return Mix::both;
  if (name == "mixed-random") return Mix::mixed_random;
  throw Failure("no direction '" + name + "'; use seal, open, both or mixed-random");
}

std::vector<std::uint32_t> packet_sizes(const std::string& name, Family family, std::size_t count,
                                        std::mt19937_64& random) {
  const std::uint32_t least = header_length(family) + 8;
  std::vector<std::uint32_t> out;
  if (name == "imix") {
    static constexpr std::uint32_t kImix[12] = {40, 40,  40,  40,  40,  40,
                                                40, 576, 576, 576, 576, 1500};
    for (std::size_t i = 0; i < count; ++i) out.push_back(std::max(least, kImix[i % 12]));
    std::shuffle(out.begin(), out.end(), random);
    return out;
  }
  if (name == "random") {
    for (std::size_t i = 0; i < count; ++i)
      out.push_back(
          static_cast<std::uint32_t>(std::max<std::uint64_t>(least, 40 + random() % 1461)));
    return out;
  }
  std::uint32_t size = 0;
  const auto [end, error] = std::from_chars(name.data(), name.data() + name.size(), size);
  if (error != std::errc() || end != name.data() + name.size() || size < least || size > 65000)
    throw Failure("size '" + name + "' is not imix, random, or a number of octets from " +
                  std::to_string(least) + " to 65000");
  out.assign(count, size);
  return out;
}

SaConfig make_sa(const std::string& suite_name, const ModeName& mode, driver::Direction direction,
                 std::uint32_t index, std::mt19937_64& random) {
  std::string why;
  const auto suite = driver::parse_suite(suite_name, driver::Protocol::esp, why);
  if (!suite) throw Failure(why);
  SaConfig config;
  driver::apply(*suite, config.transform);
  config.transform.direction = direction;
  config.transform.mode = mode.mode;
  config.transform.outer = mode.family;
  config.transform.udp_encapsulation = mode.natt;
  config.transform.spi = kFirstSpi + index;
  why =
      driver::set_keys(*suite, random_octets(suite->cipher_key_length + suite->salt_length, random),
                       random_octets(suite->integrity_key_length, random), config.transform);
  if (!why.empty()) throw Failure(why);
  config.ends.family = mode.family;
  config.ends.source = {10, 0, 0, 1};
  config.ends.destination = {10, 0, 0, 2};
  config.replay_window = 4096;
  return config;
}

Octets make_packet(Family family, std::uint32_t octets, std::mt19937_64& random) {
  Octets p = random_octets(octets, random);
  const std::uint32_t header = header_length(family);
  std::fill_n(p.begin(), header, std::uint8_t{0});
  if (family == Family::ipv4) {
    p[0] = 0x45;
    store_be16(p.data() + 2, static_cast<std::uint16_t>(octets));
    p[8] = 64;
    p[9] = kUdp;
    p[12] = p[16] = 192;
    p[14] = p[18] = 2;
    p[19] = 1;
    store_be16(p.data() + 10,
               static_cast<std::uint16_t>(~checksum_fold(checksum_add({p.data(), header}, 0))));
  } else {
    p[0] = 0x60;
    store_be16(p.data() + 4, static_cast<std::uint16_t>(octets - header));
    p[6] = kUdp;
    p[7] = 64;
    p[8] = p[24] = 0xfd;
    p[39] = 1;
  }
  store_be16(p.data() + header + 4, static_cast<std::uint16_t>(octets - header));
  store_be16(p.data() + header + 6, 0);
  return p;
}

Workload make_workload(const WorkloadOptions& options) {
  std::mt19937_64 random(options.seed);
  const std::vector<std::string> suites = suite_names(options.suite);
  if (suites.size() > options.sas)
    throw Failure("SAs have the suites in turn: " + std::to_string(suites.size()) +
                  " suites need as many SAs or more in a direction");
  Workload out;
  Peer peer;
  std::vector<SaHandle> peers;
  const bool seals = options.mix != Mix::open, opens = options.mix != Mix::seal;
  for (std::uint32_t i = 0; i < options.sas; ++i)
    for (const auto direction : {driver::Direction::seal, driver::Direction::open}) {
      if (direction == driver::Direction::seal ? !seals : !opens) continue;
      out.sas.push_back(make_sa(suites[i % suites.size()], options.mode, direction,
                                static_cast<std::uint32_t>(out.sas.size()), random));
      peers.push_back(peer.add(out.sas.back()));
    }
  const auto sizes = packet_sizes(options.size, options.mode.family, options.packets, random);
  for (std::size_t i = 0; i < sizes.size(); ++i) {
    Item item;
    item.sa = static_cast<std::uint32_t>((options.mix == Mix::mixed_random ? random() : i) %
                                         out.sas.size());
    item.clear_size = sizes[i];
    const Octets clear = make_packet(options.mode.family, sizes[i], random);
    const Octets sealed = peer.seal(peers[item.sa], clear);
    const bool opened = out.sas[item.sa].transform.direction == driver::Direction::open;
    out.clear_bytes += clear.size();
    const std::uint64_t clear_beats = beats_of(clear.size()),
                        sealed_beats = beats_of(sealed.size());
    out.beats_in += opened ? sealed_beats : clear_beats;
    out.beats_out += opened ? clear_beats : sealed_beats;
    out.beats += std::max(clear_beats, sealed_beats);
    item.source = opened ? sealed : clear;
    item.result_size = static_cast<std::uint32_t>(opened ? clear.size() : sealed.size());
    out.items.push_back(std::move(item));
  }
  return out;
}

std::vector<std::pair<double, double>> ceiling_curve(const WorkloadOptions& options,
                                                     std::uint32_t low, std::uint32_t high) {
  std::mt19937_64 random(options.seed);
  Peer peer;
  const SaHandle sa = peer.add(make_sa(suite_names(options.suite).front(), options.mode,
                                       driver::Direction::seal, 0, random));
  std::vector<std::pair<double, double>> out;
  std::size_t last = 0;  // beats of the size before
  double drawn = 0;
  for (std::uint32_t size = low; size <= high; ++size) {
    const std::size_t sealed = peer.seal(sa, make_packet(options.mode.family, size, random)).size();
    const std::size_t beats = beats_of(std::max<std::size_t>(size, sealed));
    if (last != 0 && beats != last)
      out.emplace_back(size - 1, (size - 1.0) / static_cast<double>(last));
    if (beats != last || size == high || size > kCurveStep * drawn) {
      out.emplace_back(size, size / static_cast<double>(beats));
      drawn = size;
    }
    last = beats;
  }
  return out;
}

}  // namespace espalier::cli

// SPDX-License-Identifier: BSD-2-Clause-Patent
#include "cli/demo/gateway.hpp"

#include <algorithm>
#include <random>

#include "cli/command.hpp"
#include "cli/settle.hpp"
#include "cli/workload.hpp"
#include "packet/ip.hpp"
#include "packet/octets.hpp"

namespace espalier::cli::demo {
namespace {

constexpr QueueId kQueue{0};
constexpr const char* kNames[kTunnels] = {"IPv4 there", "IPv4 back", "IPv6 there", "IPv6 back"};
/// Tunnel end points (RFC 5737, RFC 3849).
constexpr std::array<std::uint8_t, 16> kEnds[2][2] = {
    {{192, 0, 2, 1}, {192, 0, 2, 2}},
    {{0x20, 0x01, 0x0d, 0xb8, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 1},
     {0x20, 0x01, 0x0d, 0xb8, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 2}}};

SaHandle add(Context& context, SaConfig config, driver::Direction direction) {
  config.transform.direction = direction;
  auto added = context.add(config);
  if (!added) throw Failure(added.error());
  return *added;
}

}  // namespace

std::array<Tunnel, kTunnels> make_tunnels(const std::string& suite, std::uint64_t seed) {
  std::mt19937_64 random(seed);
  std::array<Tunnel, kTunnels> out;
  for (unsigned t = 0; t < kTunnels; ++t) {
    const ModeName mode{driver::Mode::tunnel, t < 2 ? Family::ipv4 : Family::ipv6, false};
    const unsigned back = t % 2;
    out[t].name = kNames[t];
    out[t].config = make_sa(suite, mode, driver::Direction::seal, t + 1, random);
    out[t].config.ends.source = kEnds[t / 2][back];
    out[t].config.ends.destination = kEnds[t / 2][1 - back];
  }
  return out;
}

bool choose_tunnel(std::span<const std::uint8_t> packet, unsigned& tunnel) {
  IpHeader ip;
  if (parse_ip(packet, static_cast<std::uint32_t>(packet.size()), ip) != Drop::none) return false;
  const unsigned size = ip.family == Family::ipv4 ? 4 : 16;
  const bool back = std::lexicographical_compare(ip.destination, ip.destination + size, ip.source,
                                                 ip.source + size);
  tunnel = (ip.family == Family::ipv4 ? 0u : 2u) + back;
  return true;
}

Gateway::Gateway(const std::string& name, const std::array<Tunnel, kTunnels>& tunnels) {
  ContextConfig config;
  config.max_sas = 2 * kTunnels;
  std::vector<std::unique_ptr<driver::Device>> devices;
  devices.push_back(device_or_fail(name));
  if (devices[0]->capabilities().name != "software") devices.push_back(device_or_fail("software"));
  auto made = Context::create(config, std::move(devices));
  if (!made) throw Failure(made.error());
  context_ = std::move(*made);
  std::vector<SaHandle> all;
  for (unsigned t = 0; t < kTunnels; ++t) {
    outbound_[t] = add(*context_, tunnels[t].config, driver::Direction::seal);
    all.push_back(outbound_[t]);
    all.push_back(add(*context_, tunnels[t].config, driver::Direction::open));
  }
  wait_until_installed(*context_, all);
}

Gateway::Pass Gateway::seal(const Packets& packets,
                            const std::function<void(std::size_t)>& progress) {
  Pass pass;
  pass.parcels.resize(packets.size());
  for (std::size_t i = 0; i < packets.size(); ++i) {
    unsigned tunnel = 0;
    pass.parcels[i].source = packets[i];
    if (choose_tunnel(packets[i], tunnel)) pass.parcels[i].sa = outbound_[tunnel];
  }
  return run(std::move(pass), progress);
}

Gateway::Pass Gateway::open(const Packets& packets,
                            const std::function<void(std::size_t)>& progress) {
  Pass pass;
  pass.parcels.resize(packets.size());
  for (std::size_t i = 0; i < packets.size(); ++i) {
    Parcel& parcel = pass.parcels[i];
    parcel.source = packets[i];
    const auto size = static_cast<std::uint32_t>(packets[i].size());
    IpHeader ip;
    if (parse_ip(packets[i], size, ip) != Drop::none || ip.length < ip.header_length + 4) continue;
    parcel.sa = context_->find(kQueue, load_be32(packets[i].data() + ip.header_length), ip.protocol,
                               ip.family, ip.destination, ip.source);
  }
  return run(std::move(pass), progress);
}

Gateway::Pass Gateway::run(Pass pass, const std::function<void(std::size_t)>& progress) {
  pass.flow = convey(*context_, pass.parcels, progress);
  for (const Parcel& parcel : pass.parcels)
    if (parcel.sa != SaHandle::none) pass.tally.count(*context_, parcel);
  return pass;
}

}  // namespace espalier::cli::demo

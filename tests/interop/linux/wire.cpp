// SPDX-License-Identifier: BSD-2-Clause-Patent
#include "wire.hpp"

#include <stdexcept>

#include "espalier/devices.hpp"
#include "packet/ip.hpp"
#include "packet/octets.hpp"

namespace espalier::interop {
namespace {

constexpr QueueId kQueue{0};
constexpr std::size_t kEthernet = 14;
constexpr std::size_t kMostOverhead = 256;
constexpr std::chrono::seconds kPatience{5};
constexpr std::uint8_t kOurMac[] = {2, 0, 0, 0, 0, 1};
constexpr std::uint8_t kItsMac[] = {2, 0, 0, 0, 0, 2};
constexpr std::uint16_t kEtherTypes[] = {0x0800, 0x86dd};

template <class T>
T must(Result<T> result) {
  if (!result) throw std::runtime_error(result.error());
  return std::move(*result);
}
Time now() {
  return std::chrono::steady_clock::now().time_since_epoch();
}

}  // namespace

Wire::Wire(Guest& guest, const std::string& device) : guest_(guest) {
  std::vector<std::unique_ptr<driver::Device>> devices;
  devices.push_back(must(open_device(device)));
  if (device != "software") devices.push_back(must(open_device("software")));
  ContextConfig config;
  config.max_sas = static_cast<std::uint32_t>(2 * all_cases().size());
  config.batch = 1;
  context_ = must(Context::create(config, std::move(devices)));
  for (const Case& c : all_cases())
    sas_.push_back({must(context_->add(c.config(driver::Direction::seal))),
                    must(context_->add(c.config(driver::Direction::open)))});
  for (int i = 0; i < 1000; ++i) context_->tick(now());
}

Packet Wire::run(SaHandle sa, const Packet& in) {
  Packet out(in.size() + kMostOverhead);
  const Segment source{const_cast<std::uint8_t*>(in.data()), static_cast<std::uint32_t>(in.size())};
  const Segment destination{out.data(), static_cast<std::uint32_t>(out.size())};
  Job job;
  job.sa = sa;
  job.source = {&source, 1};
  job.destination = {&destination, 1};
  if (context_->submit(kQueue, {&job, 1}) != 1) throw std::runtime_error("no room for one packet");
  Completion done;
  while (context_->poll(kQueue, {&done, 1}) == 0) context_->tick(now());
  if (done.drop != Drop::none)
    throw std::runtime_error(std::string("dropped: ") + spec::info(done.drop).name);
  ++by_device_[std::string(context_->devices()[done.device]->capabilities().name)];
  out.resize(done.length);
  return out;
}

Packet Wire::seal(const Case& c, const Packet& clear) {
  return run(sas_[c.index].seal, clear);
}

void Wire::send(Family outer, const Packet& packet) {
  Frame frame(kItsMac, kItsMac + 6);
  frame.insert(frame.end(), kOurMac, kOurMac + 6);
  frame.resize(kEthernet);
  store_be16(frame.data() + 12, kEtherTypes[outer == Family::ipv6]);
  frame.insert(frame.end(), packet.begin(), packet.end());
  guest_.send(frame);
}

SaHandle Wire::sa_of(const Packet& packet) {
  IpHeader ip;
  if (parse_ip(packet, static_cast<std::uint32_t>(packet.size()), ip) != Drop::none)
    return SaHandle::none;
  std::size_t at = ip.header_length;
  std::uint8_t protocol = ip.protocol;
  if (protocol == kProtocolUdp) {
    at += 8;
    protocol = kProtocolEsp;
  }
  const std::size_t spi_at = at + (protocol == kProtocolAh ? 4 : 0);
  if ((protocol != kProtocolEsp && protocol != kProtocolAh) || spi_at + 4 > packet.size())
    return SaHandle::none;
  return context_->find(kQueue, load_be32(packet.data() + spi_at), protocol, ip.family,
                        ip.destination, ip.source);
}

std::optional<Packet> Wire::receive(const Case& c) {
  const auto end = std::chrono::steady_clock::now() + kPatience;
  while (std::chrono::steady_clock::now() < end) {
    const std::optional<Frame> frame = guest_.receive(std::chrono::milliseconds(200));
    if (!frame || frame->size() <= kEthernet) continue;
    const Packet packet(frame->begin() + kEthernet, frame->end());
    if (sa_of(packet) == sas_[c.index].open) return run(sas_[c.index].open, packet);
  }
  return std::nullopt;
}

}  // namespace espalier::interop

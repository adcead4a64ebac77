// SPDX-License-Identifier: BSD-2-Clause-Patent
// A security gateway's core in C++, layer L2: a policy that sends 10.1.0.0/16 to 10.2.0.0/16
// through a tunnel, and one packet that takes it.  Embedded by source: docs/api.md.
#include <algorithm>
#include <cstdio>
#include <numeric>

#include "espalier/boundary.hpp"
#include "espalier/devices.hpp"

using namespace espalier;

namespace {

constexpr QueueId kQueue{0};

AddressRange range(const char* text) {
  return AddressRange::parse(text).value();
}

/// The outbound SA as an IKE daemon would have negotiated it.
SaConfig tunnel() {
  std::string why;
  const auto suite = driver::parse_suite("aes256gcm16", driver::Protocol::esp, why).value();
  std::array<std::uint8_t, 36> keymat;  // 32 octets of key, 4 of salt: an example only
  std::iota(keymat.begin(), keymat.end(), std::uint8_t{1});
  SaConfig sa;
  driver::apply(suite, sa.transform);
  driver::set_keys(suite, keymat, {}, sa.transform);
  sa.transform.spi = 0x1001;
  sa.transform.esn = true;
  sa.ends.source = {192, 0, 2, 1};
  sa.ends.destination = {192, 0, 2, 2};
  sa.soft.time = std::chrono::minutes(50);  // an event says when it is time to rekey
  sa.hard.time = std::chrono::hours(1);
  return sa;
}

/// A boundary with the policy and its SA; null after a message.
std::unique_ptr<Boundary> gateway(Context& context) {
  auto boundary = Boundary::create({}, context);
  if (!boundary) return std::puts(boundary.error().c_str()), nullptr;
  const auto set = (*boundary)->add_set();
  if (!set) return std::puts(set.error().c_str()), nullptr;
  SaRole role;
  role.path_mtu = 1500;
  const auto sa = (*boundary)->add_sa(*set, tunnel(), role);
  if (!sa) return std::puts(sa.error().c_str()), nullptr;
  PolicyConfig policy;
  policy.way = Way::out;
  policy.action = Action::protect;
  policy.selector.local = {range("10.1.0.0/16")};
  policy.selector.remote = {range("10.2.0.0/16")};
  policy.set = *set;
  const auto added = (*boundary)->add(policy);
  if (!added) return std::puts(added.error().c_str()), nullptr;
  return std::move(*boundary);
}

/// Sends one packet out and says what became of it.
void send(Boundary& boundary, std::array<std::uint8_t, 20> header) {
  std::array<std::uint8_t, 256> sealed;
  const Packet packet{.source = header, .destination = sealed};
  if (boundary.outbound(kQueue, {&packet, 1}) != 1) return;
  Outcome outcome;
  for (bool last = false; !last; boundary.tick(Time{0})) {
    if (boundary.poll(kQueue, {&outcome, 1}) == 0) continue;
    std::printf("to 10.%u.0.7: %s, %zu octets, number %llu, drop %s\n", header[17],
                name(outcome.verdict), outcome.packet.size(),
                static_cast<unsigned long long>(outcome.number), spec::info(outcome.drop).name);
    last = outcome.last;
    if (outcome.lease != 0) boundary.release(kQueue, outcome);
  }
}

}  // namespace

int main() {
  auto device = open_device("auto");
  if (!device) return std::puts(device.error().c_str()), 1;
  std::vector<std::unique_ptr<driver::Device>> devices;
  devices.push_back(std::move(*device));
  auto context = Context::create({}, std::move(devices));
  if (!context) return std::puts(context.error().c_str()), 1;
  const auto boundary = gateway(**context);
  if (!boundary) return 1;
  std::array<std::uint8_t, 20> packet = {0x45, 0, 0,  20, 0, 0, 0,  0, 64, 59,
                                         0,    0, 10, 1,  0, 7, 10, 2, 0,  7};
  send(*boundary, packet);  // the policy's
  packet[17] = 3;
  send(*boundary, packet);  // no policy's: discarded
}

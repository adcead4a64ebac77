// SPDX-License-Identifier: BSD-2-Clause-Patent
// Opening what was tampered with.  A packet is sealed, changed as the input says, and offered to
// the inbound SA: it is dropped, or what comes out is what went in.  Then the input itself is
// sealed.
#include <cstdint>
#include <cstdio>
#include <cstdlib>
#include <cstring>
#include <vector>

#include "espalier/context.hpp"
#include "espalier/driver/software.hpp"
#include "packet/octets.hpp"

using namespace espalier;

namespace {

using Bytes = std::vector<std::uint8_t>;

struct Pair {
  SaHandle seal, open;
  bool tunnel;
};

struct Rig {
  std::unique_ptr<Context> context;
  std::vector<Pair> pairs;

  Rig() {
    std::vector<std::unique_ptr<driver::Device>> devices;
    devices.push_back(driver::make_software());
    context = std::move(*Context::create({}, std::move(devices)));
    for (const driver::Suite& suite : driver::all_suites())
      for (const auto mode : {driver::Mode::tunnel, driver::Mode::transport})
        pairs.push_back(add(suite, mode));
  }
  Pair add(const driver::Suite& suite, driver::Mode mode) {
    SaConfig config;
    driver::apply(suite, config.transform);
    config.transform.mode = mode;
    config.transform.spi = static_cast<std::uint32_t>(0x1000 + pairs.size());
    config.transform.esn = pairs.size() % 3 == 0;
    const Bytes key(suite.cipher_key_length + suite.salt_length, 0x41);
    const Bytes integrity(
        suite.integrity_key_length + (suite.cipher_key_length == 0 ? suite.salt_length : 0), 0x42);
    std::string why = driver::set_keys(suite, key, integrity, config.transform);
    if (!why.empty()) why = driver::set_keys(suite, {}, integrity, config.transform);
    config.ends.source = {10, 0, 0, 1};
    config.ends.destination = {10, 0, 0, 2};
    const auto seal = context->add(config);
    config.transform.direction = driver::Direction::open;
    const auto open = context->add(config);
    if (!seal || !open) {
      std::fprintf(stderr, "%s: %s\n", driver::suite_name(suite).c_str(),
                   seal ? open.error().c_str() : seal.error().c_str());
      std::abort();
    }
    return {*seal, *open, mode == driver::Mode::tunnel};
  }
  /// The result; empty if it was dropped.
  Bytes run(SaHandle sa, Bytes packet, std::size_t room) {
    Bytes out(room);
    const Segment in{packet.data(), static_cast<std::uint32_t>(packet.size())};
    const Segment to{out.data(), static_cast<std::uint32_t>(room)};
    Job job;
    job.sa = sa;
    job.source = {&in, 1};
    job.destination = {&to, 1};
    if (context->submit(QueueId{0}, {&job, 1}) != 1) std::abort();
    Completion done;
    while (context->poll(QueueId{0}, {&done, 1}) == 0) context->tick(Time{0});
    if (done.drop == Drop::none && done.length > room) std::abort();
    out.resize(done.drop == Drop::none ? done.length : 0);
    return out;
  }
};

Bytes clear_packet(std::size_t payload) {
  Bytes p(20 + payload, 0x5a);
  const std::uint8_t header[20] = {0x45, 0, 0,  0, 0, 1, 0,  0, 64, 17,
                                   0,    0, 10, 1, 0, 1, 10, 2, 0,  1};
  std::memcpy(p.data(), header, sizeof header);
  store_be16(p.data() + 2, static_cast<std::uint16_t>(p.size()));
  return p;
}

}  // namespace

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
  static Rig rig;
  if (size < 4) return 0;
  const Pair& pair = rig.pairs[data[0] % rig.pairs.size()];
  const Bytes clear = clear_packet(data[1]);
  Bytes sealed = rig.run(pair.seal, clear, 1000);
  if (sealed.empty()) std::abort();
  const int resize = static_cast<signed char>(data[2]);
  if (resize < 0 || data[3] == 1)
    sealed.resize(
        std::max<std::size_t>(1, sealed.size() + static_cast<std::size_t>(resize)) % 2000 + 1);
  for (std::size_t i = 4; i < size && i - 4 < sealed.size(); ++i) sealed[i - 4] ^= data[i];
  const Bytes opened = rig.run(pair.open, sealed, 600);
  if (!opened.empty() && pair.tunnel) {
    // ECN of the outer header reaches the inner one (RFC 6040), and its checksum.
    Bytes a = opened, b = clear;
    if (a.size() != b.size()) std::abort();
    for (Bytes* p : {&a, &b}) (*p)[1] = (*p)[10] = (*p)[11] = 0;
    if (a != b) std::abort();
  }
  rig.run(pair.seal, Bytes(data, data + size), 4000);
  rig.run(pair.open, Bytes(data, data + size), data[3]);
  return 0;
}

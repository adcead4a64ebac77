// SPDX-License-Identifier: BSD-2-Clause-Patent
#include "cli/soak/association.hpp"

#include <algorithm>
#include <array>

#include "cli/command.hpp"
#include "espalier/driver/software.hpp"
#include "packet/octets.hpp"

namespace espalier::cli {
namespace {

constexpr unsigned kPeerSlots = 1024;
constexpr std::uint32_t kRoom = 16384;
constexpr unsigned kTries = 100;

std::vector<std::uint8_t> random_octets(std::size_t count, std::mt19937_64& random) {
  std::vector<std::uint8_t> out(count);
  for (auto& octet : out) octet = static_cast<std::uint8_t>(random());
  return out;
}

SaConfig any_sa(const driver::Suite& suite, std::mt19937_64& random) {
  SaConfig config;
  driver::SaParameters& sa = config.transform;
  driver::apply(suite, sa);
  sa.direction = random() % 2 != 0 ? driver::Direction::seal : driver::Direction::open;
  sa.mode = random() % 3 != 0 ? driver::Mode::tunnel : driver::Mode::transport;
  sa.outer = random() % 3 != 0 ? Family::ipv4 : Family::ipv6;
  sa.esn = random() % 3 == 0;
  sa.udp_encapsulation = suite.protocol == driver::Protocol::esp && random() % 5 == 0;
  config.ends.family = sa.outer;
  config.ends.source = {10, 0, 0, 1};
  config.ends.destination = {10, 0, 0, 2};
  config.replay_window = 1024;
  return config;
}

}  // namespace

Association random_association(const driver::Device& device, std::uint32_t spi,
                               std::mt19937_64& random) {
  const bool wanted = random() % 10 < 7;
  const auto suites = driver::all_suites();
  Association flow;
  for (unsigned i = 0; i < kTries; ++i) {
    flow.suite = suites[random() % suites.size()];
    flow.config = any_sa(flow.suite, random);
    flow.config.transform.spi = spi;
    const bool gmac = flow.suite.integrity == spec::Integrity::aes_gmac;  // whose salt is its own
    const unsigned salt = flow.suite.salt_length;
    const std::string why = driver::set_keys(
        flow.suite, random_octets(flow.suite.cipher_key_length + (gmac ? 0 : salt), random),
        random_octets(flow.suite.integrity_key_length + (gmac ? salt : 0), random),
        flow.config.transform);
    if (!why.empty()) throw Failure(why);
    driver::set_header_template(flow.config.ends, flow.config.transform);
    if (!wanted || device.supports(flow.config.transform)) break;
  }
  flow.seals = flow.config.transform.direction == driver::Direction::seal;
  return flow;
}

Peer::Peer()
    : device_(driver::make_software({.queues = 1, .queue_depth = 4, .slots = kPeerSlots})) {
  for (unsigned i = 0; i < kPeerSlots; ++i) free_.push_back(static_cast<std::uint16_t>(i));
}

void Peer::add(Association& flow) {
  if (free_.empty()) throw Failure("the soak's peer has no slot left");
  driver::SaParameters sa = flow.config.transform;
  sa.direction = flow.seals ? driver::Direction::open : driver::Direction::seal;
  flow.peer_slot = static_cast<driver::Slot>(free_.back());
  const driver::Status status = device_->install(flow.peer_slot, driver::Generation{1}, sa);
  if (status != driver::Status::ok)
    throw Failure("the soak's peer refused " + driver::suite_name(flow.suite));
  free_.pop_back();
}

void Peer::remove(Association& flow) {
  device_->remove(flow.peer_slot);
  free_.push_back(static_cast<std::uint16_t>(flow.peer_slot));
}

Octets Peer::run(driver::Job job, const Association& flow, const Octets& packet) {
  Octets in = packet, out(kRoom);
  const driver::Segment source{in.data(), static_cast<std::uint32_t>(in.size())};
  const driver::Segment destination{out.data(), kRoom};
  job.slot = flow.peer_slot;
  job.generation = driver::Generation{1};
  job.source = {&source, 1};
  job.destination = {&destination, 1};
  driver::Completion done;
  if (!device_->submit_one(driver::QueueId{0}, job) ||
      device_->poll(driver::QueueId{0}, {&done, 1}) != 1)
    throw Failure("the soak's peer did not answer");
  out.resize(done.status == driver::Status::ok ? done.length : 0);
  return out;
}

Octets Peer::seal(Association& flow, const Octets& clear, std::mt19937_64& random) {
  driver::Job job;
  job.direction = driver::Direction::seal;
  job.sequence_number = ++flow.number;
  job.ttl = 64;
  job.identity = flow.number & 0xffff;
  if (!flow.tunnel()) job.header_length = flow.outer() == Family::ipv4 ? 20 : 40;
  if (flow.suite.protocol == driver::Protocol::esp) {
    const auto align = std::max<std::size_t>(4, flow.suite.block_length);
    const std::size_t body = clear.size() - job.header_length + 2;
    job.pad_length = static_cast<std::uint8_t>((align - body % align) % align);
  }
  if (flow.config.transform.cipher == spec::Cipher::aes_cbc)
    for (auto& octet : job.iv) octet = static_cast<std::uint8_t>(random());
  else if (!flow.config.transform.implicit_iv)
    store_be64(job.iv.data(), flow.number);
  return run(job, flow, clear);
}

Octets Peer::open(const Association& flow, const Octets& wire, std::uint64_t number,
                  std::uint32_t header_length) {
  driver::Job job;
  job.direction = driver::Direction::open;
  job.sequence_number = number;
  job.header_length = static_cast<std::uint16_t>(header_length);
  return run(job, flow, wire);
}

}  // namespace espalier::cli

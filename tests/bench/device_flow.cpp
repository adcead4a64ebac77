// SPDX-License-Identifier: BSD-2-Clause-Patent
#include "device_flow.hpp"

#include <algorithm>
#include <stdexcept>

#include "espalier/devices.hpp"
#include "espalier/driver/suite.hpp"
#include "packet/octets.hpp"

namespace espalier::bench {
namespace {

constexpr std::size_t kLine = 64, kRoom = 128;  // kRoom: beyond the packet, for what sealing adds
constexpr driver::Generation kGeneration{1};

driver::SaParameters make_sa(const driver::Suite& suite, std::uint32_t spi) {
  driver::SaParameters sa;
  driver::apply(suite, sa);
  sa.spi = spi;
  std::vector<std::uint8_t> key(suite.cipher_key_length + suite.salt_length, 0x11);
  if (!key.empty()) key[0] = static_cast<std::uint8_t>(spi);
  const std::vector<std::uint8_t> auth(suite.integrity_key_length, 0x22);
  const std::string why = driver::set_keys(suite, key, auth, sa);
  if (!why.empty()) throw std::runtime_error(why);
  driver::Endpoints ends;
  ends.source = {10, 0, 0, 1};
  ends.destination = {10, 0, 0, 2};
  driver::set_header_template(ends, sa);
  return sa;
}

void install_pair(driver::Device& device, driver::SaParameters sa, std::uint32_t pair) {
  for (const auto direction : {driver::Direction::seal, driver::Direction::open}) {
    sa.direction = direction;
    const bool open = direction == driver::Direction::open;
    if (device.install(static_cast<driver::Slot>(2 * pair + open), kGeneration, sa) !=
        driver::Status::ok)
      throw std::runtime_error("the device does not take the SA");
  }
}

void write_packet(std::uint8_t* p, std::uint32_t octets, std::mt19937& random) {
  for (std::uint32_t i = 0; i < octets; ++i) p[i] = static_cast<std::uint8_t>(random());
  p[0] = 0x45;
  p[1] = 0;
  store_be16(p + 2, static_cast<std::uint16_t>(octets));
}

}  // namespace

DeviceFlow::DeviceFlow(const std::string& device, const std::string& suite_name,
                       const std::vector<std::uint32_t>& sizes, std::uint32_t sas,
                       std::uint32_t burst)
    : sizes_(sizes), sas_(sas), burst_(burst), numbers_(sas) {
  auto opened = open_device(device, DeviceOptions{});
  if (!opened) throw std::runtime_error(opened.error());
  device_ = std::move(*opened);
  std::string why;
  const auto suite = driver::parse_suite(suite_name, driver::Protocol::esp, why);
  if (!suite) throw std::runtime_error(why);
  if (2 * sas > device_->capabilities().slots) throw std::runtime_error("too few slots");
  for (std::uint32_t i = 0; i < sas; ++i) install_pair(*device_, make_sa(*suite, 256 + i), i);

  const std::uint32_t longest = *std::max_element(sizes.begin(), sizes.end());
  room_ = (longest + kRoom + kLine - 1) / kLine * kLine;
  for (auto* memory : {&clear_, &sealed_, &opened_}) memory->resize(room_ * burst);
  segments_.resize(4 * std::size_t{burst});
  seals_.resize(burst);
  opens_.resize(burst);
  completions_.resize(burst);
  const auto room = static_cast<std::uint32_t>(room_);
  for (std::size_t i = 0; i < burst; ++i) {
    write_packet(at(clear_, i), length(i), random_);
    driver::Segment* s = &segments_[4 * i];
    s[0] = {at(clear_, i), length(i)};
    s[1] = {at(sealed_, i), room};
    s[2] = {at(sealed_, i), 0};
    s[3] = {at(opened_, i), room};
    driver::Job& seal = seals_[i];
    seal.cookie = opens_[i].cookie = i;
    seal.generation = opens_[i].generation = kGeneration;
    seal.parsed = opens_[i].parsed = true;
    seal.source = {&s[0], 1};
    seal.destination = {&s[1], 1};
    const std::uint32_t block = suite->block_length;
    seal.pad_length = static_cast<std::uint8_t>((block - (length(i) + 2) % block) % block);
    seal.ttl = 64;
    opens_[i].direction = driver::Direction::open;
    opens_[i].header_length = 20;
    opens_[i].source = {&s[2], 1};
    opens_[i].destination = {&s[3], 1};
  }
}

std::vector<std::span<const std::uint8_t>> DeviceFlow::clear() const {
  std::vector<std::span<const std::uint8_t>> packets;
  for (std::size_t i = 0; i < burst_; ++i) packets.emplace_back(&clear_[i * room_], length(i));
  return packets;
}

double DeviceFlow::run(std::vector<driver::Job>& jobs) {
  std::vector<const driver::Job*> each;
  for (const driver::Job& job : jobs) each.push_back(&job);
  Lap lap;
  const std::size_t taken = device_->submit(driver::QueueId{0}, each);
  const std::size_t done = device_->poll(driver::QueueId{0}, completions_);
  const double ns = lap.take();
  sound_ = sound_ && taken == jobs.size() && done == jobs.size();
  for (std::size_t i = 0; i < done; ++i)
    sound_ = sound_ && completions_[i].status == driver::Status::ok;
  return ns;
}

double DeviceFlow::seal() {
  for (std::size_t i = 0; i < burst_; ++i) {
    const std::uint32_t sa = sas_ == 1 ? 0 : random_() % sas_;
    const std::uint64_t number = ++numbers_[sa];
    seals_[i].slot = static_cast<driver::Slot>(2 * sa);
    opens_[i].slot = static_cast<driver::Slot>(2 * sa + 1);
    seals_[i].sequence_number = opens_[i].sequence_number = number;
    store_be64(seals_[i].iv.data(), number);
    seals_[i].identity = number & 0xffff;
  }
  const double ns = run(seals_);
  for (const driver::Completion& c : completions_) segments_[4 * c.cookie + 2].length = c.length;
  return ns;
}

double DeviceFlow::open() {
  const double ns = run(opens_);
  for (std::size_t i = 0; i < burst_; ++i)
    sound_ = sound_ && completions_[i].length == length(i) &&
             std::equal(at(clear_, i), at(clear_, i) + length(i), at(opened_, i));
  return ns;
}

}  // namespace espalier::bench

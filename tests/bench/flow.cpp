// SPDX-License-Identifier: BSD-2-Clause-Patent
#include "flow.hpp"

#include <algorithm>
#include <stdexcept>

#include "espalier/devices.hpp"
#include "packet/octets.hpp"

namespace espalier::bench {
namespace {

constexpr std::uint32_t kRoom = 128;         // beyond the packet, for all that sealing adds
constexpr std::uint32_t kHead = 20 + 8 + 8;  // of that, what stands before it: IPv4, ESP, IV

SaConfig sa_config(const std::string& suite_name, driver::Direction direction, std::uint32_t spi) {
  std::string why;
  const auto suite = driver::parse_suite(suite_name, driver::Protocol::esp, why);
  if (!suite) throw std::runtime_error(why);
  SaConfig config;
  driver::apply(*suite, config.transform);
  config.transform.direction = direction;
  config.transform.spi = spi;
  std::vector<std::uint8_t> key(suite->cipher_key_length + suite->salt_length, 0x11);
  if (!key.empty()) key[0] = static_cast<std::uint8_t>(spi);
  const std::vector<std::uint8_t> auth(suite->integrity_key_length, 0x22);
  why = driver::set_keys(*suite, key, auth, config.transform);
  if (!why.empty()) throw std::runtime_error(why);
  config.ends.source = {10, 0, 0, 1};
  config.ends.destination = {10, 0, 0, 2};
  return config;
}

SaHandle added(Context& context, const SaConfig& config) {
  auto sa = context.add(config);
  if (!sa) throw std::runtime_error(sa.error());
  return *sa;
}

void write_packet(std::span<std::uint8_t> p, std::mt19937& random) {
  for (auto& octet : p) octet = static_cast<std::uint8_t>(random());
  p[0] = 0x45;
  p[1] = 0;
  store_be16(&p[2], static_cast<std::uint16_t>(p.size()));
  p[6] = p[7] = 0;
  p[9] = 17;
}

}  // namespace

Flow::Flow(const FlowOptions& options) : options_(options) {
  auto device = open_device(options.device, DeviceOptions{});
  if (!device) throw std::runtime_error(device.error());
  std::vector<std::unique_ptr<driver::Device>> devices;
  devices.push_back(std::move(*device));
  ContextConfig config;
  config.max_sas = 2 * options.sas + options.spare_sas;
  config.batch = options.batch;
  auto context = Context::create(config, std::move(devices));
  if (!context) throw std::runtime_error(context.error());
  context_ = std::move(*context);
  for (std::uint32_t i = 0; i < options.sas; ++i) {
    out_.push_back(added(*context_, sa_config(options.suite, driver::Direction::seal, 256 + i)));
    in_.push_back(added(*context_, sa_config(options.suite, driver::Direction::open, 256 + i)));
  }

  const std::uint32_t longest = *std::max_element(options.sizes.begin(), options.sizes.end());
  const std::uint32_t n = options.burst;
  clear_ = buffers(longest);
  for (std::uint32_t i = 0; i < n; ++i) write_packet(clear_[i].first(length(i)), random_);
  segments_.resize(4 * n);
  seals_.resize(n);
  opens_.resize(n);
  completions_.resize(n);
  for (std::uint32_t i = 0; i < n; ++i) {
    seals_[i].cookie = opens_[i].cookie = i;
    seals_[i].source = {&segments_[i], 1};
    opens_[i].source = {&segments_[2 * n + i], 1};
  }
  options.in_place ? make_jobs_in_place(longest) : make_jobs(longest);
}

void Flow::make_jobs(std::uint32_t longest) {
  sealed_ = buffers(longest + kRoom);
  opened_ = buffers(longest + kRoom);
  const std::uint32_t n = options_.burst;
  for (std::uint32_t i = 0; i < n; ++i) {
    segments_[i] = {clear_[i].data(), length(i)};
    segments_[n + i] = {sealed_[i].data(), longest + kRoom};
    segments_[2 * n + i] = {sealed_[i].data(), 0};
    segments_[3 * n + i] = {opened_[i].data(), longest + kRoom};
    seals_[i].destination = {&segments_[n + i], 1};
    opens_[i].destination = {&segments_[3 * n + i], 1};
  }
}
/// What is opened is sealed again; clear_ is what it is compared with.
void Flow::make_jobs_in_place(std::uint32_t longest) {
  sealed_ = buffers(longest + kRoom);
  for (std::uint32_t i = 0; i < options_.burst; ++i) {
    opened_.push_back(sealed_[i].subspan(kHead));
    std::copy_n(clear_[i].begin(), length(i), opened_[i].begin());
    segments_[i] = {sealed_[i].data(), longest + kRoom};
    segments_[2 * options_.burst + i] = {sealed_[i].data(), 0};
    seals_[i].l3_offset = kHead;
  }
}

std::vector<std::span<const std::uint8_t>> Flow::clear() const {
  std::vector<std::span<const std::uint8_t>> packets;
  for (std::uint32_t i = 0; i < burst(); ++i) packets.push_back(clear_[i].first(length(i)));
  return packets;
}

SaConfig Flow::spare(std::uint32_t spi) const {
  return sa_config(options_.suite, driver::Direction::seal, spi);
}

Flow::~Flow() {
  for (const auto memory : pool_) context_->release(memory);
}

std::vector<std::span<std::uint8_t>> Flow::buffers(std::uint32_t octets) {
  constexpr std::uint32_t kLine = 64;
  octets = (octets + kLine - 1) / kLine * kLine;
  const std::size_t all = std::size_t{octets} * options_.burst;
  std::span<std::uint8_t> memory;
  if (options_.pool_memory) {
    memory = context_->allocate(all);
    if (memory.empty()) throw std::runtime_error("no pool memory left");
    pool_.push_back(memory);
  } else {
    own_.emplace_back(all);
    memory = own_.back();
  }
  std::vector<std::span<std::uint8_t>> out;
  for (std::uint32_t i = 0; i < options_.burst; ++i)
    out.push_back(memory.subspan(std::size_t{octets} * i, octets));
  return out;
}

double Flow::run(std::vector<Job>& jobs) {
  Lap lap;
  const std::size_t taken = context_->submit(QueueId{0}, jobs);
  std::size_t done = context_->poll(QueueId{0}, completions_);
  const double ns = lap.take();
  sound_ = sound_ && taken == jobs.size() && done == jobs.size();
  for (std::size_t i = 0; i < done; ++i) sound_ = sound_ && completions_[i].drop == Drop::none;
  return ns;
}

double Flow::seal() {
  for (std::uint32_t i = 0; i < options_.burst; ++i) {
    const std::uint32_t sa = options_.sas == 1 ? 0 : random_() % options_.sas;
    seals_[i].sa = out_[sa];
    opens_[i].sa = in_[sa];
  }
  const double ns = run(seals_);
  for (const Completion& c : completions_)
    segments_[2 * options_.burst + c.cookie].length = c.length;
  return ns;
}

double Flow::open() {
  const double ns = run(opens_);
  for (const Completion& c : completions_)
    sound_ = sound_ && c.length == length(static_cast<std::uint32_t>(c.cookie)) &&
             std::equal(clear_[c.cookie].begin(), clear_[c.cookie].begin() + c.length,
                        opened_[c.cookie].begin());
  return ns;
}

}  // namespace espalier::bench

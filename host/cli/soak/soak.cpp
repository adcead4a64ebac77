// SPDX-License-Identifier: BSD-2-Clause-Patent
#include "cli/soak/soak.hpp"

#include <algorithm>
#include <cstring>
#include <deque>
#include <unordered_map>

#include "cli/command.hpp"
#include "cli/soak/association.hpp"
#include "cli/soak/witness.hpp"
#include "cli/workload.hpp"
#include "espalier/driver/segments.hpp"
#include "packet/octets.hpp"

namespace espalier::cli {
namespace {

using namespace std::chrono_literals;

constexpr QueueId kQueue{0};
constexpr std::uint32_t kCapacity = 256;
constexpr std::size_t kFlows = 8;
constexpr std::uint32_t kArea = 10'240;  ///< Of a buffer's source, and of its destination.
constexpr std::uint32_t kHeadroom = 128;
constexpr std::uint8_t kFill = 0xa5;
constexpr std::size_t kKeptForReplay = 64;  ///< Within the window of 1,024.
constexpr unsigned kPacketsPerRekey = 300;
/// Rounds in which a device in trouble gets no more than a packet, so that it sees some traffic yet
/// when it is back.
constexpr unsigned kBurst = 16;
constexpr std::uint64_t kPatienceRounds = 400;  ///< The time-out, in rounds.

/// Memory of one packet under way.
struct Buffer {
  std::vector<std::uint8_t> own;
  std::span<std::uint8_t> memory;  ///< Source area, then destination area.
  std::vector<Segment> source, destination;
};

enum class Expect : std::uint8_t { delivery, forged, replayed };

struct Item {
  std::shared_ptr<Association> flow;
  Expect expect = Expect::delivery;
  Octets clear;
  std::uint64_t place = 0;          ///< In the flow's order.
  std::uint32_t header_length = 0;  ///< Of a sealed packet in transport mode: to ESP or AH.
  Buffer* buffer = nullptr;
};

class Soak {
 public:
  Soak(const SoakOptions& options);
  SoakCounts run(const std::function<void(std::uint64_t)>& progress);

 private:
  void round(std::size_t burst);
  void offer();
  void poll();
  void rekey(std::size_t at);
  void retire(Association& flow);
  void make_offer();
  void lay_out(Item& item, const Octets& source);
  void check(const Completion& done);
  void check_drop(const Item& item, const Completion& done);
  void check_sealed(const Item& item, const Completion& done);
  void check_opened(const Item& item, const Completion& done);
  Octets result(const Item& item, std::uint32_t length) const;
  bool holds_plaintext(const Item& item) const;
  void give_back(Buffer& buffer);
  bool chance(unsigned percent) { return random_() % 100 < percent; }

  SoakOptions options_;
  std::mt19937_64 random_;
  std::shared_ptr<NonceLog> nonces_ = std::make_shared<NonceLog>();
  Peer peer_;
  std::unique_ptr<Context> context_;
  std::vector<std::unique_ptr<Buffer>> buffers_;
  std::deque<Buffer*> free_;
  std::vector<std::shared_ptr<Association>> flows_;
  std::unordered_map<std::uint64_t, Item> under_way_;  // by cookie
  std::uint64_t next_cookie_ = 1;
  Item offered_;  ///< Not taken yet; buffer is null if there is none.
  std::uint32_t next_spi_ = 0x1000;
  Time now_{0}, step_{0};
  SoakCounts counts_;
};

Soak::Soak(const SoakOptions& options) : options_(options), random_(options.seed) {
  DeviceOptions shape;
  shape.queue_depth = kCapacity;
  auto inner = device_or_fail(options.device, shape);
  step_ = std::chrono::milliseconds(inner->capabilities().simulated ? kSimulatedPatience : 1);
  driver::FaultOptions faults = options.faults;
  faults.seed = options.seed;
  std::vector<std::unique_ptr<driver::Device>> devices;
  devices.push_back(make_witness(driver::make_fault_device(std::move(inner), faults), nonces_));
  devices.push_back(make_witness(device_or_fail("software:openssl", shape), nonces_));

  ContextConfig config;
  config.max_sas = 256;
  config.queue_capacity = kCapacity;
  config.batch = kBurst;
  config.health.job_timeout = std::chrono::milliseconds(kPatienceRounds);
  config.health.back_off = 20 * step_;
  config.health.back_off_limit = 100 * step_;
  config.health.hold_back = 1h;
  config.health.shadow_per_million = options.shadow_per_million;
  config.health.shadow_slots = 255;
  config.health.rechecks_per_second = 1'000'000;
  config.health.shadow_seed = options.seed;
  auto made = Context::create(config, std::move(devices));
  if (!made) throw Failure(made.error());
  context_ = std::move(*made);

  for (std::uint32_t i = 0; i < kCapacity + 2; ++i) {
    auto buffer = std::make_unique<Buffer>();
    if (i % 4 == 0)
      buffer->memory = context_->allocate(2 * kArea);  // the device's own, if it has any
    if (buffer->memory.empty()) {
      buffer->own.resize(2 * kArea);
      buffer->memory = buffer->own;
    }
    std::memset(buffer->memory.data(), kFill, buffer->memory.size());
    free_.push_back(buffer.get());
    buffers_.push_back(std::move(buffer));
  }
  flows_.resize(kFlows);
  for (std::size_t i = 0; i < kFlows; ++i) rekey(i);
}

/// Makes the flow's place a new SA, of other suite, mode and keys; what is under way under the old
/// one has to come out all the same.
void Soak::rekey(std::size_t at) {
  auto fresh = std::make_shared<Association>(
      random_association(*context_->devices()[0], next_spi_++, random_));
  peer_.add(*fresh);
  auto added = context_->add(fresh->config);
  if (!added) throw Failure(added.error());
  fresh->handle = *added;
  std::shared_ptr<Association> old = std::exchange(flows_[at], std::move(fresh));
  if (old == nullptr) return;
  ++counts_.rekeys;
  context_->remove(old->handle);
  old->retired = true;
  retire(*old);
}

void Soak::retire(Association& flow) {
  if (!flow.retired || flow.submitted != flow.completed) return;
  flow.retired = false;
  peer_.remove(flow);
}

SoakCounts Soak::run(const std::function<void(std::uint64_t)>& progress) {
  std::uint64_t shown = 0, next_rekey = kPacketsPerRekey;
  while (counts_.submitted < options_.packets) {
    const bool well = context_->device_state(0).trouble == Trouble::none;
    round(well ? 1 + random_() % kBurst : random_() % 2);
    if (counts_.submitted >= next_rekey && offered_.buffer == nullptr) {
      rekey(random_() % kFlows);
      next_rekey += 1 + random_() % (2 * kPacketsPerRekey);
    }
    if (counts_.submitted - shown >= 1000) progress(shown = counts_.submitted);
  }
  // Whatever happened, every job has its answer within a few time-outs.
  for (std::uint64_t idle = 0; !under_way_.empty() && idle < 20 * kPatienceRounds; ++idle) round(0);
  counts_.lost += under_way_.size();
  if (!under_way_.empty()) counts_.reasons["no completion"] += under_way_.size();
  for (std::uint64_t i = 0; i < 2 * kPatienceRounds; ++i) round(0);  // what comes late comes now
  for (Buffer* buffer : free_)
    counts_.corrupted += !std::all_of(buffer->memory.begin(), buffer->memory.end(),
                                      [](std::uint8_t o) { return o == kFill; });
  counts_.nonce_reused += nonces_->reused();
  counts_.quarantined = context_->device_state(0).quarantines;
  for (auto& buffer : buffers_)
    if (buffer->own.empty()) context_->release(buffer->memory);
  return counts_;
}

void Soak::round(std::size_t burst) {
  now_ += step_;
  context_->tick(now_);
  for (Event event; context_->next_event(event);) {
  }
  for (std::size_t i = 0; i < burst && counts_.submitted < options_.packets; ++i) {
    if (offered_.buffer == nullptr) make_offer();
    if (offered_.buffer == nullptr) break;
    offer();
    if (offered_.buffer != nullptr) break;  // full
  }
  poll();
}

void Soak::offer() {
  Job job;
  job.sa = offered_.flow->handle;
  job.cookie = next_cookie_;
  job.source = offered_.buffer->source;
  job.destination = offered_.buffer->destination;
  if (context_->submit(kQueue, {&job, 1}) != 1) return;
  offered_.place = offered_.flow->submitted++;
  under_way_.emplace(next_cookie_++, std::move(offered_));
  offered_ = {};
  ++counts_.submitted;
}

void Soak::poll() {
  Completion done[64];
  const std::size_t n = context_->poll(kQueue, done);
  for (const Completion& c : std::span(done).first(n)) check(c);
}

// ---- packets

std::uint32_t random_size(std::mt19937_64& random) {
  switch (random() % 20) {
    case 0:
      return 1500 + random() % 7500;
    case 1:
    case 2:
      return 1400 + random() % 101;
    default:
      return 60 + random() % 600;
  }
}

void Soak::make_offer() {
  if (free_.empty()) return;
  Item item;
  item.flow = flows_[random_() % kFlows];
  Association& flow = *item.flow;
  item.buffer = free_.front();
  free_.pop_front();
  counts_.corrupted += !std::all_of(item.buffer->memory.begin(), item.buffer->memory.end(),
                                    [](std::uint8_t o) { return o == kFill; });
  const Family family = !flow.tunnel() ? flow.outer() : random_() % 4 ? Family::ipv4 : Family::ipv6;
  if (flow.seals) {
    item.clear = make_packet(family, random_size(random_), random_);
    item.header_length = family == Family::ipv4 ? 20 : 40;
    lay_out(item, item.clear);
  } else if (chance(5) && !flow.sent.empty()) {
    const Association::Sent& again = flow.sent[random_() % flow.sent.size()];
    item.expect = Expect::replayed;
    item.clear = again.clear;
    lay_out(item, again.wire);
  } else {
    item.clear = make_packet(family, random_size(random_), random_);
    Octets wire = peer_.seal(flow, item.clear, random_);
    if (wire.empty()) throw Failure("the soak's peer could not seal");
    if (chance(8)) {
      item.expect = Expect::forged;
      wire[wire.size() - 1 - random_() % 8] ^= static_cast<std::uint8_t>(1u << random_() % 8);
    }
    lay_out(item, wire);
    if (item.expect == Expect::delivery) flow.sent.push_back({item.clear, std::move(wire)});
    if (flow.sent.size() > kKeptForReplay) flow.sent.pop_front();
  }
  offered_ = std::move(item);
}

/// Cuts a stretch of memory into 1 to 4 segments.
std::vector<Segment> cut(std::uint8_t* data, std::uint32_t length, std::mt19937_64& random) {
  std::vector<Segment> out;
  for (unsigned pieces = random() % 4; pieces != 0 && length > 1; --pieces) {
    const auto part = static_cast<std::uint32_t>(1 + random() % (length - 1));
    out.push_back({data, part});
    data += part;
    length -= part;
  }
  out.push_back({data, length});
  return out;
}

/// Source and destination: apart, or in place with or without headroom; in one piece or several.
void Soak::lay_out(Item& item, const Octets& source) {
  Buffer& buffer = *item.buffer;
  std::uint8_t* const base = buffer.memory.data();
  std::copy(source.begin(), source.end(), base + kHeadroom);
  const auto length = static_cast<std::uint32_t>(source.size());
  const bool pieces = chance(20), in_place = chance(30);
  buffer.source = {{base + kHeadroom, length}};
  if (pieces) buffer.source = cut(base + kHeadroom, length, random_);
  if (in_place) {
    const std::uint32_t headroom = random_() % 2 ? 0 : kHeadroom;
    buffer.destination = {{base + kHeadroom - headroom, kArea - kHeadroom}};
  } else {
    buffer.destination = {{base + kArea, kArea}};
    if (pieces) buffer.destination = cut(base + kArea, kArea, random_);
  }
}

void Soak::give_back(Buffer& buffer) {
  std::memset(buffer.memory.data(), kFill, buffer.memory.size());
  free_.push_back(&buffer);
}

// ---- checks

void Soak::check(const Completion& done) {
  const auto found = under_way_.find(done.cookie);
  if (found == under_way_.end()) {
    ++counts_.duplicated;
    return;
  }
  const Item item = std::move(found->second);
  under_way_.erase(found);
  Association& flow = *item.flow;
  counts_.reordered += item.place != flow.completed++;
  switch (done.refusal) {
    case Refusal::none:
    case Refusal::capability:
    case Refusal::size:
    case Refusal::segments:
    case Refusal::queue:
      break;
    default:
      ++counts_.fell_back;
  }
  if (done.drop != Drop::none) {
    check_drop(item, done);
  } else {
    ++counts_.delivered;
    counts_.by_device += done.device == 0;
    flow.seals ? check_sealed(item, done) : check_opened(item, done);
  }
  // A buffer that a device may still write to is not used again.
  if (done.status != Status::timed_out) give_back(*item.buffer);
  retire(flow);
}

void Soak::check_drop(const Item& item, const Completion& done) {
  if (item.expect == Expect::delivery) {
    ++counts_.lost;
    ++counts_.reasons[spec::info(done.drop).name];
  } else {
    ++counts_.refused;
    counts_.plaintext_leaked += holds_plaintext(item);
  }
}

/// Opened by the peer it is the clear packet again; SPI, number and IV on the wire are right.
void Soak::check_sealed(const Item& item, const Completion& done) {
  Association& flow = *item.flow;
  const Octets wire = result(item, done.length);
  const bool ah = flow.suite.protocol == driver::Protocol::ah;
  std::uint32_t at = !flow.tunnel() ? item.header_length : flow.outer() == Family::ipv4 ? 20 : 40;
  if (flow.config.transform.udp_encapsulation) at += 8;
  if (done.number <= flow.number) ++counts_.nonce_reused;
  flow.number = std::max(flow.number, done.number);
  const std::uint32_t numbers = at + (ah ? 4 : 0);
  if (wire.size() < numbers + 8 || load_be32(&wire[numbers]) != flow.config.transform.spi ||
      load_be32(&wire[numbers + 4]) != static_cast<std::uint32_t>(done.number) ||
      peer_.open(flow, wire, done.number, at) != item.clear)
    ++counts_.corrupted;
}

void Soak::check_opened(const Item& item, const Completion& done) {
  if (item.expect == Expect::forged)
    ++counts_.plaintext_leaked;
  else if (item.expect == Expect::replayed)
    ++counts_.duplicated;
  else if (result(item, done.length) != item.clear)
    ++counts_.corrupted;
}

Octets Soak::result(const Item& item, std::uint32_t length) const {
  const auto& segments = item.buffer->destination;
  Octets out(driver::total_length(segments));
  driver::gather(segments, out.data());
  out.resize(std::min<std::size_t>(length, out.size()));
  return out;
}

/// Any 16 octets of the payload at the beginning, middle or end, anywhere in the packet's memory.
bool Soak::holds_plaintext(const Item& item) const {
  constexpr std::size_t kPiece = 16, kHeaders = 48;
  if (!item.flow->encrypts() || item.clear.size() < kHeaders + kPiece) return false;
  const auto& memory = item.buffer->memory;
  for (const std::size_t at : {kHeaders, item.clear.size() / 2, item.clear.size() - kPiece})
    if (at + kPiece <= item.clear.size() &&
        memmem(memory.data(), memory.size(), &item.clear[at], kPiece) != nullptr)
      return true;
  return false;
}

}  // namespace

SoakCounts soak(const SoakOptions& options, const std::function<void(std::uint64_t)>& progress) {
  return Soak(options).run(progress);
}

}  // namespace espalier::cli

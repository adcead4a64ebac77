// SPDX-License-Identifier: BSD-2-Clause-Patent
#include "card/card.hpp"

#include <algorithm>
#include <atomic>
#include <vector>

#include "card/pool.hpp"
#include "card/queue_pair.hpp"
#include "espalier/spec/spec.h"
#include "record/record.hpp"

namespace espalier::driver {

namespace {

constexpr unsigned kRecordBlocks = 32;   // installs under way
constexpr unsigned kResetSteps = 2000;   // looks at the state register before reset() gives up
constexpr unsigned kOpenSteps = 100000;  // ... before open_card() does
constexpr std::size_t kControlBatch = 16;
// Cookies of control jobs: slot and kind, or the heartbeat.
constexpr std::uint64_t kHeartbeatCookie = ~0ull;
constexpr std::uint64_t kInstallCookie = 1ull << 32;
constexpr Time kTickInterval = std::chrono::milliseconds(1);
constexpr Time kSuspicion = std::chrono::milliseconds(10);  // after a recovery

enum class State : std::uint8_t { running, resetting, wiping };

class Card final : public Device {
 public:
  Card(std::unique_ptr<Transport> transport, const CardSettings& settings)
      : transport_(std::move(transport)),
        settings_(settings),
        pool_(transport_->memory(), transport_->io_base()) {}
  ~Card() override {
    // The card wipes what it holds of keys; nothing of ours may be written any more.
    if (opened_) reset();
    for (spec::SaRecord* record : records_) wipe_record(*record);
  }

  bool open(std::string& why);

  const Capabilities& capabilities() const noexcept override { return capabilities_; }
  bool supports(const SaParameters& sa) const noexcept override;
  Status install(Slot slot, Generation generation, const SaParameters& sa) noexcept override;
  void remove(Slot slot) noexcept override;
  SlotState slot_state(Slot slot) const noexcept override;
  std::size_t submit(QueueId queue, Jobs jobs) noexcept override;
  std::size_t poll(QueueId queue, std::span<Completion> completions) noexcept override;
  Time tick(Time now) noexcept override;
  Health health() const noexcept override { return health_.load(std::memory_order_acquire); }
  bool reset() noexcept override;
  std::span<std::uint8_t> allocate(std::size_t bytes) noexcept override {
    return pool_.allocate(bytes);
  }
  void release(std::span<std::uint8_t> memory) noexcept override { pool_.release(memory); }
  std::uint64_t staged_jobs() const noexcept override;
  SimulatedCost simulated_cost() const noexcept override;
  CycleCounters cycle_counters() const noexcept override;
  LinkCycles link_cycles(std::uint32_t source, std::uint32_t result) const noexcept override {
    return transport_->link_cycles(source, result);
  }
  void restart_latency() noexcept override;

 private:
  struct Removal {
    Slot slot;
    std::vector<std::uint64_t> after;  // each queue's jobs submitted before
  };

  bool check_identity(std::string& why);
  QueuePair& control() { return *queues_.back(); }
  std::size_t packet_queues() const { return queues_.size() - 1; }
  std::uint32_t card_state() { return transport_->read(spec::reg::state); }
  bool set_slot(std::size_t slot, SlotState from, SlotState to) noexcept;
  void take_control_answers() noexcept;
  void start_removals() noexcept;
  void send_heartbeat(Time clock) noexcept;
  void watch(Time clock) noexcept;
  void begin_reset(Status status) noexcept;
  void step_reset(Time clock) noexcept;
  void step_wiping(Time clock) noexcept;

  std::unique_ptr<Transport> transport_;
  CardSettings settings_;
  Pool pool_;
  Capabilities capabilities_;
  std::uint32_t features_ = 0;
  std::vector<std::unique_ptr<QueuePair>> queues_;  // the last is for control
  std::vector<std::atomic<SlotState>> slots_;
  std::vector<spec::SaRecord*> records_;  // in pool memory
  std::vector<std::size_t> free_records_;
  std::vector<std::uint8_t> record_of_;  // slot -> record being installed
  std::vector<Removal> removals_;        // waiting for earlier jobs

  State state_ = State::running;
  std::atomic<Health> health_{Health::ready};
  Status reset_status_ = Status::aborted;
  Time reset_since_{}, last_heartbeat_{}, suspect_until_{};
  bool quiet_ = true, opened_ = false, heartbeat_out_ = false;
  std::uint64_t errors_seen_ = 0;
};

bool Card::check_identity(std::string& why) {
  if (transport_->read(spec::reg::magic) != spec::kMagic) {
    why = "no Espalier kernel answers at these registers; load its xclbin first";
    return false;
  }
  const std::uint64_t hash = transport_->read(spec::reg::layout_hash_lo) |
                             std::uint64_t{transport_->read(spec::reg::layout_hash_hi)} << 32;
  if (transport_->read(spec::reg::version) != spec::kInterfaceVersion ||
      hash != spec::kLayoutHash) {
    why =
        "the card was built for another version of this library; load the xclbin that belongs to "
        "it";
    return false;
  }
  return true;
}

bool Card::open(std::string& why) {
  if (!check_identity(why)) return false;
  const unsigned hardware_queues = transport_->read(spec::reg::queues);
  const std::uint32_t max_packet = transport_->read(spec::reg::max_packet);
  features_ = transport_->read(spec::reg::capabilities);
  capabilities_.name = settings_.name;
  capabilities_.priority = settings_.priority;
  capabilities_.simulated = settings_.simulated;
  capabilities_.slots = transport_->read(spec::reg::slots);
  capabilities_.max_packet = max_packet;
  capabilities_.max_segments = kMaxSegments;
  capabilities_.needs_pool_memory = true;
  capabilities_.queue_depth = 1u << settings_.depth_log2;
  capabilities_.queues = hardware_queues - 1;
  if (hardware_queues < 2) {
    why = "the kernel has fewer than two queue pairs; build it with Queues of at least 2";
    return false;
  }
  for (unsigned q = 0; q < hardware_queues; ++q) {
    const QueueShape shape{q, settings_.depth_log2,
                           q + 1 < hardware_queues ? settings_.staging_blocks : 0, max_packet};
    queues_.push_back(std::make_unique<QueuePair>(*transport_, pool_, shape));
    if (!queues_.back()->valid()) {
      why = "the card's memory is too small for its rings; give it more";
      return false;
    }
  }
  slots_ = std::vector<std::atomic<SlotState>>(capabilities_.slots);
  record_of_.resize(capabilities_.slots);
  for (unsigned i = 0; i < kRecordBlocks; ++i) {
    const auto memory = pool_.allocate(sizeof(spec::SaRecord));
    if (memory.empty()) break;
    records_.push_back(reinterpret_cast<spec::SaRecord*>(memory.data()));
    free_records_.push_back(i);
  }
  removals_.reserve(64);
  opened_ = true;
  begin_reset(Status::aborted);
  for (unsigned i = 0; i < kOpenSteps && state_ != State::running; ++i) {
    tick(Time{0});
    transport_->wait();
  }
  if (state_ != State::running) {
    why = "the card does not acknowledge a reset; reload its xclbin";
    return false;
  }
  suspect_until_ = Time{0};  // nothing went wrong yet
  health_ = Health::ready;
  return true;
}

bool Card::supports(const SaParameters& sa) const noexcept {
  const bool gcm = sa.cipher == spec::Cipher::aes_gcm && (features_ & spec::kCapGcm) != 0;
  const bool tunnel4 = sa.mode == Mode::tunnel && sa.outer == Family::ipv4 &&
                       (features_ & (spec::kCapTunnel4 | spec::kCapTunnelAny)) != 0;
  const auto offered = [&](bool wanted, std::uint32_t bit) {
    return !wanted || (features_ & bit) != 0;
  };
  return sa.protocol == Protocol::esp && gcm && tunnel4 && offered(sa.esn, spec::kCapEsn) &&
         offered(sa.implicit_iv, spec::kCapImplicitIv) &&
         offered(sa.udp_encapsulation, spec::kCapUdp);
}

bool Card::set_slot(std::size_t slot, SlotState from, SlotState to) noexcept {
  return slots_[slot].compare_exchange_strong(from, to, std::memory_order_acq_rel);
}

Status Card::install(Slot slot, Generation generation, const SaParameters& sa) noexcept {
  const auto number = static_cast<std::size_t>(slot);
  if (!supports(sa)) return Status::unsupported;
  if (number >= slots_.size() || state_ != State::running || free_records_.empty())
    return Status::no_room;
  if (!set_slot(number, SlotState::empty, SlotState::installing)) return Status::no_room;
  const std::size_t block = free_records_.back();
  spec::SaRecord& record = *records_[block];
  const Status status = build_record(sa, generation, record);
  const std::span<const std::uint8_t> octets{reinterpret_cast<std::uint8_t*>(&record),
                                             sizeof record};
  if (status != Status::ok ||
      !control().submit(spec::Opcode::install, kInstallCookie | number, slot, generation, octets)) {
    wipe_record(record);
    set_slot(number, SlotState::installing, SlotState::empty);
    return status != Status::ok ? status : Status::no_room;
  }
  free_records_.pop_back();
  record_of_[number] = static_cast<std::uint8_t>(block);
  control().flush();
  return Status::ok;
}

/// An install under way is overtaken by nothing: the control queue keeps their order.
void Card::remove(Slot slot) noexcept {
  const auto number = static_cast<std::size_t>(slot);
  if (number >= slots_.size()) return;
  if (!set_slot(number, SlotState::ready, SlotState::removing) &&
      !set_slot(number, SlotState::installing, SlotState::removing))
    return;
  Removal removal{slot, {}};
  for (std::size_t q = 0; q < packet_queues(); ++q) removal.after.push_back(queues_[q]->taken());
  removals_.push_back(std::move(removal));
  start_removals();
}

/// A removal may enter the control queue once every job submitted before it is answered.
void Card::start_removals() noexcept {
  std::erase_if(removals_, [&](const Removal& r) {
    for (std::size_t q = 0; q < packet_queues(); ++q)
      if (queues_[q]->completed() < r.after[q]) return false;
    return control().submit(spec::Opcode::remove, static_cast<std::uint64_t>(r.slot), r.slot,
                            Generation{0}, {});
  });
  control().flush();
}

SlotState Card::slot_state(Slot slot) const noexcept {
  const auto number = static_cast<std::size_t>(slot);
  return number < slots_.size() ? slots_[number].load(std::memory_order_acquire) : SlotState::empty;
}

std::size_t Card::submit(QueueId queue, Jobs jobs) noexcept {
  const auto q = static_cast<std::size_t>(queue);
  if (q >= packet_queues()) return 0;
  std::size_t taken = 0;
  while (taken < jobs.size() && queues_[q]->submit(*jobs[taken])) ++taken;
  queues_[q]->flush();
  return taken;
}

std::size_t Card::poll(QueueId queue, std::span<Completion> completions) noexcept {
  const auto q = static_cast<std::size_t>(queue);
  if (q >= packet_queues() || completions.empty()) return 0;
  const std::size_t n = queues_[q]->poll(completions);
  if (n == 0) transport_->wait();
  return n;
}

/// The cookie says which slot an answer is about, and whether it is an install's.
void Card::take_control_answers() noexcept {
  std::array<Completion, kControlBatch> answers;
  const std::size_t n = control().poll(answers);
  for (std::size_t i = 0; i < n; ++i) {
    const Completion& c = answers[i];
    if (c.cookie == kHeartbeatCookie) {
      heartbeat_out_ = false;
      continue;
    }
    const bool install = (c.cookie & kInstallCookie) != 0;
    const auto slot = static_cast<std::size_t>(c.cookie & ~kInstallCookie);
    if (install) {
      wipe_record(*records_[record_of_[slot]]);
      free_records_.push_back(record_of_[slot]);
    }
    if (state_ != State::running) continue;  // step_wiping() empties all
    if (c.status != Status::ok) {
      begin_reset(Status::timed_out);  // a slot nobody knows
    } else if (install) {
      set_slot(slot, SlotState::installing, SlotState::ready);  // unless it is being removed
    } else {
      set_slot(slot, SlotState::removing, SlotState::empty);
    }
  }
}

void Card::send_heartbeat(Time clock) noexcept {
  if (heartbeat_out_ || !control().empty() || clock - last_heartbeat_ < settings_.heartbeat) return;
  last_heartbeat_ = clock;
  heartbeat_out_ =
      control().submit(spec::Opcode::nop, kHeartbeatCookie, Slot{0}, Generation{0}, {});
  control().flush();
}

/// Time-outs and error rates.
void Card::watch(Time clock) noexcept {
  std::uint64_t errors = 0;
  for (auto& queue : queues_) {
    errors += queue->health().damaged.load(std::memory_order_relaxed) +
              queue->health().card_errors.load(std::memory_order_relaxed);
    if (queue->empty()) continue;
    const Time age = clock - queue->oldest();
    if (age > settings_.job_timeout && !queue->empty()) return begin_reset(Status::timed_out);
    if (age > settings_.doorbell_timeout) queue->ring_again();
  }
  if (errors != errors_seen_) {
    errors_seen_ = errors;
    suspect_until_ = clock + kSuspicion;
  }
  health_.store(clock < suspect_until_ ? Health::suspect : Health::ready,
                std::memory_order_release);
}

void Card::begin_reset(Status status) noexcept {
  if (state_ == State::resetting) return;
  state_ = State::resetting;
  health_.store(Health::quarantined, std::memory_order_release);
  for (auto& queue : queues_) queue->close();
  quiet_ = false;
  pool_.withhold(true);
  reset_status_ = status;
  reset_since_ = transport_->clock();
  transport_->write(spec::reg::control, spec::kControlReset);
}

void Card::step_reset(Time clock) noexcept {
  const std::uint32_t seen = card_state();
  const bool acknowledged = seen != ~0u && (seen & spec::kStateReset) != 0;
  if (!acknowledged && clock - reset_since_ < settings_.reset_timeout) return;
  if (!acknowledged) {
    for (auto& queue : queues_) queue->abandon(Status::timed_out);
    return;
  }
  quiet_ = true;
  pool_.withhold(false);
  for (auto& queue : queues_) queue->abandon(reset_status_);
  removals_.clear();
  state_ = State::wiping;
  transport_->write(spec::reg::control, 0);
}

/// The card wipes its slots; the queues' threads take back what was in flight.
void Card::step_wiping(Time clock) noexcept {
  take_control_answers();
  const std::uint32_t seen = card_state();
  if (seen == ~0u || (seen & spec::kStateReady) == 0) return;
  for (auto& queue : queues_)
    if (!queue->empty()) return;
  for (auto& slot : slots_) slot.store(SlotState::empty, std::memory_order_release);
  for (auto& queue : queues_) queue->start();
  heartbeat_out_ = false;
  last_heartbeat_ = clock;
  suspect_until_ = clock + kSuspicion;
  state_ = State::running;
  health_.store(Health::suspect, std::memory_order_release);
}

Time Card::tick(Time now) noexcept {
  transport_->wait();
  const Time clock = transport_->clock();
  switch (state_) {
    case State::running:
      take_control_answers();
      start_removals();
      send_heartbeat(clock);
      if (state_ == State::running) watch(clock);
      break;
    case State::resetting:
      step_reset(clock);
      break;
    case State::wiping:
      step_wiping(clock);
      break;
  }
  return now + kTickInterval;
}

bool Card::reset() noexcept {
  if (state_ != State::wiping) begin_reset(Status::aborted);
  for (unsigned i = 0; i < kResetSteps && state_ == State::resetting; ++i) {
    step_reset(transport_->clock());
    transport_->wait();
  }
  return quiet_;
}

CycleCounters Card::cycle_counters() const noexcept {
  if (!settings_.simulated) return {};
  const auto counter = [this](std::uint32_t low) {
    const std::uint64_t lower = transport_->read(low);  // latches the upper half
    return lower | std::uint64_t{transport_->read(low + 4)} << 32;
  };
  return {counter(spec::reg::engine_in_lo), counter(spec::reg::engine_out_lo),
          counter(spec::reg::starved_lo), counter(spec::reg::blocked_lo)};
}

void Card::restart_latency() noexcept {
  for (const auto& queue : queues_) queue->restart_latency();
}

std::uint64_t Card::staged_jobs() const noexcept {
  std::uint64_t jobs = 0;
  for (const auto& queue : queues_) jobs += queue->staged();
  return jobs;
}

SimulatedCost Card::simulated_cost() const noexcept {
  SimulatedCost cost;
  cost.cycles = transport_->cycles();
  if (!queues_.empty()) {
    cost.seal = queues_.front()->seals().summary();
    cost.open = queues_.front()->opens().summary();
  }
  return cost;
}

}  // namespace

std::unique_ptr<Device> open_card(std::unique_ptr<Transport> transport,
                                  const CardSettings& settings, std::string& why) {
  auto card = std::make_unique<Card>(std::move(transport), settings);
  if (!card->open(why)) return nullptr;
  return card;
}

}  // namespace espalier::driver

// SPDX-License-Identifier: BSD-2-Clause-Patent
// Jobs to descriptors and beats, results and beats to completions.
//
// Jobs wait in one ring of entries in order of submission; the engine answers in that order too.
// Four positions walk around the ring: `jobs_sent` (descriptors), `beats_sent` (sources),
// `answered` (results) and `done` (all beats of the result are in).  Sources are copied on
// submission and results reach the destination only when they are complete, so overlap does not
// matter and a failed job touches nothing.  Installs and removes travel in the same ring (D6).
//
// The clock advances in poll() and tick() while something is under way.  The lock is there because
// the control thread shares the engine with the queue; a simulation has no fast path to lose.
#include <algorithm>
#include <cstring>
#include <mutex>
#include <new>
#include <vector>

#include "engine_port.hpp"
#include "espalier/driver/suite.hpp"
#include "espalier/spec/descriptor.h"
#include "latency.hpp"
#include "record/record.hpp"

namespace espalier::driver::stream {
namespace {

using spec::Opcode;

constexpr unsigned kControlRoom = 64;     ///< Installs and removes beside queue_depth packets.
constexpr unsigned kStepsPerCall = 4096;  ///< Bound of the work of one poll() or tick().
/// Steps with work under way and no word on any stream until the engine is taken for dead; wiping
/// the slots after reset takes one step each.
constexpr unsigned kStuckAfter = 1u << 17;

constexpr std::size_t beats_of(std::size_t octets) {
  return (octets + kBeat - 1) / kBeat;
}

struct Entry {
  JobWord job;
  Opcode opcode = Opcode::nop;
  std::uint64_t cookie = 0;
  std::size_t source_beats = 0;
  std::uint64_t started = 0;  ///< Cycle in which the descriptor went in,
  std::uint64_t first = 0;    ///< and in which the result's first beat came out.
  ResultWord result;
  Status status = Status::ok;
  std::size_t received = 0;  ///< Octets of the result, whole beats.
  unsigned destinations = 0;
  std::array<Segment, kMaxSegments> destination{};
  std::vector<std::uint8_t> source;  ///< Whole beats; zero behind the packet.
  std::vector<std::uint8_t> output;
};

class StreamDevice final : public Device {
 public:
  StreamDevice(std::string_view name, std::unique_ptr<EnginePort> engine, const EngineFacts& facts,
               const StreamOptions& options)
      : engine_(std::move(engine)),
        ring_(options.queue_depth + kControlRoom),
        states_(facts.slots, SlotState::empty) {
    for (Entry& entry : ring_) {
      entry.source.resize(beats_of(facts.max_packet) * kBeat);
      entry.output.resize(beats_of(facts.max_packet) * kBeat);
    }
    capabilities_.name = name;
    capabilities_.priority = 1;
    capabilities_.queue_depth = options.queue_depth;
    capabilities_.slots = facts.slots;
    capabilities_.max_packet = facts.max_packet;
    capabilities_.max_segments = kMaxSegments;
    capabilities_.simulated = true;
  }
  ~StreamDevice() override {
    reset();
    for (Entry& entry : ring_) wipe(entry);
  }

  const Capabilities& capabilities() const noexcept override { return capabilities_; }
  bool supports(const SaParameters& sa) const noexcept override;
  Status install(Slot slot, Generation generation, const SaParameters& sa) noexcept override;
  void remove(Slot slot) noexcept override;
  SlotState slot_state(Slot slot) const noexcept override;
  std::size_t submit(QueueId queue, Jobs jobs) noexcept override;
  std::size_t poll(QueueId queue, std::span<Completion> completions) noexcept override;
  Time tick(Time now) noexcept override;
  Health health() const noexcept override;
  bool reset() noexcept override;
  std::span<std::uint8_t> allocate(std::size_t) noexcept override { return {}; }
  void release(std::span<std::uint8_t>) noexcept override {}
  SimulatedCost simulated_cost() const noexcept override;
  void restart_latency() noexcept override;

 private:
  Entry& at(std::uint64_t position) noexcept { return ring_[position % ring_.size()]; }
  Entry& append(Opcode opcode, Slot slot, Generation generation) noexcept;
  void append_packet(const Job& job) noexcept;
  bool room_for_control() noexcept;
  void step() noexcept;
  void take_result(const ResultWord& result) noexcept;
  void take_beat(const BeatWord& beat) noexcept;
  void skip_unsent() noexcept;
  void finish_ready() noexcept;
  void finish_control(Entry& entry) noexcept;
  bool under_way() const noexcept { return done_ != next_; }
  static void wipe(Entry& entry) noexcept;

  Capabilities capabilities_;
  mutable std::mutex mutex_;
  std::unique_ptr<EnginePort> engine_;
  std::vector<Entry> ring_;
  std::vector<SlotState> states_;
  // Positions count without wrapping: reported <= done <= answered <= jobs_sent <= next.
  std::uint64_t reported_ = 0;  ///< Completions given to the caller, controls skipped.
  std::uint64_t done_ = 0, answered_ = 0, jobs_sent_ = 0, beats_sent_ = 0, next_ = 0;
  std::size_t beat_ = 0;     ///< Of the entry at beats_sent_.
  std::size_t packets_ = 0;  ///< Packets between reported_ and next_.
  std::uint64_t cycles_ = 0;
  unsigned silent_ = 0;  ///< Steps without a word on any stream.
  bool broken_ = false;  ///< The engine answered what it was not asked, or not at all.
  LatencyHistogram seal_, open_, seal_first_, open_first_;
};

bool StreamDevice::supports(const SaParameters& sa) const noexcept {
  // The thin engine: AES-GCM (RFC 4106), ESP, IPv4 in IPv4.
  return sa.protocol == Protocol::esp && sa.cipher == spec::Cipher::aes_gcm &&
         sa.mode == Mode::tunnel && sa.outer == Family::ipv4 && !sa.udp_encapsulation &&
         !sa.implicit_iv && check(sa).empty();
}

/// The next free entry, as a descriptor without a source.
Entry& StreamDevice::append(Opcode opcode, Slot slot, Generation generation) noexcept {
  Entry& entry = at(next_);
  spec::Descriptor descriptor{};
  descriptor.opcode = static_cast<std::uint8_t>(opcode);
  descriptor.slot = static_cast<std::uint16_t>(slot);
  descriptor.generation = static_cast<std::uint16_t>(generation);
  std::memcpy(entry.job.descriptor.data(), &descriptor, sizeof descriptor);
  entry.job.ticket = static_cast<std::uint16_t>(next_);
  entry.opcode = opcode;
  entry.source_beats = 0;
  entry.status = Status::ok;
  entry.received = 0;
  entry.destinations = 0;
  ++next_;
  return entry;
}

/// Makes room for an install or a remove, which must not be refused for want of it.
bool StreamDevice::room_for_control() noexcept {
  for (unsigned i = 0; next_ - reported_ >= ring_.size() && i < kStepsPerCall; ++i) {
    step();
    while (reported_ != done_ && at(reported_).opcode != Opcode::seal &&
           at(reported_).opcode != Opcode::open)
      ++reported_;
  }
  return next_ - reported_ < ring_.size();
}

Status StreamDevice::install(Slot slot, Generation generation, const SaParameters& sa) noexcept {
  const std::lock_guard lock(mutex_);
  const auto number = static_cast<std::size_t>(slot);
  if (!supports(sa)) return Status::unsupported;
  if (number >= states_.size() || states_[number] != SlotState::empty || !room_for_control())
    return Status::no_room;
  spec::SaRecord record;
  if (const Status status = build_record(sa, generation, record); status != Status::ok)
    return status;
  Entry& entry = append(Opcode::install, slot, generation);
  reinterpret_cast<spec::Descriptor*>(entry.job.descriptor.data())->source_length = sizeof record;
  std::memcpy(entry.source.data(), &record, sizeof record);
  entry.source_beats = spec::kSaRecordBeats;
  wipe_record(record);
  states_[number] = SlotState::installing;
  return Status::ok;
}

void StreamDevice::remove(Slot slot) noexcept {
  const std::lock_guard lock(mutex_);
  const auto number = static_cast<std::size_t>(slot);
  if (number >= states_.size() || states_[number] == SlotState::empty || !room_for_control())
    return;
  append(Opcode::remove, slot, Generation{});
  states_[number] = SlotState::removing;
}

SlotState StreamDevice::slot_state(Slot slot) const noexcept {
  const std::lock_guard lock(mutex_);
  const auto number = static_cast<std::size_t>(slot);
  return number < states_.size() ? states_[number] : SlotState::empty;
}

std::size_t StreamDevice::submit(QueueId queue, Jobs jobs) noexcept {
  const std::lock_guard lock(mutex_);
  if (queue != QueueId{0} || broken_) return 0;
  std::size_t taken = 0;
  for (; taken < jobs.size() && packets_ < capabilities_.queue_depth; ++taken)
    append_packet(*jobs[taken]);
  return taken;
}

void StreamDevice::append_packet(const Job& job) noexcept {
  const bool open = job.direction == Direction::open;
  Entry& entry = append(open ? Opcode::open : Opcode::seal, job.slot, job.generation);
  ++packets_;
  entry.cookie = job.cookie;
  std::size_t length = 0, room = 0;
  for (const Segment& s : job.source) length += s.length;
  for (const Segment& s : job.destination) room += s.length;
  if (job.source.empty() || job.source.size() > kMaxSegments || job.destination.empty() ||
      job.destination.size() > kMaxSegments || job.header_length % 4 != 0) {
    entry.status = Status::bad_descriptor;
  } else if (length > capabilities_.max_packet) {
    entry.status = Status::too_long;
  }
  if (entry.status != Status::ok) return;

  auto& d = *reinterpret_cast<spec::Descriptor*>(entry.job.descriptor.data());
  d.sequence_number = job.sequence_number;
  std::copy(job.iv.begin(), job.iv.end(), d.iv);
  d.source_length = static_cast<std::uint16_t>(length);
  d.destination_length = static_cast<std::uint16_t>(std::min<std::size_t>(room, kMaxPacket));
  d.identity = job.identity;
  d.flags = job.dont_fragment ? spec::kFlagDontFragment : 0;
  d.tos = job.tos;
  d.ttl = job.ttl;
  d.pad_length = job.pad_length;
  d.header_words = static_cast<std::uint8_t>(job.header_length / 4);
  d.tfc_length = job.tfc_length;

  std::uint8_t* to = entry.source.data();
  for (const Segment& s : job.source) {
    if (s.length != 0) std::memcpy(to, s.data, s.length);
    to += s.length;
  }
  entry.source_beats = beats_of(length);
  std::memset(to, 0, entry.source_beats * kBeat - length);
  entry.destinations = static_cast<unsigned>(job.destination.size());
  std::copy(job.destination.begin(), job.destination.end(), entry.destination.begin());
}

/// Passes over packets that never reach the engine and beats that do not exist.
void StreamDevice::skip_unsent() noexcept {
  while (jobs_sent_ != next_ && at(jobs_sent_).status != Status::ok) ++jobs_sent_;
  while (beats_sent_ != next_ && at(beats_sent_).source_beats == beat_) {
    ++beats_sent_;
    beat_ = 0;
  }
}

void StreamDevice::step() noexcept {
  skip_unsent();
  Clock clock;
  BeatWord beat;
  if (jobs_sent_ != next_) clock.job = &at(jobs_sent_).job;
  if (beats_sent_ != next_) {
    const Entry& entry = at(beats_sent_);
    std::memcpy(beat.data.data(), entry.source.data() + beat_ * kBeat, kBeat);
    beat.last = beat_ + 1 == entry.source_beats;
    clock.in = &beat;
  }
  engine_->step(clock);
  ++cycles_;
  const bool active = clock.job_taken || clock.in_taken || clock.result_given || clock.out_given;
  silent_ = active ? 0 : silent_ + 1;
  if (silent_ > kStuckAfter) broken_ = true;
  if (clock.job_taken) at(jobs_sent_++).started = cycles_;
  if (clock.in_taken) ++beat_;
  if (clock.result_given) take_result(clock.result);
  if (clock.out_given) take_beat(clock.out);
  finish_ready();
}

void StreamDevice::take_result(const ResultWord& result) noexcept {
  while (answered_ != jobs_sent_ && at(answered_).status != Status::ok) ++answered_;
  if (answered_ == jobs_sent_ || at(answered_).job.ticket != result.ticket) {
    broken_ = true;
    return;
  }
  at(answered_++).result = result;
}

/// A beat belongs to the first answered job that still wants one.
void StreamDevice::take_beat(const BeatWord& beat) noexcept {
  Entry* entry = nullptr;
  for (std::uint64_t i = done_; i != answered_ && entry == nullptr; ++i)
    if (at(i).status == Status::ok && at(i).received < at(i).result.length) entry = &at(i);
  if (entry == nullptr || entry->received + kBeat > entry->output.size()) {
    broken_ = true;
    return;
  }
  if (entry->received == 0) entry->first = cycles_;
  std::memcpy(entry->output.data() + entry->received, beat.data.data(), kBeat);
  entry->received += kBeat;
  if (beat.last != (entry->received >= entry->result.length)) broken_ = true;
}

void StreamDevice::finish_ready() noexcept {
  skip_unsent();
  for (; done_ != next_; ++done_) {
    Entry& entry = at(done_);
    if (entry.status != Status::ok) {
      if (answered_ == done_) ++answered_;
      continue;
    }
    if (done_ >= answered_ || entry.received < entry.result.length) return;
    entry.status = spec::status_from_code(entry.result.status);
    if (entry.opcode == Opcode::install || entry.opcode == Opcode::remove) finish_control(entry);
    if (entry.status == Status::ok && entry.opcode == Opcode::seal) {
      seal_first_.add(entry.first - entry.started);
      seal_.add(cycles_ - entry.started);
    }
    if (entry.status == Status::ok && entry.opcode == Opcode::open) {
      open_first_.add(entry.first - entry.started);
      open_.add(cycles_ - entry.started);
    }
  }
}

void StreamDevice::finish_control(Entry& entry) noexcept {
  const auto& d = *reinterpret_cast<const spec::Descriptor*>(entry.job.descriptor.data());
  const bool installed = entry.opcode == Opcode::install && entry.status == Status::ok;
  if (states_[d.slot] != SlotState::removing || entry.opcode == Opcode::remove)
    states_[d.slot] = installed ? SlotState::ready : SlotState::empty;
  if (entry.opcode == Opcode::install) wipe(entry);
}

std::size_t StreamDevice::poll(QueueId queue, std::span<Completion> completions) noexcept {
  const std::lock_guard lock(mutex_);
  if (queue != QueueId{0}) return 0;
  finish_ready();
  std::size_t given = 0;
  for (unsigned steps = 0; given < completions.size();) {
    if (reported_ != done_) {
      Entry& entry = at(reported_++);
      if (entry.opcode != Opcode::seal && entry.opcode != Opcode::open) continue;
      --packets_;
      Completion& c = completions[given++];
      const bool ok = entry.status == Status::ok;
      c = {entry.cookie, entry.status, ok ? entry.result.length : 0u,
           ok ? entry.result.next_header : std::uint8_t{0}};
      const std::uint8_t* from = entry.output.data();
      std::size_t left = c.length;
      for (unsigned i = 0; i < entry.destinations && left != 0; ++i) {
        const std::size_t take = std::min<std::size_t>(left, entry.destination[i].length);
        if (take != 0) std::memcpy(entry.destination[i].data, from, take);
        from += take;
        left -= take;
      }
    } else if (given == 0 && under_way() && !broken_ && steps++ < kStepsPerCall) {
      step();
    } else {
      break;
    }
  }
  return given;
}

Time StreamDevice::tick(Time now) noexcept {
  const std::lock_guard lock(mutex_);
  for (unsigned i = 0; i < kStepsPerCall && under_way() && !broken_; ++i) step();
  constexpr Time kIdle = std::chrono::seconds(1), kBusy = std::chrono::microseconds(100);
  return now + (under_way() ? kBusy : kIdle);
}

Health StreamDevice::health() const noexcept {
  const std::lock_guard lock(mutex_);
  return broken_ ? Health::quarantined : Health::ready;
}

bool StreamDevice::reset() noexcept {
  const std::lock_guard lock(mutex_);
  engine_->reset();
  for (std::uint64_t i = done_; i != next_; ++i) {
    Entry& entry = at(i);
    if (entry.status == Status::ok) entry.status = Status::aborted;
    if (entry.opcode == Opcode::install) wipe(entry);
  }
  done_ = answered_ = jobs_sent_ = beats_sent_ = next_;
  beat_ = 0;
  broken_ = false;
  silent_ = 0;
  cycles_ = 0;
  seal_ = open_ = seal_first_ = open_first_ = {};
  std::fill(states_.begin(), states_.end(), SlotState::empty);
  return true;
}

SimulatedCost StreamDevice::simulated_cost() const noexcept {
  const std::lock_guard lock(mutex_);
  return {cycles_, seal_.summary(), open_.summary(), seal_first_.summary(), open_first_.summary()};
}

void StreamDevice::restart_latency() noexcept {
  const std::lock_guard lock(mutex_);
  seal_ = open_ = seal_first_ = open_first_ = {};
}

/// Forgets keys and plaintext.
void StreamDevice::wipe(Entry& entry) noexcept {
  volatile std::uint8_t* source = entry.source.data();  // volatile: the store is the point
  for (std::size_t i = 0; i < entry.source.size(); ++i) source[i] = 0;
}

}  // namespace

std::unique_ptr<Device> make_stream_device(std::string_view name,
                                           std::unique_ptr<EnginePort> engine,
                                           const EngineFacts& facts, const StreamOptions& options) {
  constexpr unsigned kMaxDepth = 4096;
  if (engine == nullptr || options.queue_depth == 0 || options.queue_depth > kMaxDepth)
    return nullptr;
  try {
    return std::make_unique<StreamDevice>(name, std::move(engine), facts, options);
  } catch (const std::bad_alloc&) {
    return nullptr;
  }
}

}  // namespace espalier::driver::stream

// SPDX-License-Identifier: BSD-2-Clause-Patent
// Each queue keeps the jobs it took in order, asks the inner device to answer under cookies that
// name their places, and gives the answers on in order of submission, as spoilt as their faults
// say.
#include <algorithm>
#include <cstring>
#include <mutex>
#include <new>
#include <optional>
#include <vector>

#include "espalier/driver/fault.hpp"
#include "espalier/driver/segments.hpp"
#include "espalier/driver/wrapping.hpp"

namespace espalier::driver {
namespace {

constexpr unsigned kStallPolls = 200;
constexpr unsigned kLatePolls = 5000;
constexpr unsigned kExtraRoom = 256;  ///< Jobs held beside those of the inner queue.

/// splitmix64: small, seeded, the same everywhere.
class Dice {
 public:
  explicit Dice(std::uint64_t seed) : state_(seed) {}
  std::uint64_t next() noexcept {
    std::uint64_t z = state_ += 0x9e3779b97f4a7c15ull;
    z = (z ^ z >> 30) * 0xbf58476d1ce4e5b9ull;
    z = (z ^ z >> 27) * 0x94d049bb133111ebull;
    return z ^ z >> 31;
  }
  std::uint64_t below(std::uint64_t bound) noexcept { return next() % bound; }
  bool strikes(unsigned per_million) noexcept {
    return per_million != 0 && below(1'000'000) < per_million;
  }

 private:
  std::uint64_t state_;
};

using Rate = unsigned FaultOptions::*;

struct Entry {
  std::uint64_t cookie = 0;
  Direction direction = Direction::seal;
  Rate fault = nullptr;
  bool answered = false;
  Completion completion;
  unsigned segments = 0;
  std::array<Segment, kMaxSegments> destination{};
  bool staged = false;  ///< In place: the source stays as it is until the job completes as ok.
  std::vector<std::uint8_t> staging;
  Segment stage;

  std::span<const Segment> written() const {
    return staged ? std::span<const Segment>(&stage, 1)
                  : std::span<const Segment>(destination.data(), segments);
  }
};

/// A result that is still to be written where it no longer belongs.
struct LateWrite {
  std::vector<std::uint8_t> octets;
  unsigned length = 0;
  unsigned polls_left = 0;  ///< 0: none is pending.
  unsigned segments = 0;
  std::array<Segment, kMaxSegments> destination{};
};

struct Queue {
  std::mutex mutex;
  Dice dice{0};
  std::vector<Entry> ring;
  std::uint64_t first = 0, end = 0;  ///< Positions, counted without wrapping.
  unsigned stall = 0;                ///< Polls that still give nothing.
  bool hung = false;
  std::optional<Completion> echo;  ///< To be given once more.
  bool late_expected = false;      ///< A job in the ring writes to late.octets.
  LateWrite late;

  Entry& at(std::uint64_t position) noexcept { return ring[position % ring.size()]; }
};

class FaultDevice final : public WrappingDevice {
 public:
  FaultDevice(std::unique_ptr<Device> inner, const FaultOptions& options)
      : WrappingDevice(std::move(inner)),
        options_(options),
        capabilities_(WrappingDevice::capabilities()),
        name_("fault-" + std::string(capabilities_.name)),
        dice_(options.seed),
        queues_(capabilities_.queues) {
    capabilities_.name = name_;
    capabilities_.keeps_source = true;  // until the job is ok, as a card does
    ++capabilities_.priority;           // before the inner device's like, which it falls back to
    for (auto& queue : queues_) {
      queue = std::make_unique<Queue>();
      queue->dice = Dice(dice_.next());
      queue->ring.resize(capabilities_.queue_depth + kExtraRoom);
      if (options.late_write != 0) queue->late.octets.resize(kMaxPacket);
    }
  }

  const Capabilities& capabilities() const noexcept override { return capabilities_; }
  Status install(Slot slot, Generation generation, const SaParameters& sa) noexcept override {
    if (dice_.strikes(options_.refuse_install)) return Status::no_room;
    return inner().install(slot, generation, sa);
  }
  std::size_t submit(QueueId queue, Jobs jobs) noexcept override;
  std::size_t poll(QueueId queue, std::span<Completion> completions) noexcept override;
  bool reset() noexcept override;

 private:
  Rate draw(Queue& queue, const Job& job) noexcept;
  bool forward(QueueId id, Queue& queue, const Job& job, Entry& entry) noexcept;
  void collect(QueueId id, Queue& queue) noexcept;
  void spoil(Queue& queue, Entry& entry) noexcept;
  bool give(Queue& queue, Completion& out) noexcept;
  static void write_late(Queue& queue) noexcept;

  FaultOptions options_;
  Capabilities capabilities_;
  std::string name_;
  Dice dice_;  ///< The control thread's.
  std::vector<std::unique_ptr<Queue>> queues_;
};

/// The fault of one job; the first that strikes, in the order of the table.
Rate FaultDevice::draw(Queue& queue, const Job& job) noexcept {
  Rate found = nullptr;
  for (const FaultName& fault : fault_names()) {
    const bool strikes = queue.dice.strikes(options_.*fault.rate);
    if (strikes && found == nullptr && fault.rate != &FaultOptions::refuse_install)
      found = fault.rate;
  }
  // One late write at a time; and none in place, where a device writes to memory of its own first.
  if (found == &FaultOptions::late_write &&
      (queue.late_expected || queue.late.polls_left != 0 || overlap(job.source, job.destination)))
    return nullptr;
  if (found == &FaultOptions::false_icv && job.direction == Direction::seal) return nullptr;
  return found;
}

std::size_t FaultDevice::submit(QueueId id, Jobs jobs) noexcept {
  if (static_cast<std::size_t>(id) >= queues_.size()) return 0;
  Queue& queue = *queues_[static_cast<std::size_t>(id)];
  const std::lock_guard lock(queue.mutex);
  std::size_t taken = 0;
  for (; taken < jobs.size() && queue.end - queue.first < queue.ring.size(); ++taken) {
    const Job& job = *jobs[taken];
    Entry& entry = queue.at(queue.end);
    entry.fault = draw(queue, job);
    if (entry.fault == &FaultOptions::refuse) break;
    entry.cookie = job.cookie;
    entry.direction = job.direction;
    entry.answered = entry.fault == &FaultOptions::read_error;
    entry.completion = {job.cookie, Status::read_error, 0, 0};
    entry.segments =
        static_cast<unsigned>(std::min<std::size_t>(job.destination.size(), kMaxSegments));
    std::copy_n(job.destination.begin(), entry.segments, entry.destination.begin());
    entry.staged = overlap(job.source, job.destination);
    if (entry.staged) {
      entry.staging.resize(total_length(job.destination));
      entry.stage = {entry.staging.data(), static_cast<std::uint32_t>(entry.staging.size())};
    }
    if (!entry.answered && !forward(id, queue, job, entry)) break;
    if (entry.fault == &FaultOptions::hang) queue.hung = true;
    ++queue.end;
  }
  return taken;
}

bool FaultDevice::forward(QueueId id, Queue& queue, const Job& job, Entry& entry) noexcept {
  Job copy = job;
  copy.cookie = queue.end;
  const Segment shadow{queue.late.octets.data(),
                       static_cast<std::uint32_t>(queue.late.octets.size())};
  const bool late = entry.fault == &FaultOptions::late_write;
  copy.destination = late ? std::span<const Segment>(&shadow, 1) : entry.written();
  const bool taken = inner().submit_one(id, copy);
  if (taken && late) queue.late_expected = true;
  return taken;
}

void FaultDevice::collect(QueueId id, Queue& queue) noexcept {
  Completion answers[32];
  for (std::size_t count = 1; count != 0;) {
    count = inner().poll(id, answers);
    for (const Completion& answer : std::span(answers).first(count)) {
      Entry& entry = queue.at(answer.cookie);
      entry.completion = answer;
      entry.completion.cookie = entry.cookie;
      entry.answered = true;
      spoil(queue, entry);
    }
  }
}

/// Does to an answer what does not concern its order.
void FaultDevice::spoil(Queue& queue, Entry& entry) noexcept {
  Completion& c = entry.completion;
  const std::span<const Segment> destination = entry.written();
  if (entry.fault == &FaultOptions::late_write) {
    queue.late_expected = false;
    queue.late.length = c.length;
    queue.late.polls_left = kLatePolls;
    queue.late.segments = entry.segments;
    queue.late.destination = entry.destination;
  }
  if (c.status != Status::ok) return;
  if (entry.fault == &FaultOptions::write_error) {
    for (const Segment& s : destination)
      for (std::uint32_t i = 0; i < s.length; ++i)
        s.data[i] = static_cast<std::uint8_t>(queue.dice.next());
    c = {c.cookie, Status::write_error, 0, 0};
  } else if (entry.fault == &FaultOptions::false_icv) {
    for (const Segment& s : destination)
      if (s.length != 0) std::memset(s.data, 0, s.length);
    c = {c.cookie, Status::icv_mismatch, 0, 0};
  } else if (entry.fault == &FaultOptions::flip && c.length != 0) {
    std::uint64_t octet = queue.dice.below(c.length);
    for (const Segment& s : destination) {
      if (octet < s.length) {
        s.data[octet] ^= static_cast<std::uint8_t>(1u << queue.dice.below(8));
        break;
      }
      octet -= s.length;
    }
  }
}

/// The next answer that is due, in order but for the faults that change it.
bool FaultDevice::give(Queue& queue, Completion& out) noexcept {
  if (queue.echo) {
    out = *queue.echo;
    queue.echo.reset();
    return true;
  }
  while (queue.first != queue.end && queue.at(queue.first).answered) {
    Entry& entry = queue.at(queue.first);
    if (entry.fault == &FaultOptions::stall) {
      entry.fault = nullptr;
      queue.stall = kStallPolls;
      return false;
    }
    if (entry.fault == &FaultOptions::reorder && queue.first + 1 != queue.end) {
      Entry& next = queue.at(queue.first + 1);
      if (!next.answered) return false;
      entry.fault = nullptr;
      std::swap(entry, next);
    }
    const Entry& due = queue.at(queue.first++);
    if (due.fault == &FaultOptions::lose || due.fault == &FaultOptions::late_write) continue;
    out = due.completion;
    if (due.staged && out.status == Status::ok)
      scatter({due.stage.data, out.length}, {due.destination.data(), due.segments});
    if (due.fault == &FaultOptions::duplicate) queue.echo = out;
    return true;
  }
  return false;
}

std::size_t FaultDevice::poll(QueueId id, std::span<Completion> completions) noexcept {
  if (static_cast<std::size_t>(id) >= queues_.size()) return 0;
  Queue& queue = *queues_[static_cast<std::size_t>(id)];
  const std::lock_guard lock(queue.mutex);
  if (queue.late.polls_left != 0 && --queue.late.polls_left == 0) write_late(queue);
  collect(id, queue);
  if (queue.hung) return 0;
  if (queue.stall != 0 && --queue.stall != 0) return 0;
  std::size_t given = 0;
  while (given < completions.size() && give(queue, completions[given])) ++given;
  return given;
}

void FaultDevice::write_late(Queue& queue) noexcept {
  scatter({queue.late.octets.data(), queue.late.length},
          {queue.late.destination.data(), queue.late.segments});
  queue.late.polls_left = 0;
}

bool FaultDevice::reset() noexcept {
  bool quiet = inner().reset();
  for (std::size_t i = 0; i < queues_.size(); ++i) {
    Queue& queue = *queues_[i];
    const std::lock_guard lock(queue.mutex);
    collect(static_cast<QueueId>(i), queue);
    if (queue.late.polls_left != 0) {
      write_late(queue);
      quiet = false;
    }
    for (std::uint64_t at = queue.first; at != queue.end; ++at) {
      Entry& entry = queue.at(at);
      entry.fault = nullptr;
      entry.answered = true;
      entry.completion = {entry.cookie, Status::aborted, 0, 0};
    }
    queue.hung = false;
    queue.stall = 0;
    queue.echo.reset();
  }
  return quiet;
}

}  // namespace

std::unique_ptr<Device> make_fault_device(std::unique_ptr<Device> inner,
                                          const FaultOptions& options) {
  if (inner == nullptr) return nullptr;
  try {
    return std::make_unique<FaultDevice>(std::move(inner), options);
  } catch (const std::bad_alloc&) {
    return nullptr;
  }
}

}  // namespace espalier::driver

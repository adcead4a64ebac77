// SPDX-License-Identifier: BSD-2-Clause-Patent
// The software device: slots, queues, and who may touch what when.
//
// A queue's thread reads slots without a lock.  The control thread publishes an SA with one atomic
// store and takes it back with one exchange; it frees the SA once every queue has been seen outside
// submit() since.  For that each queue counts its entries and exits (`phase`, odd while inside).
#include <openssl/crypto.h>

#include <algorithm>
#include <array>
#include <atomic>
#include <cstdlib>
#include <cstring>
#include <new>
#include <vector>

#include "espalier/driver/segments.hpp"
#include "espalier/driver/software.hpp"
#include "multi_buffer.hpp"
#include "sa.hpp"

namespace espalier::driver {
namespace {

using namespace software;

constexpr std::size_t kAlignment = 64;
constexpr std::size_t kBurst = 64;  // jobs that multi-buffer code works off at once

struct alignas(kAlignment) Queue {
  explicit Queue(unsigned depth) : ring(depth), memory(3 * std::size_t{kMaxPacket + 1}) {
    const std::span<std::uint8_t> all(memory);
    scratch.source = all.subspan(0, kMaxPacket);
    scratch.destination = all.subspan(kMaxPacket + 1, kMaxPacket);
    scratch.header = all.subspan(2 * std::size_t{kMaxPacket + 1}, kMaxPacket);
  }
  ~Queue() {
    OPENSSL_cleanse(memory.data(), memory.size());
    if (works)  // right tags of forged packets
      for (Work& work : *works) OPENSSL_cleanse(&work.deferred, sizeof work.deferred);
  }

  /// Appends a completion; there is room for it.
  void complete(const Job& job, const Answer& answer) noexcept {
    std::size_t at = first + count++;
    if (at >= ring.size()) at -= ring.size();
    Completion& completion = ring[at];
    const bool ok = answer.status == Status::ok;
    completion.cookie = job.cookie;
    completion.status = answer.status;
    completion.length = ok ? answer.length : 0;
    completion.next_header = ok ? answer.next_header : 0;
  }

  std::atomic<std::uint64_t> phase{0};  ///< Odd while its thread is inside submit().
  std::vector<Completion> ring;
  std::size_t first = 0, count = 0;  ///< Completions that wait, from `first`.
  std::vector<std::uint8_t> memory;
  Scratch scratch;
  // With multi-buffer code only: its manager, and the jobs of a burst.
  std::unique_ptr<MultiBuffer> multi_buffer;
  std::unique_ptr<std::array<Work, kBurst>> works;
};

/// An SA out of its slot that a queue may still be using.
struct Retired {
  std::unique_ptr<InstalledSa> sa;
  Slot slot;
  std::vector<std::uint64_t> phases;  ///< Of each queue when it was taken out.
};

class Software final : public Device {
 public:
  explicit Software(const SoftwareOptions& options)
      : slots_(options.slots), states_(options.slots) {
    for (unsigned i = 0; i < options.queues; ++i) {
      auto queue = std::make_unique<Queue>(options.queue_depth);
      if (options.multi_buffer) {
        queue->multi_buffer = MultiBuffer::make();
        queue->works = std::make_unique<std::array<Work, kBurst>>();
      }
      multi_buffers_.push_back(queue->multi_buffer.get());
      queues_.push_back(std::move(queue));
    }
    capabilities_.cipher_library =
        multi_buffers_[0] != nullptr ? multi_buffers_[0]->name() : "OpenSSL";
    capabilities_.name = "software";
    capabilities_.queues = options.queues;
    capabilities_.queue_depth = options.queue_depth;
    capabilities_.slots = options.slots;
    capabilities_.max_packet = kMaxPacket;
    capabilities_.max_segments = kMaxSegments;
  }
  ~Software() override {
    for (auto& slot : slots_) delete slot.load();
  }

  /// False if a queue lacks what the options want.
  bool complete(const SoftwareOptions& options) const {
    return !options.multi_buffer ||
           std::count(multi_buffers_.begin(), multi_buffers_.end(), nullptr) == 0;
  }

  const Capabilities& capabilities() const noexcept override { return capabilities_; }
  bool supports(const SaParameters& sa) const noexcept override { return check(sa).empty(); }

  Status install(Slot slot, Generation generation, const SaParameters& sa) noexcept override;
  void remove(Slot slot) noexcept override;
  SlotState slot_state(Slot slot) const noexcept override;
  std::size_t submit(QueueId queue, std::span<const Job> jobs) noexcept override;
  std::size_t poll(QueueId queue, std::span<Completion> completions) noexcept override;

  Time tick(Time now) noexcept override {
    collect();
    constexpr Time kIdle = std::chrono::seconds(1);
    return now + kIdle;
  }
  Health health() const noexcept override { return Health::ready; }
  bool reset() noexcept override;
  std::span<std::uint8_t> allocate(std::size_t bytes) noexcept override;
  void release(std::span<std::uint8_t> memory) noexcept override;

 private:
  void run_each(unsigned queue, std::span<const Job> jobs) noexcept;
  void run_bursts(unsigned queue, std::span<const Job> jobs) noexcept;
  InstalledSa* find(const Job& job) const noexcept;
  Answer linearised(unsigned queue, InstalledSa& sa, const Job& job) noexcept;
  void collect() const noexcept;
  bool passed(const Retired& retired) const noexcept;

  Capabilities capabilities_;
  std::vector<std::atomic<InstalledSa*>> slots_;
  std::vector<std::unique_ptr<Queue>> queues_;
  std::vector<MultiBuffer*> multi_buffers_;  // the queues', null without
  // The control thread's own; slot_state() is const to its caller but may find an SA free to go.
  mutable std::vector<SlotState> states_;
  mutable std::vector<Retired> retired_;
};

std::size_t index(Slot slot) {
  return static_cast<std::size_t>(slot);
}

Status Software::install(Slot slot, Generation generation, const SaParameters& sa) noexcept {
  collect();
  if (index(slot) >= slots_.size() || states_[index(slot)] != SlotState::empty)
    return Status::no_room;
  if (!supports(sa)) return Status::unsupported;
  try {
    auto installed = InstalledSa::make(sa, generation, multi_buffers_);
    if (!installed) return Status::unsupported;
    slots_[index(slot)].store(installed.release());
  } catch (const std::bad_alloc&) {
    return Status::no_room;
  }
  states_[index(slot)] = SlotState::ready;
  return Status::ok;
}

void Software::remove(Slot slot) noexcept {
  if (index(slot) >= slots_.size() || states_[index(slot)] != SlotState::ready) return;
  Retired retired{nullptr, slot, {}};
  retired.sa.reset(slots_[index(slot)].exchange(nullptr));
  for (const auto& queue : queues_) retired.phases.push_back(queue->phase.load());
  states_[index(slot)] = SlotState::removing;
  retired_.push_back(std::move(retired));
  collect();
}

bool Software::passed(const Retired& retired) const noexcept {
  for (std::size_t i = 0; i < queues_.size(); ++i) {
    const std::uint64_t then = retired.phases[i];
    if (then % 2 != 0 && queues_[i]->phase.load() == then) return false;
  }
  return true;
}

void Software::collect() const noexcept {
  std::erase_if(retired_, [this](const Retired& retired) {
    if (!passed(retired)) return false;
    states_[index(retired.slot)] = SlotState::empty;
    return true;
  });
}

SlotState Software::slot_state(Slot slot) const noexcept {
  if (index(slot) >= slots_.size()) return SlotState::empty;
  if (states_[index(slot)] == SlotState::removing) collect();
  return states_[index(slot)];
}

bool Software::reset() noexcept {
  for (std::size_t i = 0; i < slots_.size(); ++i) remove(static_cast<Slot>(i));
  collect();
  return retired_.empty();
}

std::size_t Software::submit(QueueId id, std::span<const Job> jobs) noexcept {
  if (static_cast<std::size_t>(id) >= queues_.size()) return 0;
  Queue& queue = *queues_[static_cast<std::size_t>(id)];
  const std::size_t depth = queue.ring.size();
  const std::size_t taken = std::min(jobs.size(), depth - queue.count);
  queue.phase.fetch_add(1);
  if (queue.multi_buffer)
    run_bursts(static_cast<unsigned>(id), jobs.first(taken));
  else
    run_each(static_cast<unsigned>(id), jobs.first(taken));
  queue.phase.fetch_add(1);
  return taken;
}

std::size_t Software::poll(QueueId id, std::span<Completion> completions) noexcept {
  if (static_cast<std::size_t>(id) >= queues_.size()) return 0;
  Queue& queue = *queues_[static_cast<std::size_t>(id)];
  const std::size_t given = std::min(completions.size(), queue.count);
  for (std::size_t i = 0; i < given; ++i) {
    completions[i] = queue.ring[queue.first];
    if (++queue.first == queue.ring.size()) queue.first = 0;
  }
  queue.count -= given;
  return given;
}

InstalledSa* Software::find(const Job& job) const noexcept {
  InstalledSa* sa = index(job.slot) < slots_.size() ? slots_[index(job.slot)].load() : nullptr;
  const bool right =
      sa != nullptr && sa->generation() == job.generation && sa->shape().direction == job.direction;
  return right ? sa : nullptr;
}

/// True if the job can be worked on where its octets are: one piece each, and the payload keeps its
/// place where they overlap.
bool in_place(const InstalledSa& sa, const Job& job) noexcept {
  if (job.source.size() != 1 || job.destination.size() != 1) return false;
  const Segment& source = job.source[0];
  const Segment& destination = job.destination[0];
  return source.length <= kMaxPacket &&
         (!overlap(source, destination) ||
          destination.data - source.data == sa.shape().in_place_shift(job));
}

Linear linear(const Job& job) noexcept {
  return {{job.source[0].data, job.source[0].length},
          {job.destination[0].data, job.destination[0].length}};
}

void Software::run_each(unsigned id, std::span<const Job> jobs) noexcept {
  Queue& queue = *queues_[id];
  for (const Job& job : jobs) {
    InstalledSa* sa = find(job);
    queue.complete(job, sa == nullptr        ? Answer{Status::sa_gone}
                        : in_place(*sa, job) ? sa->process(id, job, linear(job), queue.scratch)
                                             : linearised(id, *sa, job));
  }
}

/// As many jobs as multi-buffer code profits from, and as the caches near the core hold.
std::span<const Job> first_burst(std::span<const Job> jobs) noexcept {
  constexpr std::size_t kOctets = 98304;
  std::size_t count = 0, octets = 0;
  while (count < std::min(kBurst, jobs.size()) && octets < kOctets)
    octets += jobs[count].source.empty() ? 0 : jobs[count].source[0].length, ++count;
  return jobs.first(count);
}

void Software::run_bursts(unsigned id, std::span<const Job> jobs) noexcept {
  Queue& queue = *queues_[id];
  while (!jobs.empty()) {
    const auto burst = first_burst(jobs);
    jobs = jobs.subspan(burst.size());
    std::array<InstalledSa*, kBurst> sas;
    bool begun = false;
    for (std::size_t i = 0; i < burst.size(); ++i) {
      Work& work = (*queue.works)[i];
      const Job& job = burst[i];
      sas[i] = find(job);
      work.begun = false;
      if (sas[i] == nullptr)
        work.answer = {Status::sa_gone};
      else if (in_place(*sas[i], job)) {
        work.io = linear(job);
        sas[i]->begin(id, job, queue.scratch, work);
      } else
        work.answer = linearised(id, *sas[i], job);
      begun = begun || work.begun;
    }
    if (begun) queue.multi_buffer->run();
    for (std::size_t i = 0; i < burst.size(); ++i) {
      Work& work = (*queue.works)[i];
      queue.complete(burst[i], work.begun ? sas[i]->finish(work) : work.answer);
    }
  }
}

/// Everything that is not one piece, or overlaps so that the payload moves: through scratch memory.
Answer Software::linearised(unsigned queue, InstalledSa& sa, const Job& job) noexcept {
  if (job.source.empty() || job.source.size() > kMaxSegments || job.destination.empty() ||
      job.destination.size() > kMaxSegments)
    return {Status::bad_descriptor};
  const std::size_t length = total_length(job.source);
  if (length > kMaxPacket) return {Status::too_long};
  const Scratch& scratch = queues_[queue]->scratch;
  gather(job.source, scratch.source.data());
  Linear io{scratch.source.first(length), {}};
  if (job.destination.size() == 1) {
    io.destination = {job.destination[0].data, job.destination[0].length};
    return sa.process(queue, job, io, scratch);
  }
  io.destination = scratch.destination;
  Answer found = sa.process(queue, job, io, scratch);
  if (found.status != Status::ok) return found;
  const auto result = scratch.destination.first(found.length);
  if (found.length > total_length(job.destination)) {
    std::fill(result.begin(), result.end(), std::uint8_t{0});
    return {Status::no_room};
  }
  scatter(result, job.destination);
  return found;
}

std::span<std::uint8_t> Software::allocate(std::size_t bytes) noexcept {
  const std::size_t rounded = (bytes + kAlignment - 1) / kAlignment * kAlignment;
  if (bytes == 0 || rounded < bytes) return {};
  void* memory = std::aligned_alloc(kAlignment, rounded);
  if (memory == nullptr) return {};
  std::memset(memory, 0, rounded);
  return {static_cast<std::uint8_t*>(memory), bytes};
}

void Software::release(std::span<std::uint8_t> memory) noexcept {
  OPENSSL_cleanse(memory.data(), memory.size());
  std::free(memory.data());
}

}  // namespace

bool multi_buffer_available() {
  return software::MultiBuffer::make() != nullptr;
}

std::unique_ptr<Device> make_software(const SoftwareOptions& options) {
  constexpr unsigned kMaxQueues = 256, kMaxSlots = 65536;
  if (options.queues == 0 || options.queues > kMaxQueues || options.queue_depth == 0 ||
      options.slots == 0 || options.slots > kMaxSlots)
    return nullptr;
  try {
    auto software = std::make_unique<Software>(options);
    return software->complete(options) ? std::move(software) : nullptr;
  } catch (const std::bad_alloc&) {
    return nullptr;
  }
}

}  // namespace espalier::driver

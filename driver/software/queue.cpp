// SPDX-License-Identifier: BSD-2-Clause-Patent
#include "queue.hpp"

#include <openssl/crypto.h>

#include <algorithm>

#include "espalier/driver/segments.hpp"

namespace espalier::driver::software {
namespace {

/// True if the job can be worked on where its octets are: one piece each, and the payload keeps its
/// place where they overlap.
inline bool in_place(const SaShape& sa, const Job& job) noexcept {
  if (job.source.size() != 1 || job.destination.size() != 1) return false;
  const Segment& source = job.source[0];
  const Segment& destination = job.destination[0];
  return source.length <= kMaxPacket && (!overlap(source, destination) ||
                                         destination.data - source.data == sa.in_place_shift(job));
}

/// As many jobs as multi-buffer code profits from, and as the caches near the core hold.
Jobs first_burst(Jobs jobs, std::size_t most) noexcept {
  constexpr std::size_t kOctets = 98304;
  std::size_t count = 0, octets = 0;
  while (count < std::min(most, jobs.size()) && octets < kOctets)
    octets += jobs[count]->source.empty() ? 0 : jobs[count]->source[0].length, ++count;
  return jobs.first(count);
}

}  // namespace

Queue::Queue(const SoftwareOptions& options)
    : slot_count_(options.slots),
      depth_(options.queue_depth),
      fewest_(options.few_by_openssl ? kFew : 1),
      slots_(std::make_unique<std::atomic<KeyedSa*>[]>(options.slots)),
      ring_(std::make_unique<Completion[]>(options.queue_depth)),
      memory_(3 * std::size_t{kMaxPacket + 1}) {
  const std::span<std::uint8_t> all(memory_);
  scratch_.source = all.subspan(0, kMaxPacket);
  scratch_.destination = all.subspan(kMaxPacket + 1, kMaxPacket);
  scratch_.header = all.subspan(2 * std::size_t{kMaxPacket + 1}, kMaxPacket);
  if (!options.multi_buffer) return;
  multi_buffer_ = MultiBuffer::make(!options.few_by_openssl);
  works_ = std::make_unique<std::array<Work, kBurst>>();
}

Queue::~Queue() {
  for (std::size_t slot = 0; slot < slot_count_; ++slot) withdraw(slot);
  OPENSSL_cleanse(memory_.data(), memory_.size());
  if (works_)  // right tags of forged packets
    for (Work& work : *works_) OPENSSL_cleanse(&work.deferred, sizeof work.deferred);
}

std::size_t Queue::submit(Jobs jobs) noexcept {
  const std::size_t taken = std::min(jobs.size(), depth_ - count_);
  std::size_t last = first_ + count_;
  if (last >= depth_) last -= depth_;
  const std::size_t straight = std::min(taken, depth_ - last);
  phase_.fetch_add(1);
  run(jobs.first(straight), &ring_[last]);
  if (straight != taken) run(jobs.subspan(straight, taken - straight), &ring_[0]);
  phase_.fetch_add(1);
  count_ += taken;
  return taken;
}

std::size_t Queue::poll(std::span<Completion> completions) noexcept {
  const std::size_t given = std::min(completions.size(), count_);
  const std::size_t straight = std::min(given, depth_ - first_);
  std::copy_n(&ring_[first_], straight, completions.begin());
  std::copy_n(&ring_[0], given - straight, completions.begin() + straight);
  count_ -= given;
  first_ = count_ == 0 ? 0 : given == straight ? first_ + given : given - straight;
  if (first_ == depth_) first_ = 0;
  return given;
}

inline void Queue::run(Jobs jobs, Completion* out) noexcept {
  if (multi_buffer_)
    run_bursts(jobs, out);
  else
    run_each(jobs, out);
}

/// Writes a completion.
[[gnu::always_inline]] inline void complete(const Job& job, const Answer& answer,
                                            Completion& out) noexcept {
  out.cookie = job.cookie;
  out.status = answer.status;
  out.length = answer.length;
  out.next_header = answer.next_header;
}

/// Has the SAs of later jobs brought near: a job's slot, then the SA, then what that points to,
/// each when the one before is there.  With thousands of SAs none of it is in the caches near the
/// core.
inline void Queue::look_ahead(Jobs jobs, std::size_t at) const noexcept {
  if (at + kSlotAhead < jobs.size()) prefetch_slot(*jobs[at + kSlotAhead]);
  if (at + kSaAhead < jobs.size()) prefetch_sa(*jobs[at + kSaAhead]);
  if (at + kKeysAhead < jobs.size()) prefetch_keys(*jobs[at + kKeysAhead]);
}

/// Has the first jobs' SAs brought near.  False if the jobs seem to be of one SA: no need then.
inline bool Queue::begin_look_ahead(Jobs jobs) const noexcept {
  if (jobs.empty()) return false;
  const Slot one = jobs.front()->slot;
  if (jobs[jobs.size() / 2]->slot == one && jobs.back()->slot == one) return false;
  for (const Job* job : jobs.first(std::min(kSlotAhead, jobs.size()))) prefetch_slot(*job);
  for (const Job* job : jobs.first(std::min(kSaAhead, jobs.size()))) prefetch_sa(*job);
  for (const Job* job : jobs.first(std::min(kKeysAhead, jobs.size()))) prefetch_keys(*job);
  return true;
}

void Queue::run_each(Jobs jobs, Completion* out) noexcept {
  const bool mixed = begin_look_ahead(jobs);
  for (std::size_t i = 0; i < jobs.size(); ++i) {
    if (mixed) look_ahead(jobs, i);
    const Job& job = *jobs[i];
    KeyedSa* sa = find(job);
    complete(job,
             sa == nullptr                ? Answer{Status::sa_gone}
             : in_place(sa->shape(), job) ? sa->process(job, scratch_)
                                          : linearised(*sa, job),
             out[i]);
  }
}

void Queue::run_bursts(Jobs jobs, Completion* out) noexcept {
  while (!jobs.empty()) {
    const auto burst = first_burst(jobs, kBurst);
    if (burst.size() < fewest_)
      run_each(burst, out);
    else
      run_burst(burst, out);
    jobs = jobs.subspan(burst.size());
    out += burst.size();
  }
}

void Queue::run_burst(Jobs jobs, Completion* out) noexcept {
  std::array<KeyedSa*, kBurst> sas;
  Work* const works = works_->data();
  bool waits = false;
  const auto finish = [&](std::size_t i) { complete(*jobs[i], sas[i]->finish(works[i]), out[i]); };
  const bool mixed = begin_look_ahead(jobs);
  for (std::size_t i = 0; i < jobs.size(); ++i) {
    if (mixed) look_ahead(jobs, i);
    Work& work = works[i];
    sas[i] = find(*jobs[i]);
    work.stage = Stage::done;
    if (sas[i] == nullptr)
      work.answer = {Status::sa_gone};
    else if (in_place(sas[i]->shape(), *jobs[i]))
      sas[i]->begin(*jobs[i], scratch_, work);
    else
      work.answer = linearised(*sas[i], *jobs[i]);
    if (work.stage == Stage::done) complete(*jobs[i], work.answer, out[i]);
    waits = waits || work.stage == Stage::burst;
    if (i != 0 && works[i - 1].stage == Stage::next) finish(i - 1);
  }
  if (works[jobs.size() - 1].stage == Stage::next) finish(jobs.size() - 1);
  if (!waits) return;
  multi_buffer_->run();
  for (std::size_t i = 0; i < jobs.size(); ++i)
    if (works[i].stage == Stage::burst) finish(i);
}

/// Everything that is not one piece, or overlaps so that the payload moves: through scratch memory.
Answer Queue::linearised(KeyedSa& sa, const Job& job) noexcept {
  if (job.source.empty() || job.source.size() > kMaxSegments || job.destination.empty() ||
      job.destination.size() > kMaxSegments)
    return {Status::bad_descriptor};
  const std::size_t length = total_length(job.source);
  if (length > kMaxPacket) return {Status::too_long};
  gather(job.source, scratch_.source.data());
  const Segment source{scratch_.source.data(), static_cast<std::uint32_t>(length)};
  const Segment destination{scratch_.destination.data(),
                            static_cast<std::uint32_t>(scratch_.destination.size())};
  Job in_scratch = job;
  in_scratch.source = {&source, 1};
  if (job.destination.size() == 1) return sa.process(in_scratch, scratch_);
  in_scratch.destination = {&destination, 1};
  Answer found = sa.process(in_scratch, scratch_);
  if (found.status != Status::ok) return found;
  const auto result = scratch_.destination.first(found.length);
  if (found.length > total_length(job.destination)) {
    std::fill(result.begin(), result.end(), std::uint8_t{0});
    return {Status::no_room};
  }
  scatter(result, job.destination);
  return found;
}

}  // namespace espalier::driver::software

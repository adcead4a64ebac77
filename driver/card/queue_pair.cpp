// SPDX-License-Identifier: BSD-2-Clause-Patent
#include "card/queue_pair.hpp"

#include <algorithm>
#include <cstring>

#include "card/barrier.hpp"
#include "card/crc32c.hpp"
#include "espalier/driver/segments.hpp"
#include "espalier/spec/registers.h"

namespace espalier::driver {

namespace {

constexpr unsigned kMaxEntries = 1 + spec::continuations(spec::kMaxSegments, spec::kMaxSegments);
/// A completion may be seen half written (torn); it is whole after at most a link's latency.
constexpr Time kTornPatience = std::chrono::microseconds(5);

std::uint32_t total(std::span<const Segment> segments) {
  std::uint32_t sum = 0;
  for (const Segment& s : segments) sum += s.length;
  return sum;
}

std::uint32_t low(std::uint64_t value) {
  return static_cast<std::uint32_t>(value);
}
std::uint32_t high(std::uint64_t value) {
  return static_cast<std::uint32_t>(value >> 32);
}

}  // namespace

void LatencyHistogram::add(std::uint64_t cycles) noexcept {
  ++jobs_;
  minimum_ = std::min(minimum_, cycles);
  maximum_ = std::max(maximum_, cycles);
  ++buckets_[std::min<std::uint64_t>(cycles / kStep, kBuckets - 1)];
}

LatencyCycles LatencyHistogram::summary() const noexcept {
  LatencyCycles s;
  if (jobs_ == 0) return s;
  std::uint64_t seen = 0;
  unsigned median = 0;
  while (median < kBuckets && (seen += buckets_[median]) * 2 < jobs_) ++median;
  s.jobs = jobs_;
  s.minimum = minimum_;
  s.median = std::clamp(std::uint64_t{median} * kStep + kStep / 2, minimum_, maximum_);
  s.maximum = maximum_;
  return s;
}

QueuePair::QueuePair(Transport& transport, Pool& pool, const QueueShape& shape)
    : transport_(transport),
      pool_(pool),
      shape_(shape),
      submissions_(pool.allocate(std::size_t{2} * sizeof(spec::Descriptor) << shape.depth_log2)),
      completions_(pool.allocate(std::size_t{2} * sizeof(spec::Completion) << shape.depth_log2)),
      pending_(std::size_t{1} << shape.depth_log2),
      entries_(std::size_t{1} << shape.depth_log2) {
  const std::size_t bytes = (shape.max_packet + 63u) / 64 * 64;
  staging_ = pool.allocate(bytes * shape.staging_blocks);
  if (!staging_.empty())
    for (unsigned i = shape.staging_blocks; i-- > 0;) free_blocks_.push_back(static_cast<Block>(i));
}

// Both rings have twice as many places as there may be jobs: the submission ring for continuations,
// the completion ring so that credit need not follow each completion.
void QueuePair::start() noexcept {
  const auto set = [&](std::uint32_t reg, std::uint32_t value) {
    transport_.write(spec::queue_register(shape_.number, reg), value);
  };
  std::memset(submissions_.data(), 0, submissions_.size());
  std::memset(completions_.data(), 0, completions_.size());
  ++epoch_;
  entry_head_ = entry_tail_ = shown_ = credited_ = slot_ = 0;
  damaged_since_ = Time{-1};
  stamp_ = transport_.clock();
  const std::uint64_t submissions = pool_.io_address(submissions_.data());
  const std::uint64_t completions = pool_.io_address(completions_.data());
  const std::uint64_t base = transport_.io_base(), limit = base + transport_.memory().size();
  set(spec::reg::enable, 0);
  set(spec::reg::submission_base_lo, low(submissions));
  set(spec::reg::submission_base_hi, high(submissions));
  set(spec::reg::completion_base_lo, low(completions));
  set(spec::reg::completion_base_hi, high(completions));
  set(spec::reg::submission_log2, shape_.depth_log2 + 1);
  set(spec::reg::completion_log2, shape_.depth_log2 + 1);
  set(spec::reg::window_base_lo, low(base));
  set(spec::reg::window_base_hi, high(base));
  set(spec::reg::window_limit_lo, low(limit));
  set(spec::reg::window_limit_hi, high(limit));
  set(spec::reg::epoch, epoch_);
  publish_barrier();
  set(spec::reg::enable, 1);
  abandoned_.store(-1);
  open_.store(true, std::memory_order_release);
}

void QueuePair::abandon(Status status) noexcept {
  close();
  abandoned_.store(static_cast<int>(status), std::memory_order_release);
}

std::uint8_t* QueuePair::block(Block number) const noexcept {
  return staging_.data() + std::size_t{number} * ((shape_.max_packet + 63u) / 64 * 64);
}

bool QueuePair::room_for(unsigned entries) const noexcept {
  const unsigned used = static_cast<std::uint16_t>(entry_head_ - entry_tail_);
  return in_flight() < depth() && used + entries <= 2 * depth();
}

/// Replaces what the card cannot reach, or must not write in place, by staging blocks.
bool QueuePair::stage(const Job& job, Pending& p, std::span<const Segment>& source,
                      std::span<const Segment>& destination) noexcept {
  const auto reachable = [&](const Segment& s) { return pool_.contains(s.data, s.length); };
  const bool stage_source = !std::all_of(source.begin(), source.end(), reachable);
  const bool stage_result = !std::all_of(destination.begin(), destination.end(), reachable) ||
                            overlap(job.source, job.destination);
  if (free_blocks_.size() < unsigned{stage_source} + unsigned{stage_result}) return false;
  if (stage_source) {
    p.source = free_blocks_.back();
    free_blocks_.pop_back();
    std::uint8_t* to = block(p.source);
    staged_source_ = {to, total(job.source)};
    for (const Segment& s : job.source) {
      std::memcpy(to, s.data, s.length);
      to += s.length;
    }
    source = {&staged_source_, 1};
  }
  if (stage_result) {
    p.result = free_blocks_.back();
    free_blocks_.pop_back();
    staged_result_ = {block(p.result), std::min(total(job.destination), shape_.max_packet)};
    destination = {&staged_result_, 1};
  }
  if (stage_source || stage_result)  // one thread writes
    staged_.store(staged_.load(std::memory_order_relaxed) + 1, std::memory_order_relaxed);
  return true;
}

void QueuePair::put_entry(spec::Descriptor entry) noexcept {
  const unsigned log2 = shape_.depth_log2 + 1;
  if ((entry_head_ >> log2 & 1) == 0) entry.flags |= spec::kFlagPhase;
  to_card(submissions_.data() + sizeof entry * (entry_head_ & ((1u << log2) - 1)), entry);
  ++entry_head_;
}

void QueuePair::put_continuations(const spec::Descriptor& head, std::span<const Segment> source,
                                  std::span<const Segment> destination) noexcept {
  const auto rest = static_cast<unsigned>(source.size() + destination.size() - 2);
  const auto segment = [&](unsigned i) {
    return i + 1 < source.size() ? source[i + 1] : destination[i + 2 - source.size()];
  };
  for (unsigned at = 0; at < rest; at += spec::kSegmentsPerContinuation) {
    spec::Continuation c{};
    for (unsigned k = 0; k < spec::kSegmentsPerContinuation && at + k < rest; ++k) {
      c.address[k] = pool_.io_address(segment(at + k).data);
      c.length[k] = static_cast<std::uint16_t>(segment(at + k).length);
    }
    if (at == 0) {
      c.length[5] = static_cast<std::uint16_t>(source[0].length);
      c.length[6] = static_cast<std::uint16_t>(destination[0].length);
    }
    c.tag = head.tag;
    c.opcode = static_cast<std::uint8_t>(spec::Opcode::continuation);
    c.sources = static_cast<std::uint8_t>(source.size());
    c.destinations = static_cast<std::uint8_t>(destination.size());
    put_entry(std::bit_cast<spec::Descriptor>(c));
  }
}

void QueuePair::take(const spec::Descriptor& head, unsigned entries) noexcept {
  Pending& p = pending(taken_);
  entries_[taken_ & (depth() - 1)] = static_cast<std::uint8_t>(entries);
  p.opcode = static_cast<spec::Opcode>(head.opcode);
  p.since = stamp_;
  p.cycles = transport_.cycles();
  if (empty()) oldest_.store(p.since, std::memory_order_release);
  taken_.store(taken_ + 1, std::memory_order_release);
}

bool QueuePair::submit(const Job& job) noexcept {
  if (!open_.load(std::memory_order_acquire) || !room_for(kMaxEntries)) return false;
  Pending& p = pending(taken_);
  p = Pending{};
  p.cookie = job.cookie;
  p.destinations = static_cast<std::uint8_t>(job.destination.size());
  std::copy(job.destination.begin(), job.destination.end(), p.destination.begin());

  // The card counts lengths in 16 bits and writes at most max_packet octets: a longer source is its
  // business to refuse, more room than that is none of it.
  std::span<const Segment> source = job.source, destination = job.destination;
  std::array<Segment, kMaxSegments> cut;
  const std::uint32_t length = total(source);
  if (total(destination) > shape_.max_packet) {
    std::uint32_t left = shape_.max_packet;
    std::size_t n = 0;
    for (const Segment& s : destination) {
      if (left == 0) break;
      cut[n] = {s.data, std::min(s.length, left)};
      left -= cut[n++].length;
    }
    destination = {cut.data(), n};
  }
  spec::Descriptor d{};
  if (length > shape_.max_packet) {  // nothing of it need be on the card to be refused
    source = {};
    destination = {};
  } else if (!stage(job, p, source, destination)) {
    return false;
  }
  const auto first = [&](std::span<const Segment> s) {
    return s.empty() ? transport_.io_base() : pool_.io_address(s[0].data);
  };
  d.source_address = first(source);
  d.destination_address = first(destination);
  d.sequence_number = job.sequence_number;
  std::copy(job.iv.begin(), job.iv.end(), d.iv);
  d.source_length = static_cast<std::uint16_t>(std::min<std::uint32_t>(length, 0xffff));
  d.destination_length = static_cast<std::uint16_t>(total(destination));
  d.slot = static_cast<std::uint16_t>(job.slot);
  d.generation = static_cast<std::uint16_t>(job.generation);
  d.tag = static_cast<std::uint16_t>(taken_);
  d.epoch = epoch_;
  d.identity = job.identity;
  d.opcode = static_cast<std::uint8_t>(job.direction == Direction::seal ? spec::Opcode::seal
                                                                        : spec::Opcode::open);
  d.flags = job.dont_fragment ? spec::kFlagDontFragment : std::uint8_t{0};
  d.tos = job.tos;
  d.ttl = job.ttl;
  d.pad_length = job.pad_length;
  d.header_words = static_cast<std::uint8_t>(job.header_length / 4);
  d.tfc_length = job.tfc_length;
  const auto segments = static_cast<unsigned>(source.size() + destination.size());
  const unsigned more = segments > 2
                            ? spec::continuations(static_cast<unsigned>(source.size()),
                                                  static_cast<unsigned>(destination.size()))
                            : 0;
  if (more != 0) d.flags |= spec::kFlagContinued;
  put_entry(d);
  if (more != 0) put_continuations(d, source, destination);
  take(d, 1 + more);
  return true;
}

bool QueuePair::submit(spec::Opcode opcode, std::uint64_t cookie, Slot slot, Generation generation,
                       std::span<const std::uint8_t> record) noexcept {
  if (!open_.load(std::memory_order_acquire) || !room_for(1)) return false;
  pending(taken_) = Pending{};
  pending(taken_).cookie = cookie;
  spec::Descriptor d{};
  d.source_address = record.empty() ? transport_.io_base() : pool_.io_address(record.data());
  d.destination_address = transport_.io_base();
  d.source_length = static_cast<std::uint16_t>(record.size());
  d.slot = static_cast<std::uint16_t>(slot);
  d.generation = static_cast<std::uint16_t>(generation);
  d.tag = static_cast<std::uint16_t>(taken_);
  d.epoch = epoch_;
  d.opcode = static_cast<std::uint8_t>(opcode);
  put_entry(d);
  take(d, 1);
  return true;
}

void QueuePair::flush() noexcept {
  stamp_ = transport_.clock();
  if (shown_ == entry_head_ && !ring_again_.exchange(false, std::memory_order_relaxed)) return;
  publish_barrier();
  shown_ = entry_head_;
  transport_.write(spec::queue_register(shape_.number, spec::reg::doorbell), shown_);
}

void QueuePair::give_credit() noexcept {
  if (static_cast<std::uint16_t>(slot_ - credited_) < depth() / 2) return;
  credited_ = slot_;
  transport_.write(spec::queue_register(shape_.number, spec::reg::credit), credited_);
}

spec::Completion QueuePair::look(std::uint16_t slot) const noexcept {
  const unsigned mask = 2 * depth() - 1;
  return from_card<spec::Completion>(completions_.data() +
                                     sizeof(spec::Completion) * (slot & mask));
}

/// Right in every field the host can foresee.
bool QueuePair::genuine(const spec::Completion& c, std::uint16_t slot,
                        std::uint64_t job) const noexcept {
  const unsigned phase = (slot >> (shape_.depth_log2 + 1) & 1) ^ 1;
  return c.phase == phase && c.epoch == epoch_ && c.queue == shape_.number &&
         c.tag == static_cast<std::uint16_t>(job) && c.crc == completion_crc(c);
}

/// Looks for the next completion.  One that is there but wrong is given time, as it may be torn;
/// then, or if its successor is already there, it is damaged.
QueuePair::Found QueuePair::find(spec::Completion& c) noexcept {
  c = look(slot_);
  if (genuine(c, slot_, completed_)) {
    damaged_since_ = Time{-1};
    return Found::answer;
  }
  const unsigned phase = (slot_ >> (shape_.depth_log2 + 1) & 1) ^ 1;
  const bool there = (c.phase & 1) == phase;
  const bool passed =
      in_flight() > 1 && genuine(look(static_cast<std::uint16_t>(slot_ + 1)),
                                 static_cast<std::uint16_t>(slot_ + 1), completed_ + 1);
  if (!there && !passed) return Found::nothing;
  const Time now = stamp_;
  if (damaged_since_ == Time{-1}) damaged_since_ = now;
  if (now - damaged_since_ < kTornPatience) return Found::nothing;
  damaged_since_ = Time{-1};
  health_.damaged.fetch_add(1, std::memory_order_relaxed);
  return Found::damaged;
}

Completion QueuePair::finish(Status status, const spec::Completion& c) noexcept {
  Pending& p = pending(completed_);
  Completion out;
  out.cookie = p.cookie;
  out.status = status;
  const std::span<const Segment> destination{p.destination.data(), p.destinations};
  if (status == Status::ok) {
    out.length = c.length;
    out.next_header = c.next_header;
    if (p.result != kNoBlock) {
      const std::uint8_t* from = block(p.result);
      std::uint32_t left = std::min<std::uint32_t>(c.length, shape_.max_packet);
      for (const Segment& s : destination) {
        const std::uint32_t n = std::min(s.length, left);
        std::memcpy(s.data, from, n);
        from += n;
        left -= n;
      }
    }
    const std::uint64_t cycles = transport_.cycles() - p.cycles;
    if (p.opcode == spec::Opcode::seal) seals_.add(cycles);
    if (p.opcode == spec::Opcode::open) opens_.add(cycles);
  } else if (p.result == kNoBlock && p.opcode == spec::Opcode::open && spec::info(status).retry) {
    // The card may have written some of a verified result; what is not delivered is not left there.
    for (const Segment& s : destination) std::memset(s.data, 0, s.length);
  }
  if (p.result != kNoBlock) free_blocks_.push_back(p.result);
  if (p.source != kNoBlock) free_blocks_.push_back(p.source);
  entry_tail_ = static_cast<std::uint16_t>(entry_tail_ + entries_[completed_ & (depth() - 1)]);
  completed_.store(completed_ + 1, std::memory_order_release);
  if (!empty()) oldest_.store(pending(completed_).since, std::memory_order_release);
  return out;
}

std::size_t QueuePair::poll(std::span<Completion> out) noexcept {
  std::size_t n = 0;
  stamp_ = transport_.clock();
  if (ring_again_.load(std::memory_order_relaxed)) flush();
  const int abandoned = abandoned_.load(std::memory_order_acquire);
  while (n < out.size() && !empty()) {
    spec::Completion c{};
    if (abandoned >= 0) {
      out[n++] = finish(static_cast<Status>(abandoned), c);
      continue;
    }
    const Found found = find(c);
    if (found == Found::nothing) break;
    accept_barrier();
    ++slot_;
    const Status status =
        found == Found::damaged ? Status::internal_error : spec::status_from_code(c.status);
    if (spec::info(status).retry && status != Status::too_long && status != Status::unsupported)
      health_.card_errors.fetch_add(1, std::memory_order_relaxed);
    out[n++] = finish(status, c);
  }
  if (n != 0 && abandoned < 0) give_credit();
  return n;
}

}  // namespace espalier::driver

// SPDX-License-Identifier: BSD-2-Clause-Patent
// One queue pair of a card: its rings, the jobs in flight, and staging for memory the card cannot
// see.
//
// The card completes a queue's jobs in submission order, so jobs in flight are a ring too, and the
// next completion is known before it comes: tag, epoch, queue and place all have to be right.
#pragma once

#include <array>
#include <atomic>
#include <cstdint>
#include <span>
#include <vector>

#include "card/pool.hpp"
#include "card/transport.hpp"
#include "espalier/spec/descriptor.h"

namespace espalier::driver {

struct QueueShape {
  unsigned number = 0;            ///< Of the hardware's queue pair.
  unsigned depth_log2 = 10;       ///< log2 of the jobs in flight.
  unsigned staging_blocks = 128;  ///< A staged job takes one for its source, one for its result.
  std::uint32_t max_packet = 0;   ///< Octets; size of a staging block.
};

/// What poll() found wrong, for the control thread.
struct QueueHealth {
  std::atomic<std::uint64_t> damaged{0};      ///< Completions refused: CRC, tag, epoch.
  std::atomic<std::uint64_t> card_errors{0};  ///< read_error, write_error, internal_error ...
};

/// Latencies in cycles, counted without keeping them.
class LatencyHistogram {
 public:
  void add(std::uint64_t cycles) noexcept;
  LatencyCycles summary() const noexcept;

 private:
  static constexpr unsigned kStep = 8, kBuckets = 4096;
  std::array<std::uint32_t, kBuckets> buckets_{};
  std::uint64_t jobs_ = 0, minimum_ = ~0ull, maximum_ = 0;
};

/// Threads: submit(), poll() and flush() by the queue's thread; start(), abandon() and the getters
/// by the control thread.
class QueuePair {
 public:
  /// Takes rings and staging from the pool; valid() says if there was room.
  QueuePair(Transport& transport, Pool& pool, const QueueShape& shape);
  bool valid() const noexcept { return !submissions_.empty() && !completions_.empty(); }
  unsigned depth() const noexcept { return 1u << shape_.depth_log2; }

  /// Programs the hardware's queue under a new epoch and lets jobs in.  Nothing may be in flight.
  void start() noexcept;
  /// The card is quiet: what is in flight will complete as `status`, nothing more gets in.
  void abandon(Status status) noexcept;
  /// No job gets in until start().
  void close() noexcept { open_.store(false, std::memory_order_release); }
  /// Nothing in flight.
  bool empty() const noexcept { return taken_.load() == completed_.load(); }

  /// Takes a job if there is room; flush() shows what was taken to the card.
  bool submit(const Job& job) noexcept;
  bool submit(spec::Opcode opcode, std::uint64_t cookie, Slot slot, Generation generation,
              std::span<const std::uint8_t> record) noexcept;
  void flush() noexcept;
  /// Control thread: have the queue's thread ring again, the last doorbell may have been lost.
  void ring_again() noexcept { ring_again_.store(true, std::memory_order_relaxed); }
  std::size_t poll(std::span<Completion> out) noexcept;

  std::uint64_t taken() const noexcept { return taken_.load(std::memory_order_acquire); }
  std::uint64_t completed() const noexcept { return completed_.load(std::memory_order_acquire); }
  /// Jobs whose source or result went through a staging block.
  std::uint64_t staged() const noexcept { return staged_.load(std::memory_order_relaxed); }
  /// When the oldest job in flight was taken, by the transport's clock; meaningless if empty().
  Time oldest() const noexcept { return oldest_.load(std::memory_order_acquire); }
  const QueueHealth& health() const noexcept { return health_; }
  const LatencyHistogram& seals() const noexcept { return seals_; }
  const LatencyHistogram& opens() const noexcept { return opens_; }
  void restart_latency() noexcept { seals_ = opens_ = {}; }

 private:
  using Block = std::uint16_t;
  static constexpr Block kNoBlock = 0xffff;

  struct Pending {
    std::uint64_t cookie = 0;
    Time since{};
    std::uint64_t cycles = 0;
    spec::Opcode opcode = spec::Opcode::nop;
    Block source = kNoBlock, result = kNoBlock;
    std::uint8_t destinations = 0;
    std::array<Segment, kMaxSegments> destination{};
  };
  enum class Found { nothing, answer, damaged };

  unsigned in_flight() const noexcept { return static_cast<unsigned>(taken_ - completed_); }
  Pending& pending(std::uint64_t number) { return pending_[number & (depth() - 1)]; }
  bool room_for(unsigned entries) const noexcept;
  bool stage(const Job& job, Pending& p, std::span<const Segment>& source,
             std::span<const Segment>& destination) noexcept;
  std::uint8_t* block(Block number) const noexcept;
  void put_entry(spec::Descriptor entry) noexcept;
  void put_continuations(const spec::Descriptor& head, std::span<const Segment> source,
                         std::span<const Segment> destination) noexcept;
  void take(const spec::Descriptor& head, unsigned entries) noexcept;
  spec::Completion look(std::uint16_t slot) const noexcept;
  bool genuine(const spec::Completion& c, std::uint16_t slot, std::uint64_t job) const noexcept;
  Found find(spec::Completion& c) noexcept;
  Completion finish(Status status, const spec::Completion& c) noexcept;
  void give_credit() noexcept;

  Transport& transport_;
  Pool& pool_;
  QueueShape shape_;
  std::span<std::uint8_t> submissions_, completions_, staging_;
  std::vector<Pending> pending_;
  std::vector<Block> free_blocks_;
  Segment staged_source_, staged_result_;

  std::uint16_t epoch_ = 0;
  std::uint16_t entry_head_ = 0;       // next submission entry
  std::uint16_t entry_tail_ = 0;       // first entry still owned by a job in flight
  std::uint16_t shown_ = 0;            // doorbell as last written
  std::uint16_t credited_ = 0;         // credit as last written
  std::uint16_t slot_ = 0;             // next completion
  std::vector<std::uint8_t> entries_;  // of each job in flight
  std::atomic<std::uint64_t> taken_{0}, completed_{0}, staged_{0};
  std::atomic<Time> oldest_{Time{0}};
  std::atomic<bool> open_{false}, ring_again_{false};
  Time stamp_{};                    // the clock as last looked at: once a batch
  std::atomic<int> abandoned_{-1};  // a Status, or -1
  Time damaged_since_{-1};          // when a damaged completion was first seen
  QueueHealth health_;
  LatencyHistogram seals_, opens_;
};

}  // namespace espalier::driver

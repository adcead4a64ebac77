// SPDX-License-Identifier: BSD-2-Clause-Patent
// L0: the one contract under which a card, a simulation and the CPU take packets (D4).
//
// All devices give the same bytes and the same status for the same job; they differ in speed, in
// the order between SAs, and in what they take.  Software is an ordinary device with the lowest
// priority; `fault` wraps any.
#pragma once

#include <chrono>
#include <cstddef>
#include <cstdint>
#include <memory>
#include <span>
#include <string_view>

#include "espalier/driver/job.hpp"

namespace espalier::driver {

/// Monotonic time, given by the caller so that tests drive it.
using Time = std::chrono::nanoseconds;

/// What a device is and takes.  Constant while the device is open.
struct Capabilities {
  std::string_view name;            ///< "software", "csim", "engine", "cosim", "xrt", "null".
  std::string_view cipher_library;  ///< What encrypts, in words; empty where the device does.
  unsigned priority = 0;            ///< Dispatch prefers the higher; software is 0.
  unsigned queues = 1;
  unsigned queue_depth = 0;  ///< Jobs a queue holds between submit and poll.
  unsigned slots = 0;
  std::uint32_t max_packet = 0;  ///< Octets, source and result.
  unsigned max_segments = 1;
  bool simulated = false;  ///< `auto` never picks it (D13).
  bool needs_pool_memory =
      false;                 ///< Buffers come from allocate(); others are staged by the device.
  bool keeps_source = true;  ///< In place, a source is as it was unless the status is ok.  False:
                             ///< an open that failed, or internal_error, may have spoilt it.
  bool verifiable = true;  ///< False: its results are no packets (null); nothing tests or compares
                           ///< them.
};

enum class Health : std::uint8_t {
  ready,
  suspect,      ///< Still serves; errors or slow heartbeats were seen.
  quarantined,  ///< Takes no jobs; its lent buffers are not reused until it is proven quiet.
  gone,
};

inline const char* name(Health health) noexcept {
  constexpr const char* kNames[] = {"ready", "suspect", "quarantined", "gone"};
  return kNames[static_cast<unsigned>(health)];
}

enum class SlotState : std::uint8_t { empty, installing, ready, removing };

/// Latency of jobs that a simulated device completed as ok, in its own clock cycles, from the job's
/// first word at the engine's input on.
struct LatencyCycles {
  std::uint64_t jobs = 0;
  std::uint64_t minimum = 0;
  std::uint64_t median = 0;
  std::uint64_t maximum = 0;
};

/// Counters of a simulated device since it was opened or reset; zero elsewhere.  csim has no clock:
/// its cycles count the engine function's passes and are no figure of speed.
struct SimulatedCost {
  std::uint64_t cycles = 0;
  LatencyCycles seal, open;              ///< To the last word of the result.
  LatencyCycles seal_first, open_first;  ///< To its first beat; no jobs if the device can't tell.
};

/// Where the cycles of a simulated card went, by the card's own counters since its last reset; zero
/// elsewhere.
struct CycleCounters {
  std::uint64_t engine_in = 0;   ///< A beat entered the engine.
  std::uint64_t engine_out = 0;  ///< A beat left the engine.
  std::uint64_t starved = 0;     ///< The engine waited for input while jobs were queued.
  std::uint64_t blocked = 0;     ///< The engine's output waited for the write port.
};

/// Cycles a job takes of a device's link: up to the host, and down from it.
struct LinkCycles {
  double up = 0, down = 0;
};

/// Threads: each queue belongs to one caller at a time, queues are independent; the control calls
/// (install, remove, tick, reset, allocate, release) belong to one thread, and may run beside the
/// queues. Nothing here throws, blocks or logs; submit() and poll() do not allocate.
class Device {
 public:
  Device() = default;
  Device(const Device&) = delete;
  Device& operator=(const Device&) = delete;
  virtual ~Device() = default;  ///< Wipes every key it holds.

  virtual const Capabilities& capabilities() const noexcept = 0;

  /// True if the device implements the SA's suite, mode and options.  Says nothing about room.
  virtual bool supports(const SaParameters& sa) const noexcept = 0;

  /// Starts to fill an empty slot; jobs may name it once slot_state() is `ready`.
  /// Returns ok, unsupported, or no_room (slot number beyond capabilities().slots, or not empty).
  virtual Status install(Slot slot, Generation generation, const SaParameters& sa) noexcept = 0;

  /// Starts to wipe a slot, after the jobs submitted before on every queue.  The slot is `empty`,
  /// its keys zero, once slot_state() says so.
  virtual void remove(Slot slot) noexcept = 0;
  virtual SlotState slot_state(Slot slot) const noexcept = 0;

  /// Takes a prefix of `jobs`; fewer than all means full: poll(), then offer the rest.  Jobs of one
  /// SA on one queue complete in submission order.
  virtual std::size_t submit(QueueId queue, Jobs jobs) noexcept = 0;
  /// submit() for one job; false if full.
  bool submit_one(QueueId queue, const Job& job) noexcept {
    const Job* const one = &job;
    return submit(queue, {&one, 1}) == 1;
  }

  /// Fills a prefix of `completions` and returns its length; 0 if none is there yet.  Does a
  /// bounded amount of work.
  virtual std::size_t poll(QueueId queue, std::span<Completion> completions) noexcept = 0;

  /// Heartbeats, time-outs, ageing.  Returns when it wants to be called next.
  virtual Time tick(Time now) noexcept = 0;
  virtual Health health() const noexcept = 0;

  /// Drops everything in flight (its jobs complete as `aborted`), wipes all slots.  True once the
  /// device is proven quiet: no read or write of an earlier job can happen any more.
  virtual bool reset() noexcept = 0;

  /// Memory the device reads and writes without staging; 64-byte aligned, zeroed; empty if there is
  /// none left. Stays the device's: release() it before the device goes.
  virtual std::span<std::uint8_t> allocate(std::size_t bytes) noexcept = 0;
  virtual void release(std::span<std::uint8_t> memory) noexcept = 0;

  /// Jobs since it was opened whose source or result it had to copy, because it does not reach
  /// their memory.  Readable while traffic runs.
  virtual std::uint64_t staged_jobs() const noexcept { return 0; }

  virtual SimulatedCost simulated_cost() const noexcept { return {}; }
  /// Reading takes cycles of its own; so before and after what is measured.
  virtual CycleCounters cycle_counters() const noexcept { return {}; }
  /// What the link of a simulated card needs at least for a job, in a long run of equal jobs in
  /// aligned buffers.  Zero elsewhere.
  virtual LinkCycles link_cycles(std::uint32_t /*source*/,
                                 std::uint32_t /*result*/) const noexcept {
    return {};
  }
  /// Forgets the latencies counted so far, e.g. those of known-answer tests.
  virtual void restart_latency() noexcept {}
};

}  // namespace espalier::driver

// SPDX-License-Identifier: BSD-2-Clause-Patent
// L1: protects and unprotects packets by SA, on whatever devices there are, and loses none.
//
// Life of a packet: submit() freezes its every input (number, IV, padding, outer header), dispatch
// picks the best device that can take it, poll() hands back what is done.  A packet a device fails
// on is run again on the next one with the same bytes.  Nothing here starts a thread, reads a clock
// or blocks; between create() and the destructor, submit() and poll() do not allocate, lock, throw
// or make a system call.
//
// Threads: each queue belongs to one caller at a time; queues are independent.  All other calls,
// "control", belong to one thread, which may run beside the queues' threads.
#pragma once

#include <cstdint>
#include <memory>
#include <span>
#include <string>
#include <vector>

#include "espalier/address.hpp"
#include "espalier/event.hpp"
#include "espalier/health.hpp"
#include "espalier/job.hpp"
#include "espalier/result.hpp"
#include "espalier/sa.hpp"

namespace espalier {

struct ContextConfig {
  std::uint32_t max_sas = 4096;  ///< 1 to 65,535.
  std::uint32_t queues = 1;      ///< 1 to 16.
  std::uint32_t queue_capacity =
      1024;                     ///< Jobs taken and not yet polled; a power of two to 32,768.
  std::uint32_t batch = 64;     ///< Jobs a device is given at once, at most.
  Time batch_age = Time{0};     ///< poll() keeps an unfilled batch back for so long.
  std::uint32_t events = 1024;  ///< Room for events; a power of two.
  std::uint32_t audit_events_per_second = 100;
  HealthConfig health;
};

/// Counters of one device, summed over queues, readable while traffic runs.
struct DeviceCounters {
  std::uint64_t taken = 0;                     ///< Jobs given to it, second runs included.
  std::uint64_t failed = 0;                    ///< Of those, jobs run again elsewhere.
  std::uint64_t refusals[kRefusalCount] = {};  ///< Packets it was not given, by reason.
  std::uint64_t verified = 0;    ///< Sampled packets that software did too, and compared.
  std::uint64_t rechecked = 0;   ///< Drop verdicts that software was asked about.
  std::uint64_t mismatches = 0;  ///< Of both, those on which they differed.
};

/// Counters of all SAs there are and were, and of packets without one, readable while traffic runs.
struct Totals {
  std::uint64_t packets = 0;  ///< Completed with ok.
  std::uint64_t bytes = 0;    ///< Of those, as lifetimes count them.
  std::uint64_t drops[spec::kDropCount] = {};
};

class Context {
 public:
  /// Takes the devices over, and puts known-answer tests to them: what does not pass is out of
  /// service until it does.  Refused: no device, more than 8, or a limit out of its range.
  static Result<std::unique_ptr<Context>> create(
      const ContextConfig& config, std::vector<std::unique_ptr<driver::Device>> devices);
  /// Empty if the limits are within their ranges, else which is not; create() looks too.
  static std::string check(const ContextConfig& config);
  /// Wipes every key.  No queue may be in use.
  ~Context();
  Context(const Context&) = delete;
  Context& operator=(const Context&) = delete;

  // ---- packets, by queue; a queue the context does not have takes and gives nothing

  /// Takes a prefix of `jobs` and numbers only what it takes.  Fewer than all means full: poll(),
  /// then offer the rest.  A job that can't be done is taken, and completes with its drop reason.
  /// Jobs of one SA on one queue complete in the order they were taken.
  std::size_t submit(QueueId queue, std::span<const Job> jobs) noexcept;

  /// Hands back up to completions.size() jobs that are done and returns how many.  Runs at most
  /// `rerun_budget` failed jobs again.
  std::size_t poll(QueueId queue, std::span<Completion> completions,
                   std::uint32_t rerun_budget = 32) noexcept;

  /// For a caller that wants to sleep.  True: do not, there is something to poll().  False:
  /// queue_fd() becomes readable when there may be something, if jobs are under way.  Devices raise
  /// no interrupt, so it is tick() that wakes, and asks to be called within a millisecond.
  bool arm(QueueId queue) noexcept;
  /// A file descriptor for poll(2); arm() empties it.  The context's; -1 if there is no such queue.
  int queue_fd(QueueId queue) const noexcept;

  /// Jobs of the queue that are taken and not handed back.
  std::uint32_t outstanding(QueueId queue) const noexcept;

  /// The inbound SA of a packet, none if there is none.  Protocol 50 or 51; addresses of 4 or 16
  /// octets, wire order.
  SaHandle find(QueueId queue, std::uint32_t spi, std::uint8_t protocol, Family family,
                const std::uint8_t* destination, const std::uint8_t* source) noexcept;

  // ---- control

  /// Adds an SA.  It is usable at once on every device that installs at once (software does); the
  /// others follow, see EventKind::slot_ready.
  Result<SaHandle> add(const SaConfig& config);

  /// Changes a live SA.  Empty if done, else why not.  The next packet that submit() takes of it
  /// goes by the change: until its packets under way are out and the devices know, submit() takes
  /// none (tick() sees to it), and loses none.  Several updates take effect in order.
  std::string update(SaHandle sa, const SaUpdate& update);

  /// Stops the SA at once: jobs submitted from now on are dropped as sa_gone.  What is under way
  /// completes; then devices wipe their copies and EventKind::sa_drained is raised.  False if there
  /// is no such SA.
  bool remove(SaHandle sa) noexcept;

  /// Lifetimes by time, slots, health, resets, removals.  Call it when the returned time has come,
  /// or earlier.  `now` is monotonic.
  Time tick(Time now) noexcept;

  /// Takes the oldest event; false if there is none.
  bool next_event(Event& event) noexcept;
  /// A file descriptor that is readable while events wait, as of the last tick().  The context's.
  int event_fd() const noexcept;
  /// Events and audit records that found no room or were over the rate.
  std::uint64_t lost_events() const noexcept;

  Result<SaStatistics> statistics(SaHandle sa) const;
  Result<Overhead> overhead(SaHandle sa) const;
  Result<SaDescription> describe(SaHandle sa) const;
  /// All live SAs.
  std::vector<SaHandle> sas() const;
  Totals totals() const noexcept;
  DeviceCounters counters(unsigned device) const noexcept;
  DeviceState device_state(unsigned device) const noexcept;
  const ContextConfig& config() const noexcept;
  /// By falling priority, as completions number them.
  std::span<const std::unique_ptr<driver::Device>> devices() const noexcept;

  /// Memory the best device reads and writes without staging; 64-byte aligned, zeroed; empty if
  /// there is none left.  Give it back with release(), before the context goes.
  std::span<std::uint8_t> allocate(std::size_t bytes) noexcept;
  void release(std::span<std::uint8_t> memory) noexcept;

 private:
  class Core;
  explicit Context(std::unique_ptr<Core> core);
  std::unique_ptr<Core> core_;
};

}  // namespace espalier

// SPDX-License-Identifier: BSD-2-Clause-Patent
// The control side of a context: what happens beside the packets.
#pragma once

#include <queue>

#include "context/queue.hpp"
#include "health/watch.hpp"

namespace espalier {

/// Threads: the control thread.
class Context::Core {
 public:
  Core(const ContextConfig& config, std::vector<std::unique_ptr<driver::Device>> devices);
  ~Core();

  /// Once, before any other call: puts the known-answer tests to all devices.
  void open_devices() noexcept;
  Result<SaHandle> add(const SaConfig& config);
  std::string update(SaHandle handle, const SaUpdate& update);
  bool remove(SaHandle handle) noexcept;
  Time tick(Time now) noexcept;
  bool next_event(Event& event) noexcept;
  int event_fd() const noexcept { return event_fd_; }
  Result<SaStatistics> statistics(SaHandle handle) const;
  Result<SaDescription> describe(SaHandle handle) const;
  std::vector<SaHandle> sas() const;
  Totals totals() const noexcept;
  DeviceCounters counters(unsigned device) const noexcept;
  DeviceState device_state(unsigned device) const noexcept;
  std::span<std::uint8_t> allocate(std::size_t bytes) noexcept;
  void release(std::span<std::uint8_t> memory) noexcept;

  /// Null if there is no queue of this number.
  Queue* queue(QueueId number) const noexcept {
    const auto q = static_cast<std::size_t>(number);
    return q < queues.size() ? queues[q].get() : nullptr;
  }

  Shared shared;
  std::vector<std::unique_ptr<Queue>> queues;

 private:
  /// An SA on its way out.
  struct Removal {
    enum class Stage : std::uint8_t { unseen, drained, wiped };
    std::uint32_t index = 0;
    std::uint32_t generation = 0;
    Stage stage = Stage::unseen;
    Grace grace;  ///< Since the SA was taken out of sight.
  };
  /// A change of an SA on its way: see update.cpp.
  struct Update {
    SaHandle sa = SaHandle::none;
    SaConfig config;
    Grace grace;  ///< Since the SA takes no packets.
    bool drained = false;
  };
  /// When an SA's lifetime by time is over.
  struct Deadline {
    Time at;
    SaHandle sa;
    bool hard;
    bool operator>(const Deadline& other) const { return at > other.at; }
  };

  void fill(Sa& sa, const SaConfig& config, const driver::Suite& suite);
  bool offered(const SaConfig& config, std::uint32_t index, unsigned device) const noexcept;
  void install_everywhere(std::uint32_t index) noexcept;
  bool install(std::uint32_t index, unsigned device) noexcept;
  void finish_installs() noexcept;
  void watch(unsigned device, Time now) noexcept;
  void follow(unsigned device, Time now) noexcept;
  bool grace_over(const Grace& grace) const noexcept;
  void expire(Time now) noexcept;
  void set_deadlines(SaHandle handle, const SaConfig& config);
  bool unused(std::uint32_t index, const Grace& grace) const noexcept;
  bool advance(Removal& removal) noexcept;
  bool advance(Update& update) noexcept;
  void settle_updates() noexcept;
  void apply(Sa& sa, SaHandle handle, const SaConfig& config);
  void reclaim() noexcept;
  void wipe(Sa& sa) noexcept;
  void allow_rechecks(Time now) noexcept;
  void raise(EventKind kind, std::uint32_t index, std::uint8_t device = 0xff,
             std::uint64_t value = 0) noexcept;

  std::vector<std::uint32_t> free_;  // SA indices, the lowest last
  std::vector<std::uint32_t> installing_;
  std::vector<Removal> removals_;
  std::vector<Update> updates_;
  std::priority_queue<Deadline, std::vector<Deadline>, std::greater<>> deadlines_;
  std::vector<std::unique_ptr<Watch>> watches_;  // by device
  std::vector<Grace> graces_;                    // by device: since it was taken out of service
  std::vector<driver::Health> told_;             // by device: the health last raised as an event
  std::uint64_t activity_ = 0;                   // of all queues, at the last tick
  Time audit_refilled_{0};
  Time rechecks_allowed_{0};
  int event_fd_ = -1;
  bool event_signalled_ = false;
};

}  // namespace espalier

// SPDX-License-Identifier: BSD-2-Clause-Patent
// The control side of a boundary: policies, sets, SAs, time.
#pragma once

#include <memory>
#include <string>
#include <vector>

#include "epoch/epoch.hpp"
#include "policy/lane.hpp"

namespace espalier {

/// Threads: the control thread.
class Boundary::Core {
 public:
  Core(const BoundaryConfig& config, Context& context);
  ~Core();

  Result<std::vector<PolicyHandle>> replace(std::span<const PolicyHandle> remove,
                                            std::span<const PolicyConfig> add);
  bool has(PolicyHandle policy) const noexcept;

  Result<FlowProof> prove(Way way, std::span<const std::uint8_t> packet, QueueId queue) const;

  Result<SetHandle> add_set();
  std::string remove_set(SetHandle set);
  Result<SaHandle> add_sa(SetHandle set, const SaConfig& config, const SaRole& role);
  std::string update_sa(SaHandle sa, const SaUpdate& update);
  bool remove_sa(SaHandle sa);
  bool ask(SaHandle sa, Errand::Kind kind) noexcept;
  bool set_path_mtu(SaHandle sa, std::uint32_t octets) noexcept;

  void set_local(std::span<const Address> addresses);

  Time tick(Time now) noexcept;
  bool next_event(BoundaryEvent& event) noexcept;
  int event_fd() const noexcept { return epoll_fd_; }
  std::uint64_t lost_events() const noexcept;
  BoundaryCounters counters() const noexcept;

  /// Null if there is no queue of this number.
  Lane* lane(QueueId number) const noexcept {
    const auto q = static_cast<std::size_t>(number);
    return q < lanes_.size() ? lanes_[q].get() : nullptr;
  }

  Common common;

 private:
  /// Something out of sight, and what is to be done once no lane can be looking at it.
  struct Retired {
    Grace grace;
    std::shared_ptr<const void> thing;
    SaHandle sa = SaHandle::none;  ///< To be removed from the context.
    std::uint32_t set = kNoSet;    ///< Index free again.
  };
  static constexpr std::uint32_t kNoSet = 0xffffffffu;

  void publish(std::vector<SpdView::Entry> entries);
  void publish(SaSet& set);
  void retire(std::shared_ptr<const void> thing, SaHandle sa = SaHandle::none,
              std::uint32_t set = kNoSet);
  void reclaim() noexcept;
  SaSet* set(SetHandle handle) const noexcept;
  std::unique_ptr<SaView> make_view(SaHandle handle, std::uint32_t set, const SaConfig& config,
                                    const driver::Suite& suite, const SaRole& role) const;
  void show(std::unique_ptr<SaView> view);
  std::string check(const SaSet& set, const SaConfig& config, const SaRole& role) const;
  std::string check(const PolicyConfig& policy) const;
  std::vector<SaHandle> sas_for(const PolicyView& policy, Way way, unsigned queue,
                                unsigned dscp) const;
  Time send_what_is_due(Time now) noexcept;
  void forget_path_mtus(Time now) noexcept;

  std::vector<std::unique_ptr<Lane>> lanes_;
  std::vector<SpdView::Entry> policies_;  // by rising priority, older first
  std::uint64_t last_policy_ = 0;
  std::uint32_t spd_version_ = 0;
  std::unique_ptr<const SpdView> spd_;
  std::unique_ptr<const LocalView> local_;
  std::vector<std::unique_ptr<SaView>> sas_;  // by the context's index
  std::vector<std::uint32_t> free_sets_;      // the lowest last
  std::vector<SaHandle> watched_;
  std::vector<Retired> retired_;
  Time refilled_{0};
  int epoll_fd_ = -1, event_fd_ = -1;
  bool event_signalled_ = false;
};

}  // namespace espalier

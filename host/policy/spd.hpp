// SPDX-License-Identifier: BSD-2-Clause-Patent
// The security policy database: ordered policies (RFC 4301 4.4.1), one classifier per way, and a
// cache of flows on each queue.
//
// The control thread builds a new view for every change and publishes it with one store; queues use
// the view they find when a burst begins.  Views are freed after a grace period (epoch/epoch.hpp).
#pragma once

#include <array>
#include <atomic>
#include <memory>
#include <span>
#include <string>
#include <vector>

#include "espalier/policy.hpp"
#include "policy/classifier.hpp"

namespace espalier {

/// Empty if the selector can match something, else one line that says how to mend it.
std::string check(const Selector& selector);

struct SaView;

/// What a queue needs of a policy.
struct PolicyView {
  PolicyHandle handle = PolicyHandle::none;
  Action action = Action::discard;
  std::uint32_t set = 0;  ///< Index of the set of SAs.
};

/// The SPD at one time.
class SpdView {
 public:
  struct Entry {
    PolicyView view;
    PolicyConfig config;
  };
  /// `entries`: by rising priority, older first.  Allocates.
  SpdView(std::span<const Entry> entries, std::uint32_t version);

  /// Null if no policy matches.
  const PolicyView* find(const Flow& flow) const noexcept {
    const auto way = static_cast<unsigned>(flow.way());
    const std::uint32_t i = classifiers_[way].find(flow);
    return i == Classifier::kNone ? nullptr : &policies_[way][i];
  }
  /// Never 0; changes with every view.
  std::uint32_t version() const noexcept { return version_; }

 private:
  static Classifier classify(std::span<const Entry> entries, Way way);

  std::uint32_t version_;
  std::array<std::vector<PolicyView>, 3> policies_;  // by way
  std::array<Classifier, 3> classifiers_;
};

/// What a queue has looked up lately, and the SA it then took.  Two ways per bucket, which give way
/// in turns.
/// Threads: the queue's.
class FlowCache {
 public:
  struct alignas(64) Entry {
    Flow flow;
    const PolicyView* policy = &kNoPolicy;  ///< Lives as long as the SPD of this version.
    SaView* sa = nullptr;  ///< Outbound: of every packet of the flow.  The caller's to keep,
    std::uint32_t sa_version = 0;  ///< with the version of the sets it was found under; 0: none.
    std::uint32_t version = 0;     ///< Of the SPD; 0 is none's.
  };
  static_assert(sizeof(Entry) == 64, "one line a flow");

  /// `entries`: a power of two, at least 2.  Allocates.
  explicit FlowCache(std::uint32_t entries) : mask_(entries / 2 - 1), buckets_(entries / 2) {}

  /// The entry of a flow with this hash(), with its policy; valid until the next call.
  [[gnu::always_inline]] Entry& find(const SpdView& spd, const Flow& flow,
                                     std::uint32_t hash) noexcept {
    Entry& first = buckets_[hash & mask_].ways[0];
    if (first.flow == flow && first.version == spd.version()) [[likely]]
      return first;
    return find_elsewhere(spd, flow, hash);
  }
  /// A flow with this hash will be asked for soon.
  void expect(std::uint32_t hash) const noexcept {
    for (const Entry& e : buckets_[hash & mask_].ways) __builtin_prefetch(&e);
  }
  /// Now very soon: its policy and SA too.
  void expect_sa(std::uint32_t hash) const noexcept {
    const Entry& e = buckets_[hash & mask_].ways[0];
    __builtin_prefetch(e.policy);
    __builtin_prefetch(e.sa);
  }

 private:
  struct alignas(128) Bucket {
    std::array<Entry, 2> ways;
  };
  static constexpr PolicyView kNoPolicy{};

  /// Not in the bucket's first way.
  Entry& find_elsewhere(const SpdView& spd, const Flow& flow, std::uint32_t hash) noexcept;

  std::uint32_t mask_, turn_ = 0;
  std::vector<Bucket> buckets_;
};

}  // namespace espalier

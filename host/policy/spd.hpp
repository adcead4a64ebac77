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

/// What a queue has looked up lately.  Two ways per bucket; the older gives way.
/// Threads: the queue's.
class FlowCache {
 public:
  /// `entries`: a power of two, at least 2.  Allocates.
  explicit FlowCache(std::uint32_t entries) : mask_(entries / 2 - 1), buckets_(entries / 2) {}

  /// As SpdView::find().
  const PolicyView* find(const SpdView& spd, const Flow& flow) noexcept {
    Bucket& bucket = buckets_[flow.hash() & mask_];
    for (Entry& e : bucket.ways)
      if (e.version == spd.version() && e.flow == flow) return e.policy;
    const PolicyView* policy = spd.find(flow);
    Entry& victim = bucket.ways[bucket.turn];
    bucket.turn ^= 1;
    victim.flow = flow;
    victim.version = spd.version();
    victim.policy = policy;
    return policy;
  }

 private:
  struct Entry {
    Flow flow;
    const PolicyView* policy = nullptr;  // of the view of this version, and used with it only
    std::uint32_t version = 0;
  };
  struct alignas(64) Bucket {
    std::array<Entry, 2> ways;
    std::uint32_t turn = 0;
  };

  std::uint32_t mask_;
  std::vector<Bucket> buckets_;
};

}  // namespace espalier

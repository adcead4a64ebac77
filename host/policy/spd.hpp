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

/// What a queue has looked up lately, and the SA it then took.  Two ways per bucket; the older
/// gives way. Threads: the queue's.
class FlowCache {
 public:
  struct Entry {
    Flow flow;
    PolicyView policy;     ///< Handle none: no policy matches.
    SaView* sa = nullptr;  ///< Outbound: of every packet of the flow.  The caller's to keep,
    std::uint32_t sa_version = 0;  ///< with the version of the sets it was found under; 0: none.
    std::uint32_t version = 0;     ///< Of the SPD; 0 is none's.
  };

  /// `entries`: a power of two, at least 2.  Allocates.
  explicit FlowCache(std::uint32_t entries) : mask_(entries / 2 - 1), buckets_(entries / 2) {}

  /// The policy of a flow with this hash(); valid until the next call.
  Entry& find(const SpdView& spd, const Flow& flow, std::uint32_t hash) noexcept {
    Bucket& bucket = buckets_[hash & mask_];
    for (Entry& e : bucket.ways)
      if (e.flow == flow && e.version == spd.version()) return e;
    Entry& victim = bucket.ways[bucket.turn];
    bucket.turn ^= 1;
    const PolicyView* policy = spd.find(flow);
    victim = {flow, policy == nullptr ? PolicyView{} : *policy, nullptr, 0, spd.version()};
    return victim;
  }
  /// A flow with this hash will be asked for soon.
  void expect(std::uint32_t hash) const noexcept {
    const char* bucket = reinterpret_cast<const char*>(&buckets_[hash & mask_]);
    __builtin_prefetch(bucket);
    __builtin_prefetch(bucket + 64);
  }
  /// Now very soon: its SA too.
  void expect_sa(std::uint32_t hash) const noexcept {
    __builtin_prefetch(buckets_[hash & mask_].ways[0].sa);
  }

 private:
  struct alignas(64) Bucket {
    std::array<Entry, 2> ways;
    std::uint32_t turn = 0;
  };

  std::uint32_t mask_;
  std::vector<Bucket> buckets_;
};

}  // namespace espalier

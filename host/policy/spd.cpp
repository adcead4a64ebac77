// SPDX-License-Identifier: BSD-2-Clause-Patent
#include "policy/spd.hpp"

namespace espalier {

Classifier SpdView::classify(std::span<const Entry> entries, Way way) {
  std::vector<const Selector*> selectors;
  for (const Entry& e : entries)
    if (e.config.way == way) selectors.push_back(&e.config.selector);
  return Classifier(selectors);
}

SpdView::SpdView(std::span<const Entry> entries, std::uint32_t version)
    : version_(version),
      classifiers_{classify(entries, Way::out), classify(entries, Way::in),
                   classify(entries, Way::forward)} {
  for (const Entry& e : entries) policies_[static_cast<unsigned>(e.config.way)].push_back(e.view);
}

FlowCache::Entry& FlowCache::find_elsewhere(const SpdView& spd, const Flow& flow,
                                            std::uint32_t hash) noexcept {
  auto& ways = buckets_[hash & mask_].ways;
  if (ways[1].flow == flow && ways[1].version == spd.version()) return ways[1];
  unsigned way = turn_;  // the first that holds nothing, else each in turns
  if (ways[0].version != spd.version())
    way = 0;
  else if (ways[1].version != spd.version())
    way = 1;
  else
    turn_ ^= 1;
  Entry& victim = ways[way];
  const PolicyView* policy = spd.find(flow);
  victim = {flow, policy == nullptr ? &kNoPolicy : policy, nullptr, 0, spd.version()};
  return victim;
}

}  // namespace espalier

// SPDX-License-Identifier: BSD-2-Clause-Patent
#include "policy/classifier.hpp"

#include <limits>

namespace espalier {
namespace {

constexpr WideAddress kLastV6 = {~0ull, ~0ull};

std::uint32_t after(std::uint32_t value) {
  return value + 1;
}
WideAddress after(const WideAddress& value) {
  return {value[0] + (value[1] == ~0ull), value[1] + 1};
}
constexpr bool is_last(std::uint32_t value) {
  return value == std::numeric_limits<std::uint32_t>::max();
}
bool is_last(const WideAddress& value) {
  return value == kLastV6;
}

using Small = Axis<std::uint32_t>::Range;
using Wide = Axis<WideAddress>::Range;

void add_values(const ValueSet& set, std::uint32_t selector, std::vector<Small>& out) {
  if (set.any) {
    out.push_back({0, Flow::kHidden, selector});
    return;
  }
  if (set.opaque) out.push_back({Flow::kHidden, Flow::kHidden, selector});
  for (const ValueRange& r : set.ranges) out.push_back({r.first, r.last, selector});
}

void add_addresses(const std::vector<AddressRange>& list, std::uint32_t selector,
                   std::vector<Small>& v4, std::vector<Wide>& v6) {
  if (list.empty()) {
    v4.push_back({0, std::numeric_limits<std::uint32_t>::max(), selector});
    v6.push_back({{0, 0}, kLastV6, selector});
  }
  for (const AddressRange& r : list) {
    const WideAddress first = wide(r.first), last = wide(r.last);
    if (r.first.family == Family::ipv4)
      v4.push_back(
          {static_cast<std::uint32_t>(first[1]), static_cast<std::uint32_t>(last[1]), selector});
    else
      v6.push_back({first, last, selector});
  }
}

}  // namespace

template <class T>
void Axis<T>::build(const std::vector<Range>& ranges, std::size_t words) {
  words_ = words;
  starts_.assign(1, T{});
  for (const Range& r : ranges) {
    starts_.push_back(r.first);
    if (!is_last(r.last)) starts_.push_back(after(r.last));
  }
  std::sort(starts_.begin(), starts_.end());
  starts_.erase(std::unique(starts_.begin(), starts_.end()), starts_.end());
  bits_.assign(starts_.size() * words, 0);
  for (const Range& r : ranges) {
    const auto from = std::lower_bound(starts_.begin(), starts_.end(), r.first);
    const auto to = std::upper_bound(from, starts_.end(), r.last);
    for (auto i = from; i != to; ++i)
      bits_[static_cast<std::size_t>(i - starts_.begin()) * words + r.selector / 64] |=
          std::uint64_t{1} << (r.selector % 64);
  }
}

Classifier::Classifier(std::span<const Selector* const> selectors)
    : words_(std::max<std::size_t>(1, (selectors.size() + 63) / 64)) {
  std::array<std::vector<Small>, 2> v4;
  std::array<std::vector<Wide>, 2> v6;
  std::vector<Small> protocol, local_port, remote_port, type;
  for (std::uint32_t i = 0; i < selectors.size(); ++i) {
    const Selector& s = *selectors[i];
    add_addresses(s.local, i, v4[0], v6[0]);
    add_addresses(s.remote, i, v4[1], v6[1]);
    if (s.protocols.empty()) protocol.push_back({0, 255, i});
    for (const ValueRange& r : s.protocols) protocol.push_back({r.first, r.last, i});
    add_values(s.local_ports, i, local_port);
    add_values(s.remote_ports, i, remote_port);
    add_values(s.types, i, type);
  }
  for (unsigned side = 0; side < 2; ++side) {
    v4_[side].build(v4[side], words_);
    v6_[side].build(v6[side], words_);
  }
  protocol_.build(protocol, words_);
  local_port_.build(local_port, words_);
  remote_port_.build(remote_port, words_);
  type_.build(type, words_);
}

std::uint32_t Classifier::find(const Flow& flow) const noexcept {
  const bool v4 = flow.family() == Family::ipv4;
  const WideAddress local = flow.local(), remote = flow.remote();
  const std::uint64_t* rows[] = {
      v4 ? v4_[0].find(static_cast<std::uint32_t>(local[1])) : v6_[0].find(local),
      v4 ? v4_[1].find(static_cast<std::uint32_t>(remote[1])) : v6_[1].find(remote),
      protocol_.find(flow.protocol()),
      local_port_.find(flow.local_port()),
      remote_port_.find(flow.remote_port()),
      type_.find(flow.type()),
  };
  for (std::size_t w = 0; w < words_; ++w) {
    const std::uint64_t both =
        rows[0][w] & rows[1][w] & rows[2][w] & rows[3][w] & rows[4][w] & rows[5][w];
    if (both != 0)
      return static_cast<std::uint32_t>(64 * w + static_cast<unsigned>(std::countr_zero(both)));
  }
  return kNone;
}

}  // namespace espalier

// SPDX-License-Identifier: BSD-2-Clause-Patent
#include "espalier/selector.hpp"

#include "policy/flow.hpp"
#include "policy/spd.hpp"

namespace espalier {
namespace {

constexpr std::size_t kMaxRanges = 256;

std::string check(const char* name, const std::vector<AddressRange>& ranges) {
  if (ranges.size() > kMaxRanges)
    return std::string(name) + " has more than 256 address ranges; split the policy";
  for (const AddressRange& r : ranges) {
    if (r.first.family != r.last.family)
      return std::string(name) + " mixes IPv4 and IPv6 in one range";
    if (wide(r.last) < wide(r.first))
      return std::string(name) + " has a range whose end " + r.last.text() +
             " is before its beginning " + r.first.text();
  }
  return {};
}

std::string check(const char* name, const ValueSet& set) {
  if (set.any) return {};
  if (set.ranges.empty() && !set.opaque)
    return std::string(name) + " matches nothing; give a range, or opaque, or any";
  if (set.ranges.size() > kMaxRanges)
    return std::string(name) + " has more than 256 ranges; split the policy";
  for (const ValueRange& r : set.ranges)
    if (r.last < r.first)
      return std::string(name) + " has a range whose end " + std::to_string(r.last) +
             " is before its beginning " + std::to_string(r.first);
  return {};
}

}  // namespace

AddressRange AddressRange::of(const Prefix& prefix) {
  AddressRange out{prefix.address, prefix.address};
  for (unsigned i = 0; i < prefix.address.size(); ++i) {
    const unsigned kept = prefix.bits >= 8 * (i + 1) ? 8
                          : prefix.bits > 8 * i      ? prefix.bits - 8 * i
                                                     : 0;
    const auto host = static_cast<std::uint8_t>(0xffu >> kept);
    out.first.octets[i] = static_cast<std::uint8_t>(out.first.octets[i] & ~host);
    out.last.octets[i] = static_cast<std::uint8_t>(out.last.octets[i] | host);
  }
  return out;
}

std::optional<AddressRange> AddressRange::parse(const std::string& text) {
  const std::size_t dash = text.find('-');
  if (dash == std::string::npos) {
    const std::optional<Prefix> prefix = Prefix::parse(text);
    return prefix ? std::optional(of(*prefix)) : std::nullopt;
  }
  const auto first = Address::parse(text.substr(0, dash)),
             last = Address::parse(text.substr(dash + 1));
  if (!first || !last || first->family != last->family || wide(*last) < wide(*first))
    return std::nullopt;
  return AddressRange{*first, *last};
}

std::string check(const Selector& s) {
  if (std::string why = check("local", s.local); !why.empty()) return why;
  if (std::string why = check("remote", s.remote); !why.empty()) return why;
  if (s.protocols.size() > kMaxRanges) return "protocols have more than 256 ranges";
  for (const ValueRange& r : s.protocols)
    if (r.last > 255 || r.last < r.first)
      return "protocols " + std::to_string(r.first) + " to " + std::to_string(r.last) +
             " are not a range within 0 to 255";
  if (std::string why = check("local_ports", s.local_ports); !why.empty()) return why;
  if (std::string why = check("remote_ports", s.remote_ports); !why.empty()) return why;
  return check("types", s.types);
}

}  // namespace espalier

// SPDX-License-Identifier: BSD-2-Clause-Patent
// What may change in transit does not enter the ICV (RFC 4302 3.3.3.1 and appendix A).
#include <algorithm>
#include <cstring>

#include "ah.hpp"

namespace espalier::driver::software {
namespace {

constexpr unsigned kHeader4 = 20, kHeader6 = 40, kAddress6 = 16;
constexpr unsigned kDestination4 = 16, kDestination6 = 24;

enum Option4 : std::uint8_t {  // the whole octet: copied flag, class, number
  kEndOfOptions = 0,
  kNoOperation = 1,
  kSecurity = 130,
  kLooseSourceRoute = 131,
  kExtendedSecurity = 133,
  kCommercialSecurity = 134,
  kStrictSourceRoute = 137,
  kRouterAlert = 148,
  kDirectedBroadcast = 149,
};

/// Options the RFC calls immutable (appendix A1).  All others are zeroed, those it does not list
/// too, as Linux does.
bool immutable4(std::uint8_t kind) noexcept {
  return kind == kSecurity || kind == kExtendedSecurity || kind == kCommercialSecurity ||
         kind == kRouterAlert || kind == kDirectedBroadcast;
}

bool mask_option4(std::uint8_t* header, std::span<std::uint8_t> option) noexcept {
  const std::uint8_t kind = option[0];
  if (immutable4(kind)) return true;
  if (kind == kLooseSourceRoute || kind == kStrictSourceRoute) {
    // The destination counts as the route's last address, where the packet will arrive.
    if (option.size() < 3) return false;
    const unsigned pointer = option[2];
    if (option.size() >= 7 && pointer <= option.size())
      std::memcpy(header + kDestination4, &option[option.size() - 4], 4);
  }
  std::fill(option.begin(), option.end(), std::uint8_t{0});
  return true;
}

bool mask4(std::span<std::uint8_t> header) noexcept {
  std::uint8_t* h = header.data();
  h[1] = 0;                   // DSCP and ECN
  std::memset(h + 6, 0, 3);   // flags, fragment offset, TTL
  std::memset(h + 10, 0, 2);  // checksum
  for (std::size_t at = kHeader4; at < header.size();) {
    if (h[at] == kEndOfOptions) break;
    if (h[at] == kNoOperation) {
      ++at;
      continue;
    }
    if (header.size() - at < 2 || h[at + 1] < 2 || h[at + 1] > header.size() - at) return false;
    const std::size_t length = h[at + 1];
    if (!mask_option4(h, header.subspan(at, length))) return false;
    at += length;
  }
  return true;
}

/// Hop-by-hop and destination options: the data of those that may change (bit 0x20 of the type).
bool mask_options6(std::span<std::uint8_t> extension) noexcept {
  constexpr std::uint8_t kPad1 = 0, kMayChange = 0x20;
  for (std::size_t at = 2; at < extension.size();) {
    if (extension[at] == kPad1) {
      ++at;
      continue;
    }
    if (extension.size() - at < 2) return false;
    const std::size_t length = extension[at + 1];
    if (length > extension.size() - at - 2) return false;
    if (extension[at] & kMayChange) std::memset(&extension[at + 2], 0, length);
    at += 2 + length;
  }
  return true;
}

/// A routing header of addresses (types 0 and 2) as it arrives: no segments left, the final address
/// as destination and those before it shifted (RFC 4302 3.3.3.1.2.2).
bool predict_route(std::uint8_t* header, std::span<std::uint8_t> extension) noexcept {
  const std::uint8_t type = extension[2];
  const std::size_t left = extension[3];
  if ((type != 0 && type != 2) || left == 0) return true;
  const std::size_t addresses = (extension.size() - 8) / kAddress6;
  if ((extension.size() - 8) % kAddress6 != 0 || left > addresses) return false;
  std::uint8_t* rest = &extension[8 + (addresses - left) * kAddress6];
  std::uint8_t arrives[kAddress6];
  std::memcpy(arrives, rest + (left - 1) * kAddress6, kAddress6);
  std::memmove(rest + kAddress6, rest, (left - 1) * kAddress6);
  std::memcpy(rest, header + kDestination6, kAddress6);
  std::memcpy(header + kDestination6, arrives, kAddress6);
  extension[3] = 0;
  return true;
}

bool mask6(std::span<std::uint8_t> header) noexcept {
  std::uint8_t* h = header.data();
  h[0] = 0x60;  // class and flow label
  std::memset(h + 1, 0, 3);
  h[7] = 0;  // hop limit
  std::uint8_t kind = h[6];
  for (std::size_t at = kHeader6; at < header.size();) {
    const std::size_t length = kind == kFragment ? 8 : 8 * (h[at + 1] + std::size_t{1});
    const auto extension = header.subspan(at, length);
    if ((kind == kHopByHop || kind == kDestinationOptions) && !mask_options6(extension))
      return false;
    if (kind == kRouting && !predict_route(h, extension)) return false;
    kind = h[at];
    at += length;
  }
  return true;
}

}  // namespace

bool mask_mutable_fields(std::span<std::uint8_t> header, Family family) noexcept {
  return family == Family::ipv4 ? mask4(header) : mask6(header);
}

}  // namespace espalier::driver::software

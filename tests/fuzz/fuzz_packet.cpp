// SPDX-License-Identifier: BSD-2-Clause-Patent
// The packet parsers: whatever comes, they end, stay inside, and never say more than there is.
#include <cstdlib>
#include <vector>

#include "packet/checksum.hpp"
#include "packet/ip.hpp"

using namespace espalier;

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
  // A copy of exactly this length: an octet more is an error that the sanitizer sees.
  const std::vector<std::uint8_t> packet(data, data + size);
  IpHeader ip;
  if (parse_ip(packet, static_cast<std::uint32_t>(size), ip) != spec::Drop::none) return 0;
  if (ip.length > size || ip.header_length > ip.length) std::abort();
  if (ip.family == Family::ipv4 && ip.header_length < 20) std::abort();
  if (ip.family == Family::ipv6 && ip.header_length < 40) std::abort();
  return 0;
}

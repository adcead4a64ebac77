// SPDX-License-Identifier: BSD-2-Clause-Patent
#include "freeze/open.hpp"

namespace espalier::freeze {

Drop open_other(const Sa& sa, const Job& in, std::uint32_t total, Pending& out) noexcept {
  if (total == 0) return Drop::bad_argument;
  HeadCopy copy;
  const std::span head = head_of(out.job.source, total, copy);
  IpHeader ip;
  const Drop drop = parse_ip(head, total, ip);
  return drop != Drop::none ? drop : open_parsed(sa, in, ip, head.data(), head.size(), total, out);
}

}  // namespace espalier::freeze

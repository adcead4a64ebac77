// SPDX-License-Identifier: BSD-2-Clause-Patent
#include "freeze/seal.hpp"

namespace espalier::freeze {

Drop seal_dummy(const Sa& sa, const Job& in, Pending& out) noexcept {
  const SaPlan& plan = sa.plan;
  if (!plan.tunnel || plan.ah || plan.iv == IvKind::caller || !take_destinations(in, out))
    return Drop::bad_argument;
  driver::Job& job = out.job;
  job.direction = driver::Direction::seal;
  job.parsed = true;
  job.header_length = 0;
  IpHeader none;
  none.family = sa.outer;
  resolve_outer(sa, none, job);
  job.tfc_length = in.tfc_length;
  return size_seal(plan, in.tfc_length, out);
}

Drop seal_other(const Sa& sa, const Job& in, std::uint32_t total, Pending& out) noexcept {
  if (total == 0) return Drop::bad_argument;
  HeadCopy copy;
  IpHeader ip;
  const Drop drop = parse_ip(head_of(out.job.source, total, copy), total, ip);
  return drop != Drop::none ? drop : seal_parsed(sa, in, ip, total, out);
}

}  // namespace espalier::freeze

// SPDX-License-Identifier: BSD-2-Clause-Patent
// What the boundary would do with a packet, by the tables the queues use.
#include <algorithm>

#include "policy/core.hpp"

namespace espalier {
namespace {

bool encrypts(const driver::Suite& suite) {
  return suite.cipher != spec::Cipher::null && suite.cipher != spec::Cipher::aes_gmac;
}

}  // namespace

/// Of a protecting policy's set: the one SA that seals, or all that open.
std::vector<SaHandle> Boundary::Core::sas_for(const PolicyView& policy, Way way, unsigned queue,
                                              unsigned dscp) const {
  const SaSet& set = common.sets[policy.set];
  std::vector<SaHandle> out;
  if (way == Way::out) {
    const SaView* sa = set.owned == nullptr ? nullptr : set.owned->pick(queue, dscp);
    if (sa != nullptr) out.push_back(sa->handle);
    return out;
  }
  for (const SaView* sa : set.members)
    if (!sa->outbound) out.push_back(sa->handle);
  return out;
}

Result<FlowProof> Boundary::Core::prove(Way way, std::span<const std::uint8_t> packet,
                                        QueueId queue) const {
  if (lane(queue) == nullptr) return Error{"the context has no such queue"};
  IpHeader ip;
  if (parse_ip(packet, 0xffff, ip) != Drop::none)
    return Error{"that is no IPv4 or IPv6 packet; give its header, and the ports behind it"};
  if (packet.size() < std::min<std::size_t>(ip.length, ip.header_length + 4u))
    return Error{"the packet's ports or type are cut off; give four octets behind its header"};
  FlowProof out;
  const PolicyView* policy = spd_->find(flow_of(way, packet.data(), ip));
  if (policy == nullptr) return out;
  out.policy = policy->handle;
  out.action = policy->action;
  if (policy->action != Action::protect) return out;
  out.set = make_set_handle(policy->set, common.sets[policy->set].last_generation);
  out.encrypted = true;
  for (const SaHandle handle : sas_for(*policy, way, static_cast<unsigned>(queue), ip.tos >> 2)) {
    const SaView& sa = *common.sa(handle);
    const std::uint32_t path_mtu = sa.path_mtu.load(std::memory_order_relaxed);
    out.through.push_back({handle, *common.context.describe(handle),
                           *common.context.statistics(handle),
                           path_mtu == SaView::kMaxOctets ? 0 : path_mtu});
    out.encrypted = out.encrypted && encrypts(sa.more->suite);
  }
  out.encrypted = out.encrypted && !out.through.empty();
  return out;
}

}  // namespace espalier

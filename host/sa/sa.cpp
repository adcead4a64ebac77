// SPDX-License-Identifier: BSD-2-Clause-Patent
#include "sa/sa.hpp"

#include <algorithm>
#include <string>

namespace espalier {
namespace {

constexpr unsigned kEspHeader = 8;
constexpr unsigned kEspTrailer = 2;  // Pad Length and Next Header
constexpr unsigned kMaxSenderBits = 16;

bool is_counter_mode(const driver::SaParameters& sa) {
  return sa.cipher != spec::Cipher::null && sa.cipher != spec::Cipher::aes_cbc;
}

/// A cipher of 128-bit blocks is anywhere in it.
bool uses_aes(const driver::SaParameters& sa) {
  return (sa.cipher != spec::Cipher::null && sa.cipher != spec::Cipher::chacha20_poly1305) ||
         sa.integrity == spec::Integrity::aes_xcbc || sa.integrity == spec::Integrity::aes_cmac ||
         sa.integrity == spec::Integrity::aes_gmac;
}

IvKind iv_kind(const SaConfig& config, const SaPlan& plan) {
  if (config.transform.implicit_iv) return IvKind::none;
  if (plan.iv_length == 0) return IvKind::none;
  if (config.iv_source == IvSource::caller) return IvKind::caller;
  return config.transform.cipher == spec::Cipher::aes_cbc ? IvKind::cbc : IvKind::counter;
}

}  // namespace

SaPlan plan_of(const SaConfig& config, const driver::Suite& suite) {
  const driver::SaParameters& sa = config.transform;
  SaPlan plan;
  plan.seal = sa.direction == driver::Direction::seal;
  plan.ah = sa.protocol == driver::Protocol::ah;
  plan.tunnel = sa.mode == driver::Mode::tunnel;
  plan.esn = sa.esn;
  plan.udp = sa.udp_encapsulation;
  plan.ah_gmac = plan.ah && sa.integrity == spec::Integrity::aes_gmac;
  plan.iv_length = plan.ah_gmac ? 8 : suite.iv_length;
  plan.alignment = std::max<std::uint8_t>(4, suite.block_length);
  plan.iv = iv_kind(config, plan);
  plan.head = plan.tunnel ? sa.header_length : plan.udp ? kUdpHeader : 0;
  if (plan.ah) {
    plan.spi_offset = 4;
    plan.sequence_offset = 8;
    plan.fixed = static_cast<std::uint16_t>(plan.head + driver::ah_length(sa));
    plan.front = plan.fixed;
    plan.least = 12;
  } else {
    plan.front = static_cast<std::uint16_t>(plan.head + kEspHeader + suite.iv_length);
    plan.fixed = static_cast<std::uint16_t>(plan.head + kEspHeader + suite.iv_length + kEspTrailer +
                                            suite.icv_length);
    plan.least =
        static_cast<std::uint16_t>(kEspHeader + suite.iv_length + kEspTrailer + suite.icv_length);
  }
  return plan;
}

OuterPlan outer_plan_of(const SaConfig& config) {
  constexpr std::uint8_t kDscp = 0xfc, kEcn = 0x03;
  constexpr std::uint32_t kFlowLabel = 0xfffff, kIdentification = 0xffff;
  OuterPlan plan;
  plan.map_dscp = !config.dscp && config.dscp_map;
  const bool copy_dscp = !config.dscp && !config.dscp_map;
  plan.tos_keep = static_cast<std::uint8_t>((copy_dscp ? kDscp : 0) | (config.ecn ? kEcn : 0));
  plan.tos_set = static_cast<std::uint8_t>(config.dscp.value_or(0) << 2);
  plan.df_keep = config.dont_fragment == DontFragment::copy;
  plan.df_set = config.dont_fragment == DontFragment::set;
  plan.ttl = config.ttl;
  if (config.transform.outer == Family::ipv6) {
    plan.flow_keep = config.flow_label ? 0 : kFlowLabel;
    plan.flow_set = config.flow_label.value_or(0);
  } else if (config.transform.mode == driver::Mode::tunnel) {
    plan.number_keep = kIdentification;
  }
  return plan;
}

std::string check(const SaConfig& config) {
  const driver::SaParameters& sa = config.transform;
  if (std::string why = driver::check(sa); !why.empty()) return why;
  const bool inbound = sa.direction == driver::Direction::open;
  if (inbound && config.replay_window != 0 &&
      (config.replay_window < kMinReplayWindow || config.replay_window > kMaxReplayWindow))
    return "replay window " + std::to_string(config.replay_window) +
           " is not between 32 and 65536; 0 turns anti-replay off";
  if (inbound && config.replay_window == 0 && sa.esn)
    return "ESN needs anti-replay: its high half is inferred from the window; set a window of 32 "
           "or more";
  if (config.sender_bits > kMaxSenderBits || config.sender_id >> config.sender_bits != 0)
    return "sender id " + std::to_string(config.sender_id) + " does not fit " +
           std::to_string(config.sender_bits) + " sender bits (0 to 16)";
  if (config.sender_bits != 0 && (sa.implicit_iv || !is_counter_mode(sa)))
    return "several senders (sender bits) need a counter mode with an explicit IV (RFC 6054, "
           "RFC 8750)";
  if (config.dscp && *config.dscp > 63)
    return "DSCP " + std::to_string(*config.dscp) + " is not between 0 and 63";
  if (config.dscp_map && std::any_of(config.dscp_map->begin(), config.dscp_map->end(),
                                     [](std::uint8_t dscp) { return dscp > 63; }))
    return "a DSCP map has a value that is not between 0 and 63";
  if (config.flow_label && *config.flow_label > 0xfffff)
    return "flow label " + std::to_string(*config.flow_label) + " has more than 20 bits";
  if (config.ttl == 0 && sa.mode == driver::Mode::tunnel)
    return "TTL 0 would never leave this host; use 1 to 255";
  if (!inbound && config.last_number > number_limit(config))
    return "last number " + std::to_string(config.last_number) + " is past the limit " +
           std::to_string(number_limit(config)) + "; rekey the SA";
  return {};
}

std::uint64_t number_limit(const SaConfig& config) {
  std::uint64_t limit = config.transform.esn ? kNoLimit : 0xffffffffu;
  if (config.sender_bits != 0) limit = std::min(limit, kNoLimit >> config.sender_bits);
  if (config.number_limit != kNoLimit) return std::min(limit, config.number_limit);
  const bool own = config.hard.bytes != kNoLimit || config.hard.packets != kNoLimit;
  return own || !uses_aes(config.transform) ? limit : std::min(limit, kKeyUseLimit);
}

Overhead overhead_of(const SaPlan& plan) {
  const std::uint32_t alignment = plan.ah ? 1 : plan.alignment;
  Overhead out;
  out.head = plan.head;
  out.total = plan.fixed + alignment - 1;
  out.in_place = plan.front;
  out.fixed = plan.fixed;
  out.alignment = alignment;
  return out;
}

}  // namespace espalier

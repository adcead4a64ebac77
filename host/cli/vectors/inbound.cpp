// SPDX-License-Identifier: BSD-2-Clause-Patent
#include "cli/vectors/inbound.hpp"

#include <fmt/core.h>

#include <algorithm>
#include <map>
#include <set>

#include "cli/vectors/receiver.hpp"
#include "packet/checksum.hpp"
#include "packet/ip.hpp"

namespace espalier::cli {
namespace {

/// The drops that may answer to a vector's reason.  An attacker's length can show as a length or as
/// an ICV mismatch, whichever check meets it first; the other reasons leave no choice.
const std::map<std::string, std::set<Drop>> kReasons = {
    {"icv", {Drop::icv_mismatch, Drop::bad_length}},
    {"length", {Drop::bad_length, Drop::malformed_ip, Drop::icv_mismatch}},
    {"padding", {Drop::bad_padding}},
    {"inner", {Drop::bad_inner, Drop::bad_next_header}},
    {"selector", {Drop::selector_mismatch, Drop::bad_next_header}},
    {"no-sa", {Drop::no_sa}},
    {"replay", {Drop::replayed}},
    {"fragment", {Drop::fragment}},
    {"dummy", {Drop::dummy}},
};

Verdict judge(const Receiver::Arrival& got, const std::string& expect, const std::string& reason,
              const Octets& inner) {
  const char* drop = spec::info(got.drop).name;
  if (expect == "should-reject" && got.drop == Drop::none) return Verdict::pass();
  if (expect == "accept") {
    if (got.drop != Drop::none) return Verdict::fail(fmt::format("dropped: {}", drop));
    return got.packet == inner ? Verdict::pass() : Verdict::fail("delivered other octets");
  }
  if (got.drop == Drop::none) return Verdict::fail(fmt::format("accepted; {} expected", reason));
  const auto allowed = kReasons.find(reason);
  if (allowed != kReasons.end() && !allowed->second.count(got.drop))
    return Verdict::fail(fmt::format("dropped as {}; {} expected", drop, reason));
  return Verdict::pass();
}

}  // namespace

Verdict check_tampered(Context& context, const nlohmann::json& vector) {
  const Octets packet = octets(vector.at("packet"));
  Receiver receiver(context, vector.at("sa"), packet);
  if (!receiver.skip().empty()) return Verdict::skip(receiver.skip());
  const Octets inner =
      vector.contains("inner_packet") ? octets(vector.at("inner_packet")) : Octets{};
  const std::string reason = vector.at("reason");
  if (reason == "replay" && vector.at("sequence") != 0) receiver.receive(packet);
  return judge(receiver.receive(packet), vector.at("expect"), reason, inner);
}

Verdict check_replay_script(Context& context, const nlohmann::json& vector) {
  const nlohmann::json& steps = vector.at("steps");
  Receiver receiver(context, vector.at("sa"), octets(steps.at(0).at("packet")),
                    vector.at("initial_highest"));
  if (!receiver.skip().empty()) return Verdict::skip(receiver.skip());
  unsigned n = 0;
  for (const nlohmann::json& step : steps) {
    const Receiver::Arrival got = receiver.receive(octets(step.at("packet")));
    const bool accepted = got.drop == Drop::none;
    if (accepted != (step.at("expect") == "accept"))
      return Verdict::fail(fmt::format("step {}: {}; {} expected", n, spec::info(got.drop).name,
                                       step.at("expect").get<std::string>()));
    if (receiver.highest() != step.at("highest_after").get<std::uint64_t>())
      return Verdict::fail(fmt::format("step {}: highest number {}; {} expected", n,
                                       receiver.highest(), step.at("highest_after").dump()));
    ++n;
  }
  return Verdict::pass();
}

Verdict check_ecn(Context& context, const nlohmann::json& vector) {
  const Octets packet = octets(vector.at("packet"));
  Receiver receiver(context, vector.at("sa"), packet);
  if (!receiver.skip().empty()) return Verdict::skip(receiver.skip());
  const Receiver::Arrival got = receiver.receive(packet);
  if (vector.at("expect_ecn") == "drop")
    return got.drop == Drop::congested ? Verdict::pass()
                                       : Verdict::fail("a CE mark on Not-ECT was not dropped");
  return judge(got, "accept", "", octets(vector.at("inner_packet")));
}

Verdict check_nat_checksum(Context& context, const nlohmann::json& vector) {
  const Octets packet = octets(vector.at("packet"));
  const nlohmann::json& sa = vector.at("sa");
  Receiver receiver(context, sa, packet);
  if (!receiver.skip().empty()) return Verdict::skip(receiver.skip());
  Receiver::Arrival got = receiver.receive(packet);
  if (got.drop != Drop::none)
    return Verdict::fail(fmt::format("dropped: {}", spec::info(got.drop).name));
  const auto source = Address::parse(sa.at("original_source"));
  const auto destination = Address::parse(sa.at("original_destination"));
  if (!source || !destination) return Verdict::fail("the vector's addresses are malformed");
  fix_nat_checksum(got.packet, *source, *destination);
  return judge(got, "accept", "", octets(vector.at("delivered_packet")));
}

Verdict check_udp_4500(const nlohmann::json& vector) {
  const Octets packet = octets(vector.at("packet"));
  IpHeader ip;
  Datagram got = Datagram::malformed;
  if (parse_ip(packet, static_cast<std::uint32_t>(packet.size()), ip) == Drop::none &&
      ip.protocol == kProtocolUdp)
    got = classify_udp_4500({packet.data() + ip.header_length, ip.length - ip.header_length},
                            ip.length - ip.header_length);
  static constexpr const char* kNames[] = {"esp", "ike", "keepalive", "drop"};
  const std::string name = kNames[static_cast<unsigned>(got)];
  const std::string want = vector.at("expect");
  return name == want ? Verdict::pass() : Verdict::fail(name + "; " + want + " expected");
}

}  // namespace espalier::cli

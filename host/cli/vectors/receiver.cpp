// SPDX-License-Identifier: BSD-2-Clause-Patent
#include "cli/vectors/receiver.hpp"

#include <chrono>

#include "cli/command.hpp"
#include "packet/octets.hpp"

namespace espalier::cli {
namespace {

constexpr QueueId kQueue{0};
constexpr auto kPatience = std::chrono::seconds(60);

Time now() {
  return std::chrono::steady_clock::now().time_since_epoch();
}

/// Addresses of the SA: its own if the vector has them, else the packet's.
driver::Endpoints ends_of(const nlohmann::json& sa, const Outer& outer) {
  driver::Endpoints ends = outer.ends;
  if (sa.contains("outer_src")) {
    const auto from = Address::parse(sa.at("outer_src")), to = Address::parse(sa.at("outer_dst"));
    if (!from || !to) throw Failure("a vector's outer_src or outer_dst is no address");
    ends.family = from->family;
    ends.source = from->octets;
    ends.destination = to->octets;
  }
  return ends;
}

}  // namespace

Receiver::Receiver(Context& context, const nlohmann::json& sa, const Octets& packet,
                   std::uint64_t highest)
    : context_(context) {
  SaConfig config;
  skip_ = read_sa(sa, config.transform);
  if (!skip_.empty()) return;
  config.transform.direction = driver::Direction::open;
  nat_t_ = config.transform.udp_encapsulation;
  Outer outer;
  read_outer(packet, nat_t_, outer);
  config.ends = ends_of(sa, outer);
  config.transform.outer = config.ends.family;
  config.replay_window = sa.value("anti_replay_window", 64u);
  config.last_number = highest;
  if (sa.contains("selector_src")) {
    source_ = Prefix::parse(sa.at("selector_src"));
    destination_ = Prefix::parse(sa.at("selector_dst"));
  }
  driver::set_header_template(config.ends, config.transform);
  if (std::string why = driver::check(config.transform); !why.empty()) {
    skip_ = "refused: " + why;
    return;
  }
  const driver::Device& device = *context_.devices()[0];
  if (!device.supports(config.transform)) {
    skip_ = not_offered(device, config.transform);
    return;
  }
  auto added = context_.add(config);
  if (!added) throw Failure(added.error());
  sa_ = *added;
}

Receiver::~Receiver() {
  if (!context_.remove(sa_)) return;
  const Time begun = now();
  for (bool drained = false; !drained && now() - begun < kPatience;) {
    Completion none;
    context_.poll(kQueue, {&none, 1});
    context_.tick(now());
    for (Event event; context_.next_event(event);)
      drained = drained || (event.kind == EventKind::sa_drained && event.sa == sa_);
  }
}

Receiver::Arrival Receiver::receive(Octets packet) {
  Outer outer;
  if (parse_ip(packet, static_cast<std::uint32_t>(packet.size()), outer.ip) != Drop::none)
    return {Drop::malformed_ip, {}};
  if (outer.ip.fragment) return {Drop::fragment, {}};
  if (!read_outer(packet, nat_t_, outer)) return {Drop::bad_length, {}};
  const bool ah = outer.ip.protocol == kProtocolAh;
  const std::uint32_t spi = load_be32(packet.data() + outer.esp_offset + (ah ? 4 : 0));
  const SaHandle sa = context_.find(kQueue, spi, ah ? kProtocolAh : kProtocolEsp, outer.ip.family,
                                    outer.ip.destination, outer.ip.source);
  if (sa == SaHandle::none) return {Drop::no_sa, {}};
  Octets result(packet.size() + 64);
  const Completion done = run(sa, packet, result);
  if (done.drop != Drop::none) return {done.drop, {}};
  result.resize(done.length);
  if (!selected(result)) return {Drop::selector_mismatch, {}};
  return {Drop::none, std::move(result)};
}

Completion Receiver::run(SaHandle sa, Octets& packet, Octets& result) {
  const Segment in{packet.data(), static_cast<std::uint32_t>(packet.size())};
  const Segment out{result.data(), static_cast<std::uint32_t>(result.size())};
  Job job;
  job.sa = sa;
  job.source = {&in, 1};
  job.destination = {&out, 1};
  const Time begun = now();
  bool taken = false;
  for (;;) {
    if (!taken) taken = context_.submit(kQueue, {&job, 1}) == 1;
    Completion done;
    if (context_.poll(kQueue, {&done, 1}) == 1) return done;
    context_.tick(now());
    if (now() - begun > kPatience)
      throw Failure("the device gave no answer within 60 s; see 'espalier devices'");
  }
}

bool Receiver::selected(const Octets& inner) const {
  if (!source_ || !destination_) return true;
  IpHeader ip;
  if (parse_ip(inner, static_cast<std::uint32_t>(inner.size()), ip) != Drop::none) return false;
  return source_->contains(Address::from(ip.family, ip.source)) &&
         destination_->contains(Address::from(ip.family, ip.destination));
}

std::uint64_t Receiver::highest() const {
  return context_.statistics(sa_)->number;
}

}  // namespace espalier::cli

// SPDX-License-Identifier: BSD-2-Clause-Patent
// SAs: from options to SaConfig, and what is asked of them.
#include <limits>
#include <new>
#include <string>

#include "capi/handle.hpp"
#include "espalier/driver/suite.hpp"

namespace capi = espalier::capi;
namespace driver = espalier::driver;

namespace {

/// Through df.
constexpr std::size_t kOldestOptions = offsetof(espalier_sa_options, set_flow_label);

espalier::Lifetime translate(const espalier_lifetime& from) {
  constexpr auto kLongest = static_cast<std::uint64_t>(std::numeric_limits<std::int64_t>::max());
  espalier::Lifetime out;
  if (from.bytes != 0) out.bytes = from.bytes;
  if (from.packets != 0) out.packets = from.packets;
  if (from.time_ns != 0 && from.time_ns < kLongest)
    out.time = espalier::Time(static_cast<std::int64_t>(from.time_ns));
  return out;
}

driver::Endpoints endpoints(bool ipv6, const std::uint8_t* source, const std::uint8_t* destination,
                            std::uint16_t source_port, std::uint16_t destination_port) {
  driver::Endpoints out;
  out.family = ipv6 ? driver::Family::ipv6 : driver::Family::ipv4;
  std::copy_n(source, ipv6 ? 16 : 4, out.source.begin());
  std::copy_n(destination, ipv6 ? 16 : 4, out.destination.begin());
  if (source_port != 0) out.source_port = source_port;
  if (destination_port != 0) out.destination_port = destination_port;
  return out;
}

/// Empty if done, else what is wrong.
std::string translate_transform(const espalier_sa_options& from, driver::SaParameters& sa) {
  if (from.suite == nullptr) return "no suite; name one, e.g. aes256gcm16";
  if (from.direction > ESPALIER_INBOUND) return "direction is one of espalier_direction";
  if (from.mode > ESPALIER_TRANSPORT) return "mode is one of espalier_mode";
  if ((from.key == nullptr && from.key_length != 0) ||
      (from.integrity_key == nullptr && from.integrity_key_length != 0))
    return "a key has a length, but no octets";
  std::string why;
  const auto protocol = from.ah != 0 ? driver::Protocol::ah : driver::Protocol::esp;
  const auto suite = driver::parse_suite(from.suite, protocol, why);
  if (!suite) return why;
  driver::apply(*suite, sa);
  sa.direction =
      from.direction == ESPALIER_INBOUND ? driver::Direction::open : driver::Direction::seal;
  sa.mode = from.mode == ESPALIER_TRANSPORT ? driver::Mode::transport : driver::Mode::tunnel;
  sa.spi = from.spi;
  sa.esn = from.esn != 0;
  sa.udp_encapsulation = from.udp_encapsulation != 0;
  sa.outer = from.ipv6 != 0 ? driver::Family::ipv6 : driver::Family::ipv4;
  return driver::set_keys(*suite, {from.key, from.key_length},
                          {from.integrity_key, from.integrity_key_length}, sa);
}

std::string translate_outer(const espalier_sa_options& from, espalier::SaConfig& out) {
  if (from.set_dscp != 0) {
    if (from.dscp > 63) return "DSCP goes from 0 to 63";
    out.dscp = static_cast<std::uint8_t>(from.dscp);
  }
  if (from.dscp_map != nullptr) std::copy_n(from.dscp_map, 64, out.dscp_map.emplace().begin());
  out.ecn = from.no_ecn == 0;
  if (from.ttl > 255) return "TTL goes from 1 to 255";
  if (from.ttl != 0) out.ttl = static_cast<std::uint8_t>(from.ttl);
  if (from.df > ESPALIER_DF_CLEAR) return "df is one of espalier_df";
  out.dont_fragment = static_cast<espalier::DontFragment>(from.df);
  if (from.set_flow_label != 0) out.flow_label = from.flow_label;
  return {};
}

std::string translate(const espalier_sa_options& from, espalier::SaConfig& out) {
  if (from.reserved != 0 || from.reserved2 != 0) return "reserved members must be zero";
  if (std::string why = translate_transform(from, out.transform); !why.empty()) return why;
  out.ends = endpoints(from.ipv6 != 0, from.source, from.destination, from.source_port,
                       from.destination_port);
  if (from.replay_window != 0) out.replay_window = from.replay_window;
  if (from.no_anti_replay != 0) out.replay_window = 0;
  out.last_number = from.last_number;
  if (from.number_limit != 0) out.number_limit = from.number_limit;
  out.iv_source = from.caller_iv != 0 ? espalier::IvSource::caller : espalier::IvSource::automatic;
  if (from.sender_bits > 16 || from.sender_id > 0xffff) return "sender bits go to 16";
  out.sender_bits = static_cast<std::uint8_t>(from.sender_bits);
  out.sender_id = static_cast<std::uint16_t>(from.sender_id);
  out.soft = translate(from.soft);
  out.hard = translate(from.hard);
  return translate_outer(from, out);
}

espalier::SaUpdate translate(const espalier_sa_change& from) {
  espalier::SaUpdate out;
  if (from.set_endpoints != 0)
    out.ends = endpoints(from.ipv6 != 0, from.source, from.destination, from.source_port,
                         from.destination_port);
  if (from.set_udp_encapsulation != 0) out.udp_encapsulation = from.udp_encapsulation != 0;
  if (from.set_soft != 0) out.soft = translate(from.soft);
  if (from.set_hard != 0) out.hard = translate(from.hard);
  return out;
}

/// Counters of one SA, or of all; false if there is no such SA.
bool counters(const espalier_context* context, espalier_sa sa, espalier::SaStatistics& out) {
  if (sa == 0) {
    const espalier::Totals totals = context->l1->totals();
    out.packets = totals.packets;
    out.bytes = totals.bytes;
    std::copy(std::begin(totals.drops), std::end(totals.drops), out.drops);
    return true;
  }
  const auto got = context->l1->statistics(capi::handle(sa));
  if (got) out = *got;
  return static_cast<bool>(got);
}

}  // namespace

int capi::read_sa_options(const espalier_sa_options* options, espalier::SaConfig& out, char* error,
                          std::size_t error_size) {
  espalier_sa_options o;
  if (const int code = read_struct(options, kOldestOptions, o); code != 0)
    return fail(code, explain(code), error, error_size);
  const std::string why = ::translate(o, out);
  return why.empty() ? 0 : fail(-EINVAL, why, error, error_size);
}

int capi::read_sa_change(const espalier_sa_change* change, espalier::SaUpdate& out, char* error,
                         std::size_t error_size) {
  struct espalier_sa_change c;
  if (const int code = read_struct(change, sizeof c, c); code != 0)
    return fail(code, explain(code), error, error_size);
  if (c.reserved != 0) return fail(-EINVAL, "reserved members must be zero", error, error_size);
  out = ::translate(c);
  return 0;
}

extern "C" {

int espalier_sa_add(espalier_context* context, const espalier_sa_options* options, espalier_sa* sa,
                    char* error, size_t error_size) {
  if (context == nullptr || sa == nullptr)
    return capi::fail(-EINVAL, "there is no context, or no place for the handle", error,
                      error_size);
  try {
    espalier::SaConfig config;
    if (const int code = capi::read_sa_options(options, config, error, error_size); code != 0)
      return code;
    const auto added = context->l1->add(config);
    if (!added) return capi::fail(-EINVAL, added.error(), error, error_size);
    *sa = static_cast<espalier_sa>(*added);
    return 0;
  } catch (const std::bad_alloc&) {
    return capi::fail(-ENOMEM, "memory is short", error, error_size);
  }
}

int espalier_sa_update(espalier_context* context, espalier_sa sa, const espalier_sa_change* update,
                       char* error, size_t error_size) {
  if (context == nullptr) return capi::fail(-EINVAL, "there is no context", error, error_size);
  espalier::SaUpdate change;
  if (const int code = capi::read_sa_change(update, change, error, error_size); code != 0)
    return code;
  const bool there = static_cast<bool>(context->l1->overhead(capi::handle(sa)));
  try {
    const std::string why = context->l1->update(capi::handle(sa), change);
    return why.empty() ? 0 : capi::fail(there ? -EINVAL : -ENOENT, why, error, error_size);
  } catch (const std::bad_alloc&) {
    return capi::fail(-ENOMEM, "memory is short", error, error_size);
  }
}

int espalier_sa_remove(espalier_context* context, espalier_sa sa) {
  if (context == nullptr) return -EINVAL;
  return context->l1->remove(capi::handle(sa)) ? 0 : -ENOENT;
}

int espalier_sa_overhead(const espalier_context* context, espalier_sa sa,
                         espalier_overhead* overhead) {
  if (context == nullptr) return -EINVAL;
  const auto got = context->l1->overhead(capi::handle(sa));
  if (!got) return -ENOENT;
  espalier_overhead out{};
  out.head = got->head;
  out.total = got->total;
  out.in_place = got->in_place;
  out.alignment = got->alignment;
  return capi::write_struct(out, sizeof out, overhead);
}

int espalier_sa_statistics(const espalier_context* context, espalier_sa sa,
                           espalier_statistics* statistics) {
  if (context == nullptr) return -EINVAL;
  espalier::SaStatistics got;
  if (!counters(context, sa, got)) return -ENOENT;
  espalier_statistics out{};
  out.packets = got.packets;
  out.bytes = got.bytes;
  out.number = got.number;
  out.dropped = capi::dropped(got);
  return capi::write_struct(out, sizeof out, statistics);
}

int espalier_sa_drops(const espalier_context* context, espalier_sa sa, uint64_t* counts,
                      size_t count) {
  if (context == nullptr || (counts == nullptr && count != 0)) return -EINVAL;
  espalier::SaStatistics got;
  if (!counters(context, sa, got)) return -ENOENT;
  std::copy_n(got.drops, std::min<std::size_t>(count, espalier::spec::kDropCount), counts);
  return static_cast<int>(espalier::spec::kDropCount);
}

espalier_sa espalier_find(espalier_context* context, uint32_t queue, uint32_t spi, uint8_t protocol,
                          int ipv6, const uint8_t* destination, const uint8_t* source) {
  if (context == nullptr || destination == nullptr || source == nullptr || queue > 0xff) return 0;
  return static_cast<espalier_sa>(context->l1->find(
      espalier::QueueId(queue), spi, protocol,
      ipv6 != 0 ? espalier::Family::ipv6 : espalier::Family::ipv4, destination, source));
}

}  // extern "C"

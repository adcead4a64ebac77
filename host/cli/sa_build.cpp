// SPDX-License-Identifier: BSD-2-Clause-Patent
#include "cli/sa_build.hpp"

#include <fmt/core.h>
#include <openssl/crypto.h>

#include <charconv>

#include "cli/command.hpp"

namespace espalier::cli {
namespace {

/// Octets that wipe themselves.
struct Octets {
  std::vector<std::uint8_t> octets;
  ~Octets() { OPENSSL_cleanse(octets.data(), octets.size()); }
};

Octets parse_hex(const TablePlace& place, std::string_view field, std::string_view text) {
  if (text.starts_with("0x")) text.remove_prefix(2);
  Octets out;
  out.octets.reserve(text.size() / 2);
  for (; text.size() >= 2; text.remove_prefix(2)) {
    std::uint8_t octet = 0;
    const auto [end, error] = std::from_chars(text.data(), text.data() + 2, octet, 16);
    if (error != std::errc() || end != text.data() + 2) break;
    out.octets.push_back(octet);
  }
  if (!text.empty()) place.fail(field, "must be hexadecimal, two digits an octet");
  return out;
}

Address parse_address(const TablePlace& place, std::string_view field, std::string_view text) {
  const auto address = Address::parse(std::string(text));
  if (!address)
    place.fail(field, fmt::format("'{}' is no address; an SA needs one, not a pattern", text));
  return *address;
}

}  // namespace

void TablePlace::fail(std::string_view field, const std::string& why) const {
  throw Failure(fmt::format("{}:{}: {}: {}", path, line, field, why));
}

std::uint64_t parse_number(const TablePlace& place, std::string_view field, std::string_view text,
                           std::uint64_t high) {
  const std::string_view digits = text.starts_with("0x") ? text.substr(2) : text;
  std::uint64_t out = 0;
  const auto [end, error] = std::from_chars(digits.data(), digits.data() + digits.size(), out,
                                            digits.size() == text.size() ? 10 : 16);
  if (error != std::errc() || end != digits.data() + digits.size() || out > high)
    place.fail(field, fmt::format("'{}' is no number up to {:#x}", text, high));
  return out;
}

FileSa build_sa(const TablePlace& place, const TableSa& table,
                const std::function<void(FileSa&)>& adjust) {
  FileSa out;
  driver::SaParameters& sa = out.config.transform;
  const Octets key = parse_hex(place, "key", table.key);
  const Octets integrity = parse_hex(place, "integrity key", table.integrity_key);
  std::string name = table.suite;
  if (const std::size_t at = name.find('%'); at != std::string::npos) {
    const std::size_t octets =
        key.octets.size() - std::min<std::size_t>(key.octets.size(), table.salt_length);
    if (octets != 16 && octets != 24 && octets != 32)
      place.fail("key", fmt::format("has {} octets; AES takes 16, 24 or 32, and {} of salt here",
                                    key.octets.size(), table.salt_length));
    name.replace(at, 1, std::to_string(8 * octets));
  }
  std::string why;
  if (name.ends_with("-")) place.fail("algorithm", "has no integrity (RFC 8221 4)");
  const auto suite = driver::parse_suite(name, table.protocol, why);
  if (!suite) place.fail("algorithm", why);
  driver::apply(*suite, sa);
  why = driver::set_keys(*suite, key.octets, integrity.octets, sa);
  if (!why.empty()) place.fail("key", why);
  sa.spi = static_cast<std::uint32_t>(parse_number(place, "spi", table.spi, 0xffffffff));
  const Address source = parse_address(place, "source", table.source);
  const Address destination = parse_address(place, "destination", table.destination);
  if (source.family != destination.family)
    place.fail("destination", "is not of the source's family");
  out.config.ends.family = sa.outer = source.family;
  out.config.ends.source = source.octets;
  out.config.ends.destination = destination.octets;
  out.line = place.line;
  out.name = fmt::format("sa {:#x}", sa.spi);
  adjust(out);
  driver::set_header_template(out.config.ends, sa);
  if (why = driver::check(sa); !why.empty()) place.fail("sa", why);
  return out;
}

}  // namespace espalier::cli

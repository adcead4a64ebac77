// SPDX-License-Identifier: BSD-2-Clause-Patent
#include "espalier/address.hpp"

#include <arpa/inet.h>

#include <charconv>

namespace espalier {

std::optional<Address> Address::parse(const std::string& text) {
  Address a;
  if (inet_pton(AF_INET, text.c_str(), a.octets.data()) == 1) return a;
  a.family = Family::ipv6;
  if (inet_pton(AF_INET6, text.c_str(), a.octets.data()) == 1) return a;
  return std::nullopt;
}

std::string Address::text() const {
  char buffer[INET6_ADDRSTRLEN] = "";
  inet_ntop(family == Family::ipv4 ? AF_INET : AF_INET6, octets.data(), buffer, sizeof buffer);
  return buffer;
}

bool Prefix::contains(const Address& a) const {
  if (a.family != address.family) return false;
  const unsigned whole = bits / 8, rest = bits % 8;
  if (!std::equal(a.octets.begin(), a.octets.begin() + whole, address.octets.begin())) return false;
  return rest == 0 || ((a.octets[whole] ^ address.octets[whole]) >> (8 - rest)) == 0;
}

std::optional<Prefix> Prefix::parse(const std::string& text) {
  const std::size_t slash = text.find('/');
  const std::optional<Address> address = Address::parse(text.substr(0, slash));
  if (!address) return std::nullopt;
  Prefix prefix{*address, 8 * address->size()};
  if (slash == std::string::npos) return prefix;
  const char* first = text.data() + slash + 1;
  const char* last = text.data() + text.size();
  const auto [end, error] = std::from_chars(first, last, prefix.bits);
  if (error != std::errc() || end != last || prefix.bits > 8 * address->size()) return std::nullopt;
  return prefix;
}

}  // namespace espalier

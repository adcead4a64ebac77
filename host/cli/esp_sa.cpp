// SPDX-License-Identifier: BSD-2-Clause-Patent
#include "cli/esp_sa.hpp"

#include <fmt/core.h>

#include <span>
#include <sstream>

#include "cli/sa_build.hpp"
#include "espalier/address.hpp"

namespace espalier::cli {
namespace {

using spec::Cipher;
using spec::Integrity;

struct CipherName {
  Cipher cipher;
  unsigned icv;  ///< Octets; 0: the integrity algorithm's.
  const char* name;
  const char* suite;  ///< As in TableSa; an integrity's name follows those that end in '-'.
  unsigned salt;      ///< Octets.
};
constexpr CipherName kCiphers[] = {
    {Cipher::null, 0, "NULL", "null-", 0},
    {Cipher::aes_cbc, 0, "AES-CBC [RFC3602]", "aes%-", 0},
    {Cipher::aes_ctr, 0, "AES-CTR [RFC3686]", "aes%ctr-", 4},
    {Cipher::aes_gcm, 8, "AES-GCM with 8 octet ICV [RFC4106]", "aes%gcm8", 4},
    {Cipher::aes_gcm, 12, "AES-GCM with 12 octet ICV [RFC4106]", "aes%gcm12", 4},
    {Cipher::aes_gcm, 16, "AES-GCM with 16 octet ICV [RFC4106]", "aes%gcm16", 4},
};

struct IntegrityName {
  Integrity integrity;
  const char* name;
  const char* suite;
};
constexpr IntegrityName kIntegrities[] = {
    {Integrity::none, "NULL", ""},
    {Integrity::hmac_sha1, "HMAC-SHA-1-96 [RFC2404]", "sha1"},
    {Integrity::hmac_sha256, "HMAC-SHA-256-128 [RFC4868]", "sha256"},
    {Integrity::hmac_sha384, "HMAC-SHA-384-192 [RFC4868]", "sha384"},
    {Integrity::hmac_sha512, "HMAC-SHA-512-256 [RFC4868]", "sha512"},
};

std::string hex(std::span<const std::uint8_t> octets) {
  std::string out;
  for (const std::uint8_t octet : octets) out += fmt::format("{:02x}", octet);
  return out;
}

/// The fields of a line, out of their quotes.
std::vector<std::string> split(const TablePlace& place, const std::string& line) {
  std::vector<std::string> out;
  for (std::size_t at = 0; at < line.size();) {
    const std::size_t end = line[at] == '"' ? line.find('"', at + 1) : std::string::npos;
    if (end == std::string::npos)
      place.fail("line", "is not fields in quotes, with commas between");
    out.push_back(line.substr(at + 1, end - at - 1));
    at = end + 1;
    if (at < line.size() && line[at] == ',') ++at;
  }
  return out;
}

enum Field { kFamily, kSource, kDestination, kSpi, kCipher, kKey, kIntegrity, kIntegrityKey, kEsn };

template <class Row, std::size_t N>
const Row& find(const TablePlace& place, const char* field, const Row (&rows)[N],
                const std::string& name) {
  for (const Row& row : rows)
    if (name == row.name) return row;
  place.fail(field, fmt::format("'{}' is not offered; docs/sa-files.md lists what is", name));
}

FileSa read_line(const TablePlace& place, const std::string& line) {
  const std::vector<std::string> fields = split(place, line);
  if (fields.size() < kEsn) place.fail("line", "has fewer than the table's 8 fields");
  const CipherName& cipher = find(place, "encryption", kCiphers, fields[kCipher]);
  const IntegrityName& integrity = find(place, "authentication", kIntegrities, fields[kIntegrity]);
  TableSa table;
  table.suite = std::string(cipher.suite) + integrity.suite;
  table.salt_length = cipher.salt;
  table.key = fields[kKey];
  table.integrity_key = fields[kIntegrityKey];
  table.spi = fields[kSpi];
  table.source = fields[kSource];
  table.destination = fields[kDestination];
  return build_sa(place, table, [&](FileSa& sa) {
    sa.config.transform.esn = fields.size() > kEsn && fields[kEsn] == "64-bit";
  });
}

}  // namespace

std::vector<FileSa> read_esp_sa(const std::string& path, const std::string& text) {
  std::vector<FileSa> out;
  TablePlace place{path, 0};
  std::stringstream lines(text);
  for (std::string line; std::getline(lines, line);) {
    ++place.line;
    if (!line.empty() && line[0] != '#') out.push_back(read_line(place, line));
  }
  return out;
}

// Wireshark 4.2 has two more fields, about ESN, which it takes for 32 bits if they are not there;
// older ones complain if they are.
std::optional<std::string> esp_sa_line(const SaConfig& config) {
  const driver::SaParameters& sa = config.transform;
  const auto suite = driver::suite_of(sa);
  if (!suite || suite->protocol != driver::Protocol::esp || suite->implicit_iv) return std::nullopt;
  const CipherName* cipher = nullptr;
  for (const CipherName& c : kCiphers)
    if (c.cipher == sa.cipher && (c.icv == 0 || c.icv == sa.icv_length)) cipher = &c;
  const IntegrityName* integrity = nullptr;
  for (const IntegrityName& i : kIntegrities)
    if (i.integrity == sa.integrity) integrity = &i;
  if (cipher == nullptr || integrity == nullptr) return std::nullopt;
  const auto address = [&](const std::array<std::uint8_t, 16>& octets) {
    return Address::from(config.ends.family, octets.data()).text();
  };
  const auto key = [](const std::string& digits) { return digits.empty() ? "" : "0x" + digits; };
  return fmt::format(
      R"("{}","{}","{}","{:#010x}","{}","{}","{}","{}"{})",
      config.ends.family == Family::ipv4 ? "IPv4" : "IPv6", address(config.ends.source),
      address(config.ends.destination), sa.spi, cipher->name,
      key(hex(sa.cipher_key.view()) + hex(std::span(sa.salt).first(suite->salt_length))),
      integrity->name, key(hex(sa.integrity_key.view())),
      sa.esn ? R"(,"64-bit","0x00000000")" : "");
}

}  // namespace espalier::cli

// SPDX-License-Identifier: BSD-2-Clause-Patent
#include "cli/esp_sa.hpp"

#include <fmt/core.h>

#include <span>

#include "espalier/address.hpp"

namespace espalier::cli {
namespace {

using spec::Cipher;
using spec::Integrity;

struct CipherName {
  Cipher cipher;
  unsigned icv;  ///< Octets; 0: the integrity algorithm's.
  const char* name;
};
constexpr CipherName kCiphers[] = {
    {Cipher::null, 0, "NULL"},
    {Cipher::aes_cbc, 0, "AES-CBC [RFC3602]"},
    {Cipher::aes_ctr, 0, "AES-CTR [RFC3686]"},
    {Cipher::aes_gcm, 8, "AES-GCM with 8 octet ICV [RFC4106]"},
    {Cipher::aes_gcm, 12, "AES-GCM with 12 octet ICV [RFC4106]"},
    {Cipher::aes_gcm, 16, "AES-GCM with 16 octet ICV [RFC4106]"},
};

struct IntegrityName {
  Integrity integrity;
  const char* name;
};
constexpr IntegrityName kIntegrities[] = {
    {Integrity::none, "NULL"},
    {Integrity::hmac_sha1, "HMAC-SHA-1-96 [RFC2404]"},
    {Integrity::hmac_sha256, "HMAC-SHA-256-128 [RFC4868]"},
    {Integrity::hmac_sha384, "HMAC-SHA-384-192 [RFC4868]"},
    {Integrity::hmac_sha512, "HMAC-SHA-512-256 [RFC4868]"},
};

std::string hex(std::span<const std::uint8_t> octets) {
  std::string out;
  for (const std::uint8_t octet : octets) out += fmt::format("{:02x}", octet);
  return out;
}

}  // namespace

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

// SPDX-License-Identifier: BSD-2-Clause-Patent
// What makes an SA sound: keys, options, header template.
#include <algorithm>
#include <cstring>

#include "espalier/driver/suite.hpp"

namespace espalier::driver {
namespace {

using spec::Cipher;
using spec::Integrity;

constexpr unsigned kUdpHeader = 8;
constexpr std::uint8_t kUdp = 17;

unsigned ip_header_length(Family family) {
  return family == Family::ipv4 ? 20 : 40;
}

std::string length_error(std::string_view what, std::size_t has, std::size_t wants,
                         std::string_view mend) {
  return std::string(what) + " of " + std::to_string(has) + " octets; give " +
         std::to_string(wants) + std::string(mend);
}

/// Octets in use of the SA's template.
unsigned template_length(const SaParameters& sa) {
  const unsigned udp = sa.udp_encapsulation ? kUdpHeader : 0;
  return udp + (sa.mode == Mode::tunnel ? ip_header_length(sa.outer) : 0);
}

/// Octets that come with each job and must be zero in an IP header template.
bool job_fields_are_zero(const std::uint8_t* header, Family family) {
  const auto zero = [&](unsigned first, unsigned last) {
    return std::all_of(header + first, header + last + 1, [](std::uint8_t o) { return o == 0; });
  };
  if (family == Family::ipv4) return header[0] == 0x45 && zero(1, 8) && zero(10, 11);
  return header[0] == 0x60 && zero(1, 5) && zero(7, 7);
}

std::string check_template(const SaParameters& sa) {
  const unsigned wants = template_length(sa);
  if (sa.header_length != wants)
    return length_error("header template", sa.header_length, wants,
                        "; set_header_template() writes it");
  if (sa.mode == Mode::tunnel) {
    const std::uint8_t protocol =
        sa.udp_encapsulation ? kUdp : static_cast<std::uint8_t>(sa.protocol);
    const std::uint8_t found = sa.header_template[sa.outer == Family::ipv4 ? 9 : 6];
    if (!job_fields_are_zero(sa.header_template.data(), sa.outer) || found != protocol)
      return "header template is not a bare IP header; set_header_template() writes it";
  }
  if (sa.udp_encapsulation) {
    const std::uint8_t* udp = sa.header_template.data() + wants - kUdpHeader;
    if (udp[4] | udp[5] | udp[6] | udp[7])
      return "UDP length and checksum of the header template must be zero; each job brings them";
  }
  return {};
}

std::string check_algorithms(const SaParameters& sa) {
  if (sa.protocol == Protocol::ah && sa.cipher != Cipher::null)
    return "AH does not encrypt; use ESP, or drop the cipher";
  if (sa.protocol == Protocol::esp && sa.integrity == Integrity::aes_gmac)
    return "AES-GMAC is a combined mode in ESP (RFC 4543 3); use cipher aes_gmac";
  const bool separate = sa.protocol == Protocol::ah || sa.cipher == Cipher::null ||
                        sa.cipher == Cipher::aes_cbc || sa.cipher == Cipher::aes_ctr;
  if (separate && sa.integrity == Integrity::none)
    return "no integrity (RFC 8221 4); add one, e.g. sha256, or use aes256gcm16";
  if (!separate && sa.integrity != Integrity::none)
    return "a combined mode brings its own integrity (RFC 4303 3.3.2.2); drop the other";
  if (!suite_of(sa))
    return "no suite has these algorithms with a cipher key of " +
           std::to_string(sa.cipher_key.size()) + ", an integrity key of " +
           std::to_string(sa.integrity_key.size()) + " and an ICV of " +
           std::to_string(sa.icv_length) + " octets; see all_suites() for those there are";
  return {};
}

}  // namespace

std::string check(const SaParameters& sa) {
  if (sa.spi < 256)
    return "SPI " + std::to_string(sa.spi) + " is reserved (RFC 4303 2.1); use 256 or more";
  if (std::string error = check_algorithms(sa); !error.empty()) return error;
  if (sa.udp_encapsulation && sa.protocol == Protocol::ah)
    return "AH cannot pass NAT (RFC 3948 1); use ESP for UDP encapsulation";
  if (sa.ah_align8 && sa.protocol != Protocol::ah) return "ah_align8 concerns AH alone; clear it";
  if (sa.outer != Family::ipv4 && sa.outer != Family::ipv6)
    return "outer family is neither IPv4 nor IPv6; set one";
  // Opening reads the header it finds; only sealing writes one.
  return sa.direction == Direction::seal ? check_template(sa) : std::string();
}

std::string set_keys(const Suite& suite, std::span<const std::uint8_t> cipher_keymat,
                     std::span<const std::uint8_t> integrity_keymat, SaParameters& sa) {
  const bool salted_integrity = suite.integrity == Integrity::aes_gmac;
  const std::size_t cipher_salt = salted_integrity ? 0 : suite.salt_length;
  const std::size_t integrity_salt = salted_integrity ? suite.salt_length : 0;
  const std::size_t cipher_wants = suite.cipher_key_length + cipher_salt;
  const std::size_t integrity_wants = suite.integrity_key_length + integrity_salt;
  const std::string mend =
      " for " + suite_name(suite) +
      (suite.salt_length != 0
           ? " (key, then " + std::to_string(suite.salt_length) + " octets of salt)"
           : "");
  if (cipher_keymat.size() != cipher_wants)
    return length_error("cipher key", cipher_keymat.size(), cipher_wants, mend);
  if (integrity_keymat.size() != integrity_wants)
    return length_error("integrity key", integrity_keymat.size(), integrity_wants, mend);
  sa.cipher_key.assign(cipher_keymat.first(suite.cipher_key_length));
  sa.integrity_key.assign(integrity_keymat.first(suite.integrity_key_length));
  const auto salt =
      salted_integrity ? integrity_keymat.last(integrity_salt) : cipher_keymat.last(cipher_salt);
  sa.salt = {};
  std::copy(salt.begin(), salt.end(), sa.salt.begin());
  return {};
}

unsigned ah_length(const SaParameters& sa) {
  constexpr unsigned kAhHeader = 12;
  const unsigned iv = sa.integrity == Integrity::aes_gmac ? 8 : 0;
  const unsigned align = sa.outer == Family::ipv6 || sa.ah_align8 ? 8 : 4;
  return (kAhHeader + iv + sa.icv_length + align - 1) / align * align;
}

void set_header_template(const Endpoints& ends, SaParameters& sa) {
  sa.header_template = {};
  std::uint8_t* out = sa.header_template.data();
  if (sa.mode == Mode::tunnel) {
    sa.outer = ends.family;
    const bool v4 = ends.family == Family::ipv4;
    const std::size_t address = v4 ? 4 : 16;
    out[0] = v4 ? 0x45 : 0x60;
    out[v4 ? 9 : 6] = sa.udp_encapsulation ? kUdp : static_cast<std::uint8_t>(sa.protocol);
    std::memcpy(out + (v4 ? 12 : 8), ends.source.data(), address);
    std::memcpy(out + (v4 ? 16 : 24), ends.destination.data(), address);
    out += ip_header_length(ends.family);
  }
  if (sa.udp_encapsulation) {
    out[0] = static_cast<std::uint8_t>(ends.source_port >> 8);
    out[1] = static_cast<std::uint8_t>(ends.source_port);
    out[2] = static_cast<std::uint8_t>(ends.destination_port >> 8);
    out[3] = static_cast<std::uint8_t>(ends.destination_port);
  }
  sa.header_length = static_cast<std::uint8_t>(template_length(sa));
}

}  // namespace espalier::driver

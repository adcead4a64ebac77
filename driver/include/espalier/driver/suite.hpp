// SPDX-License-Identifier: BSD-2-Clause-Patent
// The registry of suites: names, lengths, and what makes an SA sound.
//
// Names are those of the IKEv2 registry in lower case as strongSwan spells them: `aes256gcm16`,
// `aes128-sha256`, `null-sha384`, `chacha20poly1305`; AH has the integrity alone: `sha256`,
// `aesxcbc`, `aes256gmac`.  RFC 8750's implicit-IV forms end in `iiv`.  ESN and the mode are
// properties of the SA, not of the suite.
#pragma once

#include <array>
#include <cstdint>
#include <optional>
#include <span>
#include <string>
#include <string_view>

#include "espalier/driver/sa_parameters.hpp"

namespace espalier::driver {

/// What a suite fixes.  All lengths in octets.
struct Suite {
  Protocol protocol = Protocol::esp;
  spec::Cipher cipher = spec::Cipher::null;
  spec::Integrity integrity = spec::Integrity::none;  ///< none: a combined mode.
  bool implicit_iv = false;                           ///< RFC 8750.
  std::uint8_t cipher_key_length = 0;                 ///< Salt not included.
  std::uint8_t salt_length = 0;                       ///< Follows the key in keying material.
  std::uint8_t integrity_key_length = 0;              ///< Salt not included.
  std::uint8_t iv_length = 0;                         ///< On the wire.
  std::uint8_t icv_length = 0;
  std::uint8_t block_length = 4;  ///< The encrypted body is a multiple of this: 4 or 16.

  bool operator==(const Suite&) const = default;
};

/// The suite of this name.  Empty if there is none; then `why` is one line that says what to write
/// instead.  3DES, DES, MD5 and anything without integrity are refused (RFC 8221).
std::optional<Suite> parse_suite(std::string_view name, Protocol protocol, std::string& why);

/// The one name parse_suite() takes back to `suite`.
std::string suite_name(const Suite& suite);

/// Every suite there is, ESP before AH, each family by rising strength.
std::span<const Suite> all_suites();

/// The suite of an SA; empty if its algorithms, key lengths and ICV length are not a suite's.
std::optional<Suite> suite_of(const SaParameters& sa);

/// Sets protocol, algorithms, ICV length and implicit_iv.  Keys are the caller's: see set_keys().
void apply(const Suite& suite, SaParameters& sa);

/// Splits keying material the way IKEv2 hands it over: the cipher's key with its salt last
/// (RFC 4106 8.1, RFC 7634 4), then the integrity key (for AH-GMAC with its salt last, RFC 4543 5).
/// Empty if done, else the mistake and its mending.
std::string set_keys(const Suite& suite, std::span<const std::uint8_t> cipher_keymat,
                     std::span<const std::uint8_t> integrity_keymat, SaParameters& sa);

/// Empty if the SA is sound, else one line that says what is wrong and how to mend it.  Devices
/// rely on it having been called: they check only what they need to stay safe.
std::string check(const SaParameters& sa);

/// Octets of the SA's AH, with the padding that makes it a multiple of 4 (IPv4) or 8 (IPv6, or
/// ah_align8) octets (RFC 4302 2.6).
unsigned ah_length(const SaParameters& sa);

/// Tunnel end points, and the ports of UDP encapsulation.
struct Endpoints {
  Family family = Family::ipv4;
  std::array<std::uint8_t, 16> source{};       ///< Wire order; four octets for IPv4.
  std::array<std::uint8_t, 16> destination{};  ///< Wire order; four octets for IPv4.
  std::uint16_t source_port = 4500;
  std::uint16_t destination_port = 4500;
};

/// Writes sa.header_template and header_length (and sa.outer in tunnel mode) for the SA's mode,
/// protocol and UDP encapsulation; set those first.
void set_header_template(const Endpoints& ends, SaParameters& sa);

}  // namespace espalier::driver

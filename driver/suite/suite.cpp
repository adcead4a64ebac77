// SPDX-License-Identifier: BSD-2-Clause-Patent
// Names to suites and back.  Two tables say all there is: cipher modes and integrity algorithms.
#include "espalier/driver/suite.hpp"

#include <algorithm>
#include <utility>
#include <vector>

namespace espalier::driver {
namespace {

using spec::Cipher;
using spec::Integrity;

/// A mode of AES: what stands behind `aes<bits>`.  The first of two equal rows is the canonical
/// name; the others are strongSwan's spellings by ICV bits.
struct AesMode {
  std::string_view suffix;
  Cipher cipher;
  std::uint8_t salt, iv, icv, block;
  bool implicit_iv;
};
constexpr AesMode kAesModes[] = {
    {"", Cipher::aes_cbc, 0, 16, 0, 16, false},
    {"ctr", Cipher::aes_ctr, 4, 8, 0, 4, false},
    {"gcm8", Cipher::aes_gcm, 4, 8, 8, 4, false},
    {"gcm12", Cipher::aes_gcm, 4, 8, 12, 4, false},
    {"gcm16", Cipher::aes_gcm, 4, 8, 16, 4, false},
    {"gcm16iiv", Cipher::aes_gcm, 4, 0, 16, 4, true},
    {"gmac", Cipher::aes_gmac, 4, 8, 16, 4, false},
    {"ccm8", Cipher::aes_ccm, 3, 8, 8, 4, false},
    {"ccm12", Cipher::aes_ccm, 3, 8, 12, 4, false},
    {"ccm16", Cipher::aes_ccm, 3, 8, 16, 4, false},
    {"ccm8iiv", Cipher::aes_ccm, 3, 0, 8, 4, true},
    {"gcm64", Cipher::aes_gcm, 4, 8, 8, 4, false},
    {"gcm96", Cipher::aes_gcm, 4, 8, 12, 4, false},
    {"gcm128", Cipher::aes_gcm, 4, 8, 16, 4, false},
    {"ccm64", Cipher::aes_ccm, 3, 8, 8, 4, false},
    {"ccm96", Cipher::aes_ccm, 3, 8, 12, 4, false},
    {"ccm128", Cipher::aes_ccm, 3, 8, 16, 4, false},
};

/// An integrity algorithm with a name of its own (AH-GMAC is `aes<bits>gmac`).
struct IntegrityName {
  std::string_view name;
  Integrity integrity;
  std::uint8_t key, icv;
};
constexpr IntegrityName kIntegrities[] = {
    {"sha1", Integrity::hmac_sha1, 20, 12},       {"aesxcbc", Integrity::aes_xcbc, 16, 12},
    {"aescmac", Integrity::aes_cmac, 16, 12},     {"sha256", Integrity::hmac_sha256, 32, 16},
    {"sha384", Integrity::hmac_sha384, 48, 24},   {"sha512", Integrity::hmac_sha512, 64, 32},
    {"sha", Integrity::hmac_sha1, 20, 12},        {"sha2_256", Integrity::hmac_sha256, 32, 16},
    {"sha2_384", Integrity::hmac_sha384, 48, 24}, {"sha2_512", Integrity::hmac_sha512, 64, 32},
};

/// What RFC 8221 rules out, and what to use instead.
struct Refused {
  std::string_view prefix;
  std::string_view why;
};
constexpr Refused kRefused[] = {
    {"3des", "3DES is not offered (RFC 8221 5: 64-bit blocks); use aes256gcm16 or aes256-sha256"},
    {"des", "DES is not offered (RFC 8221 5: MUST NOT); use aes256gcm16 or aes256-sha256"},
    {"blowfish", "Blowfish is not offered (RFC 8221 5); use aes256gcm16 or aes256-sha256"},
    {"cast", "CAST is not offered (RFC 8221 5); use aes256gcm16 or aes256-sha256"},
    {"md5", "HMAC-MD5 is not offered (RFC 8221 6: MUST NOT); use sha256"},
    {"sha256_96", "HMAC-SHA-256 cut to 96 bits is no registered transform; use sha256"},
    {"camellia", "Camellia is not offered; use aes256gcm16 or aes256-sha256"},
};
constexpr std::uint8_t kAesKeys[] = {16, 24, 32};

std::optional<unsigned> take_aes_key(std::string_view& text) {
  if (!text.starts_with("aes")) return std::nullopt;
  text.remove_prefix(3);
  if (text.empty()) return 16;  // strongSwan's `aes`
  for (unsigned key : kAesKeys) {
    const std::string bits = std::to_string(8 * key);
    if (text.starts_with(bits)) {
      text.remove_prefix(bits.size());
      return key;
    }
  }
  return std::nullopt;
}

std::optional<Suite> find_cipher(std::string_view text) {
  Suite suite;
  if (text == "null") return suite;
  if (text == "chacha20poly1305" || text == "chacha20poly1305iiv") {
    suite.cipher = Cipher::chacha20_poly1305;
    suite.implicit_iv = text.ends_with("iiv");
    suite.cipher_key_length = 32;
    suite.salt_length = 4;
    suite.iv_length = suite.implicit_iv ? 0 : 8;
    suite.icv_length = 16;
    return suite;
  }
  const auto key = take_aes_key(text);
  if (!key) return std::nullopt;
  for (const AesMode& mode : kAesModes) {
    if (mode.suffix != text) continue;
    suite.cipher = mode.cipher;
    suite.implicit_iv = mode.implicit_iv;
    suite.cipher_key_length = static_cast<std::uint8_t>(*key);
    suite.salt_length = mode.salt;
    suite.iv_length = mode.iv;
    suite.icv_length = mode.icv;
    suite.block_length = mode.block;
    return suite;
  }
  return std::nullopt;
}

bool add_integrity(std::string_view text, Suite& suite) {
  for (const IntegrityName& row : kIntegrities) {
    if (row.name != text) continue;
    suite.integrity = row.integrity;
    suite.integrity_key_length = row.key;
    suite.icv_length = row.icv;
    return true;
  }
  return false;
}

std::optional<Suite> find_ah(std::string_view text) {
  Suite suite;
  suite.protocol = Protocol::ah;
  if (add_integrity(text, suite)) return suite;
  const auto key = take_aes_key(text);
  if (!key || text != "gmac") return std::nullopt;
  suite.integrity = Integrity::aes_gmac;
  suite.integrity_key_length = static_cast<std::uint8_t>(*key);
  suite.salt_length = 4;
  suite.iv_length = 8;
  suite.icv_length = 16;
  return suite;
}

std::string unknown(std::string_view token, std::string_view examples) {
  for (const Refused& row : kRefused)
    if (token.starts_with(row.prefix)) return std::string(row.why);
  return "unknown algorithm '" + std::string(token) + "'; write one like " + std::string(examples);
}

bool combined(Cipher cipher) {
  return cipher != Cipher::null && cipher != Cipher::aes_cbc && cipher != Cipher::aes_ctr;
}

std::optional<Suite> find_esp(std::string_view name, std::string& why) {
  const std::size_t dash = name.find('-');
  const std::string_view cipher_name = name.substr(0, dash);
  std::optional<Suite> suite = find_cipher(cipher_name);
  if (!suite) {
    why = unknown(cipher_name, "aes256gcm16, chacha20poly1305, aes256-sha256 or null-sha256");
    Suite probe;
    if (add_integrity(cipher_name, probe))
      why = "'" + std::string(name) + "' names no cipher; for ESP write aes256-" +
            std::string(name) + " or null-" + std::string(name);
    return std::nullopt;
  }
  if (dash == std::string_view::npos) {
    if (combined(suite->cipher)) return suite;
    why = "'" + std::string(name) + "' has no integrity (RFC 8221 4); write " + std::string(name) +
          "-sha256";
    return std::nullopt;
  }
  const std::string_view integrity_name = name.substr(dash + 1);
  if (combined(suite->cipher)) {
    why = "'" + std::string(cipher_name) +
          "' brings its own integrity (RFC 4303 3.3.2.2); drop '-" + std::string(integrity_name) +
          "'";
    return std::nullopt;
  }
  if (add_integrity(integrity_name, *suite)) return suite;
  why = unknown(integrity_name, "sha256, sha384, sha512, sha1, aesxcbc or aescmac");
  return std::nullopt;
}

std::vector<Suite> make_all() {
  std::vector<Suite> all;
  std::string why;
  const auto add = [&](const std::string& name, Protocol protocol) {
    all.push_back(parse_suite(name, protocol, why).value());
  };
  for (std::string_view mode :
       {"gcm8", "gcm12", "gcm16", "gcm16iiv", "gmac", "ccm8", "ccm12", "ccm16", "ccm8iiv"})
    for (unsigned key : kAesKeys)
      add("aes" + std::to_string(8 * key) + std::string(mode), Protocol::esp);
  add("chacha20poly1305", Protocol::esp);
  add("chacha20poly1305iiv", Protocol::esp);
  constexpr std::size_t kNames = 6;  // the canonical rows of kIntegrities
  for (std::string_view mode : {"", "ctr"})
    for (unsigned key : kAesKeys)
      for (std::size_t i = 0; i < kNames; ++i)
        add("aes" + std::to_string(8 * key) + std::string(mode) + "-" +
                std::string(kIntegrities[i].name),
            Protocol::esp);
  for (std::size_t i = 0; i < kNames; ++i)
    add("null-" + std::string(kIntegrities[i].name), Protocol::esp);
  for (std::size_t i = 0; i < kNames; ++i) add(std::string(kIntegrities[i].name), Protocol::ah);
  for (unsigned key : kAesKeys) add("aes" + std::to_string(8 * key) + "gmac", Protocol::ah);
  return all;
}

}  // namespace

std::optional<Suite> parse_suite(std::string_view name, Protocol protocol, std::string& why) {
  if (protocol == Protocol::esp) return find_esp(name, why);
  std::optional<Suite> suite = find_ah(name);
  if (!suite) why = unknown(name, "sha256, sha384, sha512, sha1, aesxcbc, aescmac or aes256gmac");
  return suite;
}

std::string suite_name(const Suite& suite) {
  std::string integrity;
  for (const IntegrityName& row : kIntegrities) {
    if (row.integrity != suite.integrity) continue;
    integrity = row.name;
    break;
  }
  const bool gmac_ah = suite.integrity == Integrity::aes_gmac;
  if (suite.protocol == Protocol::ah)
    return gmac_ah ? "aes" + std::to_string(8 * suite.integrity_key_length) + "gmac" : integrity;
  std::string name = "null";
  if (suite.cipher == Cipher::chacha20_poly1305)
    name = suite.implicit_iv ? "chacha20poly1305iiv" : "chacha20poly1305";
  for (const AesMode& mode : kAesModes) {
    const bool same_icv = !combined(mode.cipher) || mode.icv == suite.icv_length;
    if (mode.cipher != suite.cipher || mode.implicit_iv != suite.implicit_iv || !same_icv) continue;
    name = "aes" + std::to_string(8 * suite.cipher_key_length) + std::string(mode.suffix);
    break;
  }
  return integrity.empty() ? name : name + "-" + integrity;
}

std::span<const Suite> all_suites() {
  static const std::vector<Suite> all = make_all();
  return all;
}

std::optional<Suite> suite_of(const SaParameters& sa) {
  for (const Suite& suite : all_suites()) {
    if (suite.protocol == sa.protocol && suite.cipher == sa.cipher &&
        suite.integrity == sa.integrity && suite.implicit_iv == sa.implicit_iv &&
        suite.cipher_key_length == sa.cipher_key.size() &&
        suite.integrity_key_length == sa.integrity_key.size() && suite.icv_length == sa.icv_length)
      return suite;
  }
  return std::nullopt;
}

void apply(const Suite& suite, SaParameters& sa) {
  sa.protocol = suite.protocol;
  sa.cipher = suite.cipher;
  sa.integrity = suite.integrity;
  sa.icv_length = suite.icv_length;
  sa.implicit_iv = suite.implicit_iv;
}

}  // namespace espalier::driver

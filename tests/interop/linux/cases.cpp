// SPDX-License-Identifier: BSD-2-Clause-Patent
#include "cases.hpp"

#include <fmt/format.h>

#include <random>
#include <span>

namespace espalier::interop {
namespace {

using driver::Direction;
using driver::Family;
using driver::Mode;
using driver::Protocol;
using driver::Suite;
using spec::Cipher;
using spec::Integrity;

constexpr std::uint64_t kLastNumberEsn = 0x5'ffff'fffc;  // the low half wraps at the fourth packet

std::string hex(std::span<const std::uint8_t> octets) {
  std::string text = "0x";
  for (const std::uint8_t octet : octets) text += fmt::format("{:02x}", octet);
  return text;
}

/// Keying material of a case: the same on both sides, different in each case and direction.
std::vector<std::uint8_t> material(unsigned index, unsigned purpose, std::size_t octets) {
  std::mt19937 random(index * 16 + purpose);
  std::vector<std::uint8_t> key(octets);
  for (auto& octet : key) octet = static_cast<std::uint8_t>(random());
  return key;
}
std::vector<std::uint8_t> cipher_key(const Case& c, Direction direction) {
  return material(
      c.index, direction == Direction::seal ? 0 : 1,
      c.suite.cipher_key_length + (c.suite.cipher == Cipher::null ? 0u : c.suite.salt_length));
}
std::vector<std::uint8_t> integrity_key(const Case& c, Direction direction) {
  return material(c.index, direction == Direction::seal ? 2 : 3, c.suite.integrity_key_length);
}

/// The kernel's name of a combined mode; empty if the cipher is none.
std::string aead_name(Cipher cipher) {
  switch (cipher) {
    case Cipher::aes_gcm:
      return "rfc4106(gcm(aes))";
    case Cipher::aes_gmac:
      return "rfc4543(gcm(aes))";
    case Cipher::aes_ccm:
      return "rfc4309(ccm(aes))";
    case Cipher::chacha20_poly1305:
      return "rfc7539esp(chacha20,poly1305)";
    default:
      return {};
  }
}
std::string cipher_name(Cipher cipher) {
  switch (cipher) {
    case Cipher::aes_cbc:
      return "cbc(aes)";
    case Cipher::aes_ctr:
      return "rfc3686(ctr(aes))";
    default:
      return "ecb(cipher_null)";
  }
}
std::string integrity_name(Integrity integrity) {
  switch (integrity) {
    case Integrity::hmac_sha1:
      return "hmac(sha1)";
    case Integrity::hmac_sha256:
      return "hmac(sha256)";
    case Integrity::hmac_sha384:
      return "hmac(sha384)";
    case Integrity::hmac_sha512:
      return "hmac(sha512)";
    case Integrity::aes_xcbc:
      return "xcbc(aes)";
    case Integrity::aes_cmac:
      return "cmac(aes)";
    default:
      return {};
  }
}

/// Linux has neither RFC 8750's implicit IVs nor AH-GMAC.
bool linux_has(const Suite& suite) {
  return !suite.implicit_iv && suite.integrity != Integrity::aes_gmac;
}

std::string algorithms(const Case& c, Direction direction) {
  const std::string key = hex(cipher_key(c, direction));
  const std::string aead = aead_name(c.suite.cipher);
  const unsigned icv_bits = 8u * c.suite.icv_length;
  if (!aead.empty()) return fmt::format("aead {} {} {}", aead, key, icv_bits);
  const std::string auth = fmt::format("auth-trunc {} {} {}", integrity_name(c.suite.integrity),
                                       hex(integrity_key(c, direction)), icv_bits);
  if (c.suite.protocol == Protocol::ah) return auth;
  return fmt::format("enc {} {} {}", cipher_name(c.suite.cipher),
                     c.suite.cipher == Cipher::null ? "\"\"" : key, auth);
}

Address address(Family family, unsigned network, unsigned index) {
  const std::string text = family == Family::ipv4
                               ? fmt::format("10.{}.{}.{}", network, index >> 8, index & 255)
                               : fmt::format("fd{}::{:x}", network, index + 1);
  return Address::parse(text).value();
}
Address fixed(const char* text) {
  return Address::parse(text).value();
}

void copy(const Address& from, std::array<std::uint8_t, 16>& to) {
  to = from.octets;
}

std::vector<Case> make_cases() {
  std::vector<Case> cases;
  const auto add = [&](const Suite& suite, Mode mode, Family outer, Family inner, bool esn,
                       bool natt) {
    cases.push_back({static_cast<unsigned>(cases.size()), suite, mode, outer, inner, esn, natt});
  };
  bool esn = false;
  for (const Suite& suite : driver::all_suites()) {
    if (!linux_has(suite)) continue;
    for (const Family family : {Family::ipv4, Family::ipv6})
      for (const Mode mode : {Mode::tunnel, Mode::transport}) {
        add(suite, mode, family, family, esn, false);
        esn = !esn;
      }
    esn = !esn;  // so that each mode of the next suite has the other kind of numbers
  }
  std::string why;
  for (const char* name : {"aes256gcm16", "aes128-sha256", "chacha20poly1305"}) {
    const Suite suite = driver::parse_suite(name, Protocol::esp, why).value();
    add(suite, Mode::tunnel, Family::ipv4, Family::ipv6, true, false);
    add(suite, Mode::tunnel, Family::ipv6, Family::ipv4, false, false);
    add(suite, Mode::tunnel, Family::ipv4, Family::ipv4, true, true);
    add(suite, Mode::transport, Family::ipv4, Family::ipv4, false, true);
    add(suite, Mode::tunnel, Family::ipv6, Family::ipv6, false, true);
  }
  return cases;
}

}  // namespace

const std::vector<Case>& all_cases() {
  static const std::vector<Case> cases = make_cases();
  return cases;
}

std::string Case::name() const {
  std::string text = driver::suite_name(suite);
  for (char& c : text)
    if (c == '-') c = '_';
  if (suite.protocol == Protocol::ah) text = "ah_" + text;
  text += mode == Mode::tunnel ? "_tunnel" : "_transport";
  text += outer == Family::ipv4 ? "4" : "6";
  if (inner != outer) text += inner == Family::ipv4 ? "_inner4" : "_inner6";
  if (natt) text += "_natt";
  return text + (esn ? "_esn" : "");
}

std::uint32_t Case::spi(Direction direction) const {
  return (direction == Direction::open ? 0x10000u : 0x20000u) + index;
}

Address Case::near() const {
  return mode == Mode::tunnel ? address(inner, 99, index) : outer_near();
}
Address Case::far() const {
  if (mode == Mode::transport) return outer_far();
  return fixed(inner == Family::ipv4 ? "10.88.2.1" : "fd88:2::1");
}
Address Case::outer_near() const {
  return address(outer, 66, index);
}
Address Case::outer_far() const {
  return fixed(outer == Family::ipv4 ? "10.77.0.2" : "fd77::2");
}

SaConfig Case::config(Direction direction) const {
  SaConfig sa;
  sa.transform.direction = direction;
  driver::apply(suite, sa.transform);
  sa.transform.mode = mode;
  sa.transform.outer = outer;
  sa.transform.esn = esn;
  sa.transform.udp_encapsulation = natt;
  sa.transform.ah_align8 = suite.protocol == Protocol::ah && outer == Family::ipv4 && !esn;
  sa.transform.spi = spi(direction);
  driver::set_keys(suite, cipher_key(*this, direction), integrity_key(*this, direction),
                   sa.transform);
  sa.ends.family = outer;
  copy(direction == Direction::seal ? outer_near() : outer_far(), sa.ends.source);
  copy(direction == Direction::seal ? outer_far() : outer_near(), sa.ends.destination);
  if (esn) sa.last_number = kLastNumberEsn;
  return sa;
}

std::string Case::states() const {
  const auto text = [](const Address& a) { return a.text(); };
  const char* protocol = suite.protocol == Protocol::esp ? "esp" : "ah";
  const char* shape = mode == Mode::tunnel ? "tunnel" : "transport";
  const auto state = [&](Direction direction, const Address& from, const Address& to) {
    std::string flags;
    if (inner != outer) flags += " af-unspec";
    if (suite.protocol == Protocol::ah && outer == Family::ipv4 && esn) flags += " align4";
    if (esn) flags += " esn";
    if (!flags.empty()) flags = "flag" + flags + " ";
    if (natt) flags += "encap espinudp 4500 4500 0.0.0.0 ";
    const std::uint64_t last = esn ? kLastNumberEsn : 0;
    const char* which = direction == Direction::open ? "oseq" : "seq";
    return fmt::format(
        "xfrm state add src {} dst {} proto {} spi {:#x} reqid {} mode {} {} replay-window 64 "
        "{}replay-{}-hi {:#x} replay-{} {:#x}\n",
        text(from), text(to), protocol, spi(direction), index + 1, shape,
        algorithms(*this, direction), flags, which, last >> 32, which, last & 0xffffffff);
  };
  const auto policy = [&](const char* direction, const Address& from, const Address& to,
                          const Address& outer_from, const Address& outer_to) {
    return fmt::format(
        "xfrm policy add src {} dst {} dir {} tmpl src {} dst {} proto {} reqid {} mode {}\n",
        text(from), text(to), direction, text(outer_from), text(outer_to), protocol, index + 1,
        shape);
  };
  return state(Direction::open, outer_far(), outer_near()) +
         state(Direction::seal, outer_near(), outer_far()) +
         policy("out", far(), near(), outer_far(), outer_near()) +
         policy("in", near(), far(), outer_near(), outer_far());
}

}  // namespace espalier::interop

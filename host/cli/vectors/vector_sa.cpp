// SPDX-License-Identifier: BSD-2-Clause-Patent
#include "cli/vectors/vector_sa.hpp"

#include <fmt/core.h>

#include <algorithm>
#include <charconv>
#include <map>

#include "cli/command.hpp"
#include "packet/octets.hpp"

namespace espalier::cli {
namespace {

using spec::Cipher;
using spec::Integrity;

const std::map<std::string, Cipher> kCiphers = {{"null", Cipher::null},
                                                {"aes-cbc", Cipher::aes_cbc},
                                                {"aes-ctr", Cipher::aes_ctr},
                                                {"aes-gcm", Cipher::aes_gcm},
                                                {"aes-gmac", Cipher::aes_gmac},
                                                {"aes-ccm", Cipher::aes_ccm},
                                                {"chacha20-poly1305", Cipher::chacha20_poly1305}};
const std::map<std::string, Integrity> kIntegrities = {{"none", Integrity::none},
                                                       {"hmac-sha1", Integrity::hmac_sha1},
                                                       {"hmac-sha256", Integrity::hmac_sha256},
                                                       {"hmac-sha384", Integrity::hmac_sha384},
                                                       {"hmac-sha512", Integrity::hmac_sha512},
                                                       {"aes-xcbc", Integrity::aes_xcbc},
                                                       {"aes-cmac", Integrity::aes_cmac},
                                                       {"aes-gmac", Integrity::aes_gmac}};

constexpr unsigned kUdpHeader = 8;

}  // namespace

Octets octets(const nlohmann::json& hex) {
  const auto& text = hex.get_ref<const std::string&>();
  Octets out(text.size() / 2);
  for (std::size_t i = 0; i < out.size(); ++i) {
    const char* at = text.data() + 2 * i;
    if (std::from_chars(at, at + 2, out[i], 16).ptr != at + 2)
      throw Failure("'" + text.substr(2 * i, 2) + "' is no hexadecimal octet");
  }
  if (text.size() % 2 != 0) throw Failure("octet string with an odd number of digits");
  return out;
}

std::string read_sa(const nlohmann::json& from, driver::SaParameters& out) {
  out = {};
  const std::string cipher = from.at("cipher"), integrity = from.at("integrity");
  const auto c = kCiphers.find(cipher);
  const auto i = kIntegrities.find(integrity);
  if (c == kCiphers.end()) return "refused: cipher " + cipher + " (RFC 8221)";
  if (i == kIntegrities.end()) return "refused: integrity " + integrity + " (RFC 8221)";
  out.protocol = from.at("protocol") == "ah" ? driver::Protocol::ah : driver::Protocol::esp;
  out.mode = from.at("mode") == "tunnel" ? driver::Mode::tunnel : driver::Mode::transport;
  out.cipher = c->second;
  out.integrity = i->second;
  out.icv_length = from.at("icv_len");
  out.spi = from.at("spi");
  out.esn = from.at("esn");
  out.implicit_iv = from.contains("implicit_iv");
  out.udp_encapsulation = from.value("nat_t", false);
  out.cipher_key.assign(octets(from.at("cipher_key")));
  out.integrity_key.assign(octets(from.at("integrity_key")));
  const Octets salt = octets(from.at("salt"));
  std::copy_n(salt.begin(), std::min(salt.size(), out.salt.size()), out.salt.begin());
  return {};
}

std::string not_offered(const driver::Device& device, const driver::SaParameters& sa) {
  const auto suite = driver::suite_of(sa);
  return fmt::format("{} does not offer {} {} {}{}{}{}", device.capabilities().name,
                     sa.protocol == driver::Protocol::ah ? "ah" : "esp",
                     suite ? driver::suite_name(*suite) : "this suite",
                     sa.mode == driver::Mode::tunnel ? "tunnel" : "transport",
                     sa.outer == Family::ipv4 ? 4 : 6, sa.udp_encapsulation ? "-natt" : "",
                     sa.esn ? " with ESN" : "");
}

bool read_outer(const Octets& packet, bool nat_t, Outer& out) {
  if (parse_ip(packet, static_cast<std::uint32_t>(packet.size()), out.ip) != Drop::none)
    return false;
  const std::uint32_t at = out.ip.header_length + (nat_t ? kUdpHeader : 0);
  if (at + 8 > out.ip.length) return false;
  out.esp_offset = static_cast<std::uint16_t>(at);
  out.ends.family = out.ip.family;
  const std::size_t n = out.ip.family == Family::ipv4 ? 4 : 16;
  std::copy_n(out.ip.source, n, out.ends.source.begin());
  std::copy_n(out.ip.destination, n, out.ends.destination.begin());
  if (nat_t) {
    out.ends.source_port = load_be16(packet.data() + out.ip.header_length);
    out.ends.destination_port = load_be16(packet.data() + out.ip.header_length + 2);
  }
  return true;
}

}  // namespace espalier::cli

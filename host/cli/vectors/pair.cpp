// SPDX-License-Identifier: BSD-2-Clause-Patent
#include "cli/vectors/pair.hpp"

#include <fmt/core.h>

#include <algorithm>

#include "packet/checksum.hpp"
#include "packet/octets.hpp"

namespace espalier::cli {
namespace {

constexpr unsigned kIpv4Header = 20;

/// A vector as the device will see it: whole IP packets on both sides.
struct Pair {
  driver::SaParameters sa;
  driver::Job job;
  Octets clear, sealed;
  std::size_t udp_checksum = 0;  ///< Where it is in `sealed`; 0 without UDP encapsulation.
  /// AH's ICV padding is not zero: the sender's choice (RFC 4302 2.6), and Linux leaves there what
  /// was there.  Nobody else can make that ICV, only check it.
  bool foreign_padding = false;
};

/// An IPv4 packet around `payload`, for vectors that begin at the SPI.
Octets wrap(std::uint8_t protocol, const Octets& payload) {
  Octets out(kIpv4Header);
  out[0] = 0x45;
  store_be16(out.data() + 2, static_cast<std::uint16_t>(kIpv4Header + payload.size()));
  out[8] = 64;
  out[9] = protocol;
  const std::uint8_t ends[8] = {192, 0, 2, 1, 192, 0, 2, 2};
  std::copy(ends, ends + 8, out.begin() + 12);
  store_be16(out.data() + 10, static_cast<std::uint16_t>(~checksum_fold(checksum_add(out, 0))));
  out.insert(out.end(), payload.begin(), payload.end());
  return out;
}

/// AH is as long as the vector has it: Linux pads it to 8 octets by default.
void match_ah(Pair& pair, const Outer& outer) {
  const std::uint8_t* ah = pair.sealed.data() + outer.esp_offset;
  const unsigned length = (ah[1] + 2u) * 4u;
  const unsigned iv = pair.sa.integrity == spec::Integrity::aes_gmac ? 8 : 0;
  const unsigned used = 12 + iv + pair.sa.icv_length;
  pair.sa.ah_align8 = pair.sa.outer == Family::ipv4 && driver::ah_length(pair.sa) != length;
  if (used < length && outer.esp_offset + length <= pair.sealed.size())
    pair.foreign_padding =
        std::any_of(ah + used, ah + length, [](std::uint8_t octet) { return octet != 0; });
}

std::string read_pair(const nlohmann::json& vector, Pair& out) {
  if (std::string why = read_sa(vector, out.sa); !why.empty()) return why;
  out.clear = octets(vector.at("plaintext_packet"));
  out.sealed = octets(vector.at("expected_packet"));
  const bool tunnel = out.sa.mode == driver::Mode::tunnel;
  if (vector.at("framing") == "esp") {
    out.sealed = wrap(kProtocolEsp, out.sealed);
    if (!tunnel) out.clear = wrap(vector.at("next_header"), out.clear);
  }
  Outer outer;
  if (!read_outer(out.sealed, out.sa.udp_encapsulation, outer))
    return "the vector's packet is no protected packet";
  out.sa.outer = outer.ip.family;
  driver::set_header_template(outer.ends, out.sa);
  if (out.sa.protocol == driver::Protocol::ah) match_ah(out, outer);
  if (std::string why = driver::check(out.sa); !why.empty()) return "refused: " + why;

  if (out.sa.udp_encapsulation) out.udp_checksum = outer.esp_offset - 2u;
  driver::Job& job = out.job;
  job.sequence_number = vector.at("seq");
  const Octets iv = octets(vector.at("iv"));
  std::copy_n(iv.begin(), std::min(iv.size(), job.iv.size()), job.iv.begin());
  const Octets trailer = octets(vector.at("esp_trailer"));
  if (trailer.size() >= 2) job.pad_length = trailer[trailer.size() - 2];
  job.tos = outer.ip.tos;
  job.ttl = outer.ip.ttl;
  job.dont_fragment = outer.ip.family == Family::ipv4 && outer.ip.dont_fragment;
  job.identity = outer.ip.identity;
  job.header_length = outer.esp_offset;
  return {};
}

Verdict compare(const char* way, const Rig::Outcome& got, const Octets& want) {
  if (got.status != driver::Status::ok)
    return Verdict::fail(fmt::format("{}: status {}", way, spec::info(got.status).name));
  if (got.packet == want) return Verdict::pass();
  if (got.packet.size() != want.size())
    return Verdict::fail(
        fmt::format("{}: {} octets, {} expected", way, got.packet.size(), want.size()));
  const auto at = std::mismatch(want.begin(), want.end(), got.packet.begin()).first - want.begin();
  return Verdict::fail(fmt::format("{}: octet {} is {:02x}, {:02x} expected", way, at,
                                   got.packet[static_cast<std::size_t>(at)],
                                   want[static_cast<std::size_t>(at)]));
}

Verdict check_open(Rig& rig, Pair& pair, bool tamper);

Verdict check_seal(Rig& rig, Pair& pair) {
  pair.sa.direction = driver::Direction::seal;
  rig.install(pair.sa);
  driver::Job job = pair.job;
  job.direction = driver::Direction::seal;
  const bool tunnel = pair.sa.mode == driver::Mode::tunnel;
  const unsigned udp = pair.sa.udp_encapsulation ? 8 : 0;
  job.header_length = tunnel ? 0 : static_cast<std::uint16_t>(job.header_length - udp);
  const Rig::Outcome got = rig.run(job, pair.clear);
  rig.remove();
  if (pair.foreign_padding && got.status == driver::Status::ok) {
    Pair own = pair;
    own.sealed = got.packet;
    return got.packet.size() == pair.sealed.size()
               ? check_open(rig, own, false)
               : Verdict::fail(fmt::format("seal: {} octets, {} expected", got.packet.size(),
                                           pair.sealed.size()));
  }
  // A UDP checksum of zero is as good as a right one in front of ESP (RFC 3948 2.1, RFC 6936).
  Octets want = pair.sealed;
  if (pair.udp_checksum != 0 && got.packet.size() == want.size() &&
      load_be16(got.packet.data() + pair.udp_checksum) == 0)
    store_be16(want.data() + pair.udp_checksum, 0);
  return compare("seal", got, want);
}

Verdict check_open(Rig& rig, Pair& pair, bool tamper) {
  pair.sa.direction = driver::Direction::open;
  rig.install(pair.sa);
  driver::Job job = pair.job;
  job.direction = driver::Direction::open;
  Verdict verdict = compare("open", rig.run(job, pair.sealed), pair.clear);
  for (unsigned i = 1; tamper && verdict.why.empty() && i <= pair.sa.icv_length; ++i) {
    Octets bad = pair.sealed;
    // ESP ends with its ICV; AH's begins behind its twelve octets, and an IV in GMAC.
    const std::size_t at = pair.sa.protocol == driver::Protocol::esp
                               ? bad.size() - i
                               : pair.job.header_length + 11u + i;
    bad[at] ^= static_cast<std::uint8_t>(1u << (i % 8));
    const Rig::Outcome got = rig.run(job, bad);
    if (got.status != driver::Status::icv_mismatch)
      verdict = Verdict::fail(
          fmt::format("open: a changed ICV octet gives status {}", spec::info(got.status).name));
  }
  rig.remove();
  return verdict;
}

}  // namespace

Verdict check_pair(Rig& rig, const driver::Device& device, const nlohmann::json& vector,
                   bool tamper) {
  Pair pair;
  if (std::string why = read_pair(vector, pair); !why.empty()) return Verdict::skip(why);
  for (const driver::Direction way : {driver::Direction::seal, driver::Direction::open}) {
    pair.sa.direction = way;
    if (!device.supports(pair.sa)) return Verdict::skip(not_offered(device, pair.sa));
    const std::size_t longest = std::max(pair.clear.size(), pair.sealed.size());
    if (longest > device.capabilities().max_packet)
      return Verdict::skip(fmt::format("longer than the {} octets {} takes",
                                       device.capabilities().max_packet,
                                       device.capabilities().name));
    const Verdict verdict =
        way == driver::Direction::seal ? check_seal(rig, pair) : check_open(rig, pair, tamper);
    if (verdict.kind == Verdict::Kind::failed) return verdict;
  }
  return Verdict::pass();
}

}  // namespace espalier::cli

// SPDX-License-Identifier: BSD-2-Clause-Patent
#include "tunnel.hpp"

namespace espalier::driver::software {
namespace {

void set_class6(std::uint8_t* header, std::uint8_t value) noexcept {
  header[0] = static_cast<std::uint8_t>((header[0] & 0xf0) | value >> 4);
  header[1] = static_cast<std::uint8_t>((header[1] & 0x0f) | value << 4);
}

/// Changes the TOS octet and updates the checksum by the difference (RFC 1624), so that a wrong one
/// stays wrong.
void set_tos4(std::uint8_t* header, std::uint8_t value) noexcept {
  const std::uint32_t sum = static_cast<std::uint16_t>(~load16(header + kChecksum4)) +
                            static_cast<std::uint16_t>(~header[1] & 0xffff) + value;
  const std::uint32_t once = (sum & 0xffff) + (sum >> 16);
  header[1] = value;
  store16(header + kChecksum4, static_cast<std::uint16_t>(~((once & 0xffff) + (once >> 16))));
}

enum Ecn : std::uint8_t { kNotEct = 0, kEct1 = 1, kEct0 = 2, kCe = 3 };
constexpr std::uint8_t kDrop = 4;
/// RFC 6040 4.2, figure 4: [inner][outer].
constexpr std::uint8_t kEgress[4][4] = {
    {kNotEct, kNotEct, kNotEct, kDrop},
    {kEct1, kEct1, kEct1, kCe},
    {kEct0, kEct1, kEct0, kCe},
    {kCe, kCe, kCe, kCe},
};

}  // namespace

void write_outer(const SaShape& sa, const Job& job, std::size_t total, std::uint8_t* out) noexcept {
  if (sa.outer == Family::ipv4) {
    write_outer4(sa, job, total, out);
  } else {
    const std::uint32_t first =
        0x60000000u | std::uint32_t{job.tos} << 20 | (job.identity & 0xfffff);
    std::memcpy(out, sa.header_template.data(), kHeader6);
    store64(out, std::uint64_t{first} << 32 | (total - kHeader6) << 16 |
                     std::uint64_t{sa.header_template[kNext6]} << 8 | job.ttl);
  }
  if (sa.udp) {
    const unsigned ip = sa.outer == Family::ipv4 ? kHeader4 : kHeader6;
    write_udp(sa, total - ip - kUdpHeader, out + ip);
  }
}

Status take_over_ecn(Family inner_family, std::uint8_t outer_class, std::uint8_t* inner) noexcept {
  const std::uint8_t inner_class = traffic_class(inner, inner_family);
  const std::uint8_t ecn = kEgress[inner_class & 3][outer_class & 3];
  if (ecn == kDrop) return Status::congested;
  if (ecn == (inner_class & 3)) return Status::ok;
  const auto marked = static_cast<std::uint8_t>((inner_class & 0xfc) | ecn);
  inner_family == Family::ipv4 ? set_tos4(inner, marked) : set_class6(inner, marked);
  return Status::ok;
}

}  // namespace espalier::driver::software

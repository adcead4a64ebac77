// SPDX-License-Identifier: BSD-2-Clause-Patent
// CRC-32C (Castagnoli, reflected) of a completion.
#pragma once

#include <array>
#include <cstdint>

#include "espalier/spec/descriptor.h"

namespace espalier::driver {

inline constexpr std::uint32_t kCrc32cPolynomial = 0x82f63b78u;

namespace detail {
constexpr std::array<std::uint32_t, 256> crc32c_table() {
  std::array<std::uint32_t, 256> table{};
  for (std::uint32_t i = 0; i < 256; ++i) {
    std::uint32_t crc = i;
    for (int k = 0; k < 8; ++k) crc = (crc >> 1) ^ ((crc & 1) != 0 ? kCrc32cPolynomial : 0u);
    table[i] = crc;
  }
  return table;
}
inline constexpr auto kCrc32cTable = crc32c_table();
}  // namespace detail

/// Of octets 0..7 and 12..15, which is all but the CRC itself.
inline std::uint32_t completion_crc(const spec::Completion& completion) noexcept {
  const auto* octets = reinterpret_cast<const std::uint8_t*>(&completion);
  std::uint32_t crc = ~0u;
  for (unsigned i = 0; i < sizeof completion; ++i)
    if (i < 8 || i >= 12) crc = (crc >> 8) ^ detail::kCrc32cTable[(crc ^ octets[i]) & 0xff];
  return ~crc;
}

}  // namespace espalier::driver

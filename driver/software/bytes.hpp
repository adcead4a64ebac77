// SPDX-License-Identifier: BSD-2-Clause-Patent
// Network byte order to numbers and back; the only place of the software device that swaps.
#pragma once

#include <bit>
#include <cstdint>
#include <cstring>

namespace espalier::driver::software {

template <class Number>
Number swapped(Number n) noexcept {
  if constexpr (std::endian::native == std::endian::big) return n;
  if constexpr (sizeof n == 2) return __builtin_bswap16(n);
  if constexpr (sizeof n == 4) return __builtin_bswap32(n);
  if constexpr (sizeof n == 8) return __builtin_bswap64(n);
}
template <class Number>
Number load(const std::uint8_t* from) noexcept {
  Number n;
  std::memcpy(&n, from, sizeof n);
  return swapped(n);
}
template <class Number>
void store(std::uint8_t* to, Number n) noexcept {
  n = swapped(n);
  std::memcpy(to, &n, sizeof n);
}
inline std::uint16_t load16(const std::uint8_t* p) noexcept {
  return load<std::uint16_t>(p);
}
inline std::uint32_t load32(const std::uint8_t* p) noexcept {
  return load<std::uint32_t>(p);
}
inline std::uint64_t load64(const std::uint8_t* p) noexcept {
  return load<std::uint64_t>(p);
}
inline void store16(std::uint8_t* p, std::size_t n) noexcept {
  store(p, static_cast<std::uint16_t>(n));
}
inline void store32(std::uint8_t* p, std::uint32_t n) noexcept {
  store(p, n);
}
inline void store64(std::uint8_t* p, std::uint64_t n) noexcept {
  store(p, n);
}

}  // namespace espalier::driver::software

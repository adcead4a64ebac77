// SPDX-License-Identifier: BSD-2-Clause-Patent
// AES key schedules and powers of H, which OpenSSL computes but does not give out.
// No branch and no table index depends on a key.
#pragma once

#include <cstdint>
#include <span>

namespace espalier::driver {

inline constexpr unsigned kRoundKeyBytes = 16;
inline constexpr unsigned kScheduleBytes = 15 * kRoundKeyBytes;
inline constexpr unsigned kHashPowers = 8;

/// Rounds of AES for a key of 16, 24 or 32 octets.
constexpr unsigned aes_rounds(std::size_t key_length) {
  return static_cast<unsigned>(key_length / 4 + 6);
}

/// Encryption schedule (FIPS-197 5.2) as an SA record holds it: the whitening key at index 0, round
/// i of Nr at index 14 - Nr + i; indices between are left as they are.
void aes_schedule(std::span<const std::uint8_t> key,
                  std::span<std::uint8_t, kScheduleBytes> record);

/// The same places with the schedule of the equivalent inverse cipher (FIPS-197 5.3.5).
void aes_inverse_schedule(std::span<const std::uint8_t> key,
                          std::span<std::uint8_t, kScheduleBytes> record);

/// H^1 to H^8 behind each other from H, bit order as in SP 800-38D 6.3.
void hash_powers(std::span<const std::uint8_t, 16> h,
                 std::span<std::uint8_t, 16 * kHashPowers> powers);

}  // namespace espalier::driver

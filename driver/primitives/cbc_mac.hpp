// SPDX-License-Identifier: BSD-2-Clause-Patent
// The keys of AES-XCBC (RFC 3566) and AES-CMAC (RFC 4493).  Both are CBC-MACs with AES-128 whose
// last block gets one of two subkeys: `full` if it is complete, `padded` if it was filled up.
#pragma once

#include <array>
#include <cstdint>
#include <span>

#include "espalier/spec/sa_record.h"

namespace espalier::driver {

inline constexpr unsigned kAesBlock = 16;  ///< Octets.

/// Wipes itself.
struct CbcMacKeys {
  std::array<std::uint8_t, kAesBlock> cipher{};  ///< AES-128 key of the chain.
  std::array<std::uint8_t, kAesBlock> full{};    ///< K1 of CMAC, K2 of XCBC.
  std::array<std::uint8_t, kAesBlock> padded{};  ///< K2 of CMAC, K3 of XCBC.

  CbcMacKeys() = default;
  CbcMacKeys(const CbcMacKeys&) = delete;
  CbcMacKeys& operator=(const CbcMacKeys&) = delete;
  ~CbcMacKeys();

  /// Derives all three from the 16-octet key of aes_xcbc or aes_cmac.  False if OpenSSL failed.
  bool derive(spec::Integrity integrity, std::span<const std::uint8_t> key) noexcept;
};

/// One AES block under `key` (16, 24 or 32 octets).  False if OpenSSL failed.
bool aes_encrypt_block(std::span<const std::uint8_t> key, const std::uint8_t* in,
                       std::uint8_t* out) noexcept;

}  // namespace espalier::driver

// SPDX-License-Identifier: BSD-2-Clause-Patent
// Internet checksums (RFC 1071, RFC 1624) and the transport-mode fix-up behind a NAT.
#pragma once

#include <cstdint>
#include <span>

#include "espalier/address.hpp"

namespace espalier {

/// One's complement sum of `octets` on top of `sum`; an odd last octet counts as the high half.
std::uint32_t checksum_add(std::span<const std::uint8_t> octets, std::uint32_t sum) noexcept;
/// Folds a sum to 16 bits; the checksum is its complement.
std::uint16_t checksum_fold(std::uint32_t sum) noexcept;

/// Makes the TCP or UDP checksum of `packet`, an opened transport-mode packet with the addresses a
/// NAT gave it, right for those addresses, given the ones the sender computed it over (RFC 3948
/// 3.1.2, incrementally by RFC 1624).  A UDP checksum of zero stays zero.  Other protocols,
/// fragments and packets too short for the field are left alone.
void fix_nat_checksum(std::span<std::uint8_t> packet, const Address& original_source,
                      const Address& original_destination) noexcept;

}  // namespace espalier

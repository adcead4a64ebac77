// SPDX-License-Identifier: BSD-2-Clause-Patent
// The SA record: everything a card knows of one security association, expanded by the host (D6).
//
// 1 KiB, 16 beats of 64 bytes, one layout for all suites.  A record is immutable while in use: it
// is replaced by make-before-break under a new generation.  It is write-only: no register or
// descriptor reads one back.
//
//   beat  0       control
//   beat  1       outer header template
//   beats 2-5     cipher keys
//   beats 6-7     GHASH powers
//   beats 8-11    integrity keys
//   beats 12-15   reserved, zero
#ifndef ESPALIER_SPEC_SA_RECORD_H
#define ESPALIER_SPEC_SA_RECORD_H

#include "espalier/spec/layout.h"

namespace espalier {
namespace spec {

constexpr unsigned kSaRecordBytes = 1024;
constexpr unsigned kBeatBytes = 64;
constexpr unsigned kSaRecordBeats = kSaRecordBytes / kBeatBytes;

/// Cipher of a record.  Combined modes name their integrity too; `integrity` is then
/// Integrity::none.
enum class Cipher : std::uint8_t {
  null = 0,
  aes_cbc = 1,
  aes_ctr = 2,
  aes_gcm = 3,
  aes_gmac = 4,
  aes_ccm = 5,
  chacha20_poly1305 = 6,
};

enum class Integrity : std::uint8_t {
  none = 0,
  hmac_sha1 = 1,
  hmac_sha256 = 2,
  hmac_sha384 = 3,
  hmac_sha512 = 4,
  aes_xcbc = 5,
  aes_cmac = 6,
  aes_gmac = 7,  ///< AH only (RFC 4543 section 4).
};

enum SaFlags : std::uint16_t {
  kSaValid = 1u << 0,
  kSaSeal = 1u << 1,    ///< Outbound SA; an SA serves one direction (RFC 4301 4.1).
  kSaAh = 1u << 2,      ///< AH instead of ESP.
  kSaTunnel = 1u << 3,  ///< Tunnel mode; otherwise transport.
  kSaOuterIpv6 =
      1u << 4,       ///< Family of the outer header (tunnel) or of the only header (transport).
  kSaUdp = 1u << 5,  ///< UDP encapsulation (RFC 3948): the template ends with the UDP header.
  kSaEsn = 1u << 6,  ///< Extended sequence numbers (RFC 4303 2.2.1).
  kSaImplicitIv = 1u << 7,  ///< No IV on the wire; it is the sequence number (RFC 8750).
  kSaAhAlign8 = 1u << 8,    ///< AH over IPv4 padded to 8 octets, not 4 (RFC 4302 2.6).
};

#define ESPALIER_SA_RECORD(F, A)                                                                  \
  F(std::uint32_t, spi, "SPI as a number.")                                                       \
  F(std::uint16_t, flags, "SaFlags.")                                                             \
  F(std::uint16_t, generation, "Generation of the slot's content.")                               \
  A(std::uint8_t, salt, 4, "Nonce salt, wire order (RFC 4106 4; three octets in CCM).")           \
  F(std::uint8_t, cipher, "Cipher.")                                                              \
  F(std::uint8_t, integrity, "Integrity.")                                                        \
  F(std::uint8_t, rounds, "AES rounds: 10, 12 or 14; 0 without AES.")                             \
  F(std::uint8_t, icv_length, "Octets of ICV on the wire.")                                       \
  F(std::uint8_t, iv_length, "Octets of IV on the wire.")                                         \
  F(std::uint8_t, header_length, "Octets of header_template in use, a multiple of 4.")            \
  F(std::uint8_t, block_length, "The encrypted body is a multiple of this many octets: 4 or 16.") \
  F(std::uint8_t, ecn_mode, "Tunnel egress: 0 leaves the inner ECN, 1 RFC 6040.")                 \
  A(std::uint8_t, control_reserved, 44, "Zero.")                                                  \
  A(std::uint8_t, header_template, 64,                                                            \
    "Outer IP header, and UDP header with kSaUdp, wire order; length, "                           \
    "identification, TOS, DF, TTL, flow label and checksum as zero.")                             \
  A(std::uint8_t, cipher_keys, 256,                                                               \
    "AES: 16-octet round keys, wire order, encryption schedule (decryption "                      \
    "schedule for opening CBC): the whitening key at index 0, round i of Nr "                     \
    "at index 14 - Nr + i, so that the last rounds of all key sizes share "                       \
    "their memories.  AH with AES-GMAC: its key's.  ChaCha20: the key, first 32 octets.")         \
  A(std::uint8_t, hash_powers, 128,                                                               \
    "GHASH: H^1 to H^8, 16 octets each; octet and bit order as GCM writes H.")                    \
  A(std::uint8_t, integrity_keys, 256,                                                            \
    "HMAC: inner state at 0, outer state at 64, big-endian words.  XCBC and CMAC: round keys as " \
    "in cipher_keys at 0, and where AES-128 has none, K1 (K2 of XCBC) at 16, K2 (K3 of XCBC) at " \
    "32.")                                                                                        \
  A(std::uint8_t, reserved, 256, "Zero.")

ESPALIER_STRUCT(SaRecord, ESPALIER_SA_RECORD, kSaRecordBytes)

}  // namespace spec
}  // namespace espalier

#endif

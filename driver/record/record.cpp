// SPDX-License-Identifier: BSD-2-Clause-Patent
#include "record.hpp"

#include <algorithm>
#include <cstring>

#include "aes_schedule.hpp"
#include "espalier/driver/suite.hpp"
#include "primitives/cbc_mac.hpp"
#include "primitives/hmac.hpp"

namespace espalier::driver {
namespace {

using spec::Cipher;
using spec::Integrity;

constexpr unsigned kOuterState = 64;    // spec: integrity_keys, HMAC
constexpr unsigned kFullSubkey = 16;    // spec: integrity_keys, CBC-MACs: where AES-128 has no
constexpr unsigned kPaddedSubkey = 32;  // round keys

std::span<std::uint8_t, kScheduleBytes> schedule(std::uint8_t* keys) {
  return std::span<std::uint8_t, kScheduleBytes>(keys, kScheduleBytes);
}

void write_control(const SaParameters& sa, const Suite& suite, Generation generation,
                   spec::SaRecord& record) {
  unsigned flags = spec::kSaValid;
  if (sa.direction == Direction::seal) flags |= spec::kSaSeal;
  if (sa.protocol == Protocol::ah) flags |= spec::kSaAh;
  if (sa.mode == Mode::tunnel) flags |= spec::kSaTunnel;
  if (sa.outer == Family::ipv6) flags |= spec::kSaOuterIpv6;
  if (sa.udp_encapsulation) flags |= spec::kSaUdp;
  if (sa.esn) flags |= spec::kSaEsn;
  if (sa.implicit_iv) flags |= spec::kSaImplicitIv;
  if (sa.ah_align8) flags |= spec::kSaAhAlign8;
  record.flags = static_cast<std::uint16_t>(flags);
  record.spi = sa.spi;
  record.generation = static_cast<std::uint16_t>(generation);
  std::copy(sa.salt.begin(), sa.salt.end(), record.salt);
  record.cipher = static_cast<std::uint8_t>(sa.cipher);
  record.integrity = static_cast<std::uint8_t>(sa.integrity);
  record.icv_length = suite.icv_length;
  record.iv_length = suite.iv_length;
  record.block_length = suite.block_length;
  record.ecn_mode = sa.copy_ecn ? 1 : 0;
  record.header_length = sa.header_length;
  std::copy(sa.header_template.begin(), sa.header_template.end(), record.header_template);
}

/// AES in counter modes and for sealing runs forwards; only opening CBC needs the inverse cipher.
bool write_aes(std::span<const std::uint8_t> key, bool inverse, bool ghash,
               spec::SaRecord& record) {
  record.rounds = static_cast<std::uint8_t>(aes_rounds(key.size()));
  (inverse ? aes_inverse_schedule : aes_schedule)(key, schedule(record.cipher_keys));
  if (!ghash) return true;
  std::uint8_t h[kAesBlock] = {};
  const bool done = aes_encrypt_block(key, h, h);
  hash_powers(std::span<const std::uint8_t, 16>(h), record.hash_powers);
  OPENSSL_cleanse(h, sizeof h);
  return done;
}

bool write_cipher(const SaParameters& sa, spec::SaRecord& record) {
  const auto key = sa.cipher_key.view();
  switch (sa.cipher) {
    case Cipher::null:
      return true;
    case Cipher::chacha20_poly1305:
      std::copy(key.begin(), key.end(), record.cipher_keys);
      return true;
    case Cipher::aes_cbc:
      return write_aes(key, sa.direction == Direction::open, false, record);
    case Cipher::aes_ctr:
    case Cipher::aes_ccm:
      return write_aes(key, false, false, record);
    case Cipher::aes_gcm:
    case Cipher::aes_gmac:
      return write_aes(key, false, true, record);
  }
  return false;
}

template <class Sha>
bool write_hmac(std::span<const std::uint8_t> key, spec::SaRecord& record) {
  Hmac<Sha>(key).states(record.integrity_keys, record.integrity_keys + kOuterState);
  return true;
}

bool write_cbc_mac(const SaParameters& sa, spec::SaRecord& record) {
  CbcMacKeys keys;
  if (!keys.derive(sa.integrity, sa.integrity_key.view())) return false;
  aes_schedule(keys.cipher, schedule(record.integrity_keys));
  std::copy(keys.full.begin(), keys.full.end(), record.integrity_keys + kFullSubkey);
  std::copy(keys.padded.begin(), keys.padded.end(), record.integrity_keys + kPaddedSubkey);
  return true;
}

bool write_integrity(const SaParameters& sa, spec::SaRecord& record) {
  const auto key = sa.integrity_key.view();
  switch (sa.integrity) {
    case Integrity::none:
      return true;
    case Integrity::hmac_sha1:
      return write_hmac<Sha1>(key, record);
    case Integrity::hmac_sha256:
      return write_hmac<Sha256>(key, record);
    case Integrity::hmac_sha384:
      return write_hmac<Sha384>(key, record);
    case Integrity::hmac_sha512:
      return write_hmac<Sha512>(key, record);
    case Integrity::aes_xcbc:
    case Integrity::aes_cmac:
      return write_cbc_mac(sa, record);
    case Integrity::aes_gmac:
      return write_aes(key, false, true, record);
  }
  return false;
}

}  // namespace

Status build_record(const SaParameters& sa, Generation generation,
                    spec::SaRecord& record) noexcept {
  record = {};
  const auto suite = suite_of(sa);
  if (!suite) return Status::unsupported;
  write_control(sa, *suite, generation, record);
  if (write_cipher(sa, record) && write_integrity(sa, record)) return Status::ok;
  wipe_record(record);
  return Status::internal_error;
}

void wipe_record(spec::SaRecord& record) noexcept {
  OPENSSL_cleanse(&record, sizeof record);
}

}  // namespace espalier::driver

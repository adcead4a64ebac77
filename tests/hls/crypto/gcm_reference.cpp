// SPDX-License-Identifier: BSD-2-Clause-Patent
#include "gcm_reference.h"

#include <gtest/gtest.h>
#include <openssl/evp.h>

#include <cstring>
#include <memory>
#include <stdexcept>

#include "crypto/aes.h"

namespace espalier::test {
namespace {

struct FreeContext {
  void operator()(EVP_CIPHER_CTX* context) const { EVP_CIPHER_CTX_free(context); }
};
using Context = std::unique_ptr<EVP_CIPHER_CTX, FreeContext>;

const EVP_CIPHER* gcm_cipher(std::size_t key_octets) {
  return key_octets == 16   ? EVP_aes_128_gcm()
         : key_octets == 24 ? EVP_aes_192_gcm()
                            : EVP_aes_256_gcm();
}
const EVP_CIPHER* ecb_cipher(std::size_t key_octets) {
  return key_octets == 16   ? EVP_aes_128_ecb()
         : key_octets == 24 ? EVP_aes_192_ecb()
                            : EVP_aes_256_ecb();
}

void must(int openssl_result) {
  if (openssl_result != 1) throw std::runtime_error("OpenSSL call failed");
}

/// AES key expansion (FIPS 197 section 5.2): 4 (rounds + 1) words of 4 octets.
Bytes expand_key(const Bytes& key) {
  const std::size_t words = key.size() / 4, rounds = words + 6;
  Bytes expanded = key;
  std::uint8_t constant = 1;
  for (std::size_t i = words; i < 4 * (rounds + 1); ++i) {
    std::array<std::uint8_t, 4> word;
    std::memcpy(word.data(), &expanded[4 * (i - 1)], 4);
    if (i % words == 0) {
      const std::uint8_t first = word[0];
      for (int k = 0; k < 3; ++k) word[k] = aes::kSbox[word[k + 1]];
      word[3] = aes::kSbox[first];
      word[0] ^= constant;
      constant = static_cast<std::uint8_t>((constant << 1) ^ (constant & 0x80 ? 0x1b : 0));
    } else if (words > 6 && i % words == 4) {
      for (auto& octet : word) octet = aes::kSbox[octet];
    }
    for (int k = 0; k < 4; ++k) {
      expanded.push_back(static_cast<std::uint8_t>(expanded[4 * (i - words) + k] ^ word[k]));
    }
  }
  return expanded;
}

}  // namespace

Bytes gf128_times(const Bytes& x, const Bytes& y) {
  Bytes z(16, 0), v = y;
  for (int i = 0; i < 128; ++i) {
    if (x[i / 8] >> (7 - i % 8) & 1) {
      for (int k = 0; k < 16; ++k) z[k] ^= v[k];
    }
    const bool carry = v[15] & 1;
    for (int k = 15; k > 0; --k) v[k] = static_cast<std::uint8_t>(v[k] >> 1 | v[k - 1] << 7);
    v[0] = static_cast<std::uint8_t>(v[0] >> 1 ^ (carry ? 0xe1 : 0));
  }
  return z;
}

Bytes random_bytes(Random& random, std::size_t count) {
  Bytes bytes(count);
  for (auto& byte : bytes) byte = static_cast<std::uint8_t>(random());
  return bytes;
}

Sa random_sa(Random& random, KeySize size) {
  Sa sa{random_bytes(random, 16 + 8 * size), {}};
  for (auto& octet : sa.salt) octet = static_cast<std::uint8_t>(random());
  return sa;
}

KeySize key_size(const Sa& sa) {
  return static_cast<KeySize>((sa.key.size() - 16) / 8);
}

spec::SaRecord expand(const Sa& sa) {
  spec::SaRecord record{};
  const Bytes keys = expand_key(sa.key);
  const std::size_t rounds = keys.size() / 16 - 1;
  for (std::size_t i = 0; i <= rounds; ++i) {
    const std::size_t index = i == 0 ? 0 : kRounds - rounds + i;
    std::memcpy(&record.cipher_keys[16 * index], &keys[16 * i], 16);
  }
  const Bytes h = openssl_aes(sa.key, Bytes(16, 0));
  Bytes power = h;
  for (int k = 0; k < 8; ++k) {
    std::memcpy(&record.hash_powers[16 * k], power.data(), 16);
    power = gf128_times(power, h);
  }
  return record;
}

Packet random_packet(Random& random, std::size_t length) {
  Packet packet;
  packet.open = random() & 1;
  packet.iv = random_bytes(random, 8);
  packet.aad = random_bytes(random, random() & 1 ? 12 : 8);
  packet.text = random_bytes(random, length);
  return packet;
}

Expected openssl_gcm(const Sa& sa, const Packet& packet) {
  Bytes nonce(sa.salt.begin(), sa.salt.end());
  nonce.insert(nonce.end(), packet.iv.begin(), packet.iv.end());
  // Opening is sealing with the same keystream: OpenSSL seals once to get the plaintext, and the
  // tag is that of sealing this plaintext.
  auto seal = [&](const Bytes& text) {
    Expected sealed{Bytes(text.size()), Bytes(16)};
    Context context(EVP_CIPHER_CTX_new());
    int count = 0;
    must(EVP_EncryptInit_ex(context.get(), gcm_cipher(sa.key.size()), nullptr, sa.key.data(),
                            nonce.data()));
    must(EVP_EncryptUpdate(context.get(), nullptr, &count, packet.aad.data(),
                           static_cast<int>(packet.aad.size())));
    must(EVP_EncryptUpdate(context.get(), sealed.text.data(), &count, text.data(),
                           static_cast<int>(text.size())));
    must(EVP_EncryptFinal_ex(context.get(), nullptr, &count));
    must(EVP_CIPHER_CTX_ctrl(context.get(), EVP_CTRL_GCM_GET_TAG, 16, sealed.tag.data()));
    return sealed;
  };
  Expected expected = seal(packet.text);
  if (packet.open) expected.tag = seal(expected.text).tag;
  return expected;
}

Bytes openssl_aes(const Bytes& key, const Bytes& block) {
  Bytes result(32);
  Context context(EVP_CIPHER_CTX_new());
  int count = 0;
  must(EVP_EncryptInit_ex(context.get(), ecb_cipher(key.size()), nullptr, key.data(), nullptr));
  must(EVP_EncryptUpdate(context.get(), result.data(), &count, block.data(), 16));
  result.resize(16);
  return result;
}

CryptoJob job_of(const Sa& sa, const Packet& packet, unsigned slot, unsigned ticket) {
  CryptoJob job = record_job(slot, ticket);
  job.record = 0;
  job.open = packet.open;
  job.key_size = key_size(sa);
  job.esn = packet.aad.size() == 12;
  job.length = packet.text.size();
  job.salt = to_word<32>(sa.salt.data());
  job.iv = to_word<64>(packet.iv.data());
  job.aad = to_word<96>(packet.aad.data(), packet.aad.size());
  return job;
}

CryptoJob record_job(unsigned slot, unsigned ticket) {
  CryptoJob job;
  job.record = 1;
  job.open = 0;
  job.key_size = 0;
  job.esn = 0;
  job.slot = slot;
  job.ticket = ticket;
  job.length = 0;
  job.salt = 0;
  job.iv = 0;
  job.aad = 0;
  return job;
}

std::vector<Beat> beats_of(const Bytes& text) {
  const std::size_t blocks = (text.size() + 15) / 16, beats = (blocks + 2 + 3) / 4;
  Bytes packed(64 * beats, 0);
  const std::size_t begin = 16 * (4 * beats - (blocks + 2) + 1);
  std::copy(text.begin(), text.end(), packed.begin() + begin);
  std::vector<Beat> result(beats);
  for (std::size_t i = 0; i < beats; ++i) {
    result[i].data = to_word<512>(&packed[64 * i]);
    result[i].last = i + 1 == beats;
  }
  return result;
}

std::vector<Beat> beats_of(const spec::SaRecord& record) {
  std::vector<Beat> result(spec::kSaRecordBeats);
  std::uint8_t bytes[sizeof record];
  std::memcpy(bytes, &record, sizeof record);
  for (std::size_t i = 0; i < result.size(); ++i) {
    result[i].data = to_word<512>(bytes + 64 * i);
    result[i].last = i + 1 == result.size();
  }
  return result;
}

Bytes text_of(const std::vector<Beat>& beats, std::size_t length) {
  const std::size_t blocks = (length + 15) / 16;
  const std::size_t begin = 16 * (4 * beats.size() - (blocks + 2) + 1);
  Bytes packed;
  for (std::size_t i = 0; i < beats.size(); ++i) {
    const Bytes bytes = to_bytes<512>(beats[i].data);
    packed.insert(packed.end(), bytes.begin(), bytes.end());
    EXPECT_EQ(beats[i].last, i + 1 == beats.size());
  }
  for (std::size_t i = 0; i < packed.size(); ++i) {
    if (i < begin || i >= begin + length) EXPECT_EQ(packed[i], 0) << "byte " << i << " is no text";
  }
  return Bytes(packed.begin() + begin, packed.begin() + begin + length);
}

}  // namespace espalier::test

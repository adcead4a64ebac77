// SPDX-License-Identifier: BSD-2-Clause-Patent
#include "crypto/aes.h"

#include <gtest/gtest.h>

#include "gcm_reference.h"

namespace espalier::test {
namespace {

TEST(Aes, RoundsOfTheRecordsKeysEncryptABlock) {
  const unsigned seed = 1;
  Random random(seed);
  for (const KeySize size : {kAes128, kAes192, kAes256}) {
    for (int trial = 0; trial < 50; ++trial) {
      const Sa sa = random_sa(random, size);
      const spec::SaRecord record = expand(sa);
      const Bytes block = random_bytes(random, 16);
      Block state = to_word<128>(block.data()) ^ to_word<128>(record.cipher_keys);
      for (int round = 5 - 2 * size; round <= kRounds; ++round) {
        state = aes::round(state, to_word<128>(record.cipher_keys + 16 * round), round == kRounds);
      }
      EXPECT_EQ(to_bytes<128>(state), openssl_aes(sa.key, block)) << "seed " << seed;
    }
  }
}

}  // namespace
}  // namespace espalier::test

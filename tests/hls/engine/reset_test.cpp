// SPDX-License-Identifier: BSD-2-Clause-Patent
// The native engine's memories after reset.
#include <gtest/gtest.h>

#include "engine.h"
#include "espalier/spec/descriptor.h"

namespace espalier::test {
namespace {

TEST(Reset, WipesEverySlotBeforeAJobIsTaken) {
  auto engine_state = std::make_unique<Engine>();
  for (unsigned slot = 0; slot < kSlots; ++slot) {
    espalier::Sa sa = hls::unpack<espalier::Sa>(0);
    sa.valid = 1;
    engine_state->sa.slots.write(slot, sa);
    for (auto& keys : engine_state->gcm.aes_keystream.round_key) keys.write(slot, 1);
    engine_state->gcm.ghash.powers.write(2 * slot, 1);
    engine_state->gcm.ghash.powers.write(2 * slot + 1, 1);
  }
  hls::stream<Job> jobs;
  hls::stream<Beat> in, out;
  hls::stream<Result> results;
  // A removal is answered when the crypto stage has done its part.
  Job remove;
  remove.descriptor = 0;
  remove.descriptor.range(spec::DescriptorBits::opcode_lsb + 7, spec::DescriptorBits::opcode_lsb) =
      static_cast<int>(spec::Opcode::remove);
  remove.ticket = 0;
  jobs.write(remove);
  while (results.empty()) engine(*engine_state, jobs, in, results, out);
  for (unsigned slot = 0; slot < kSlots; ++slot) {
    ASSERT_EQ(hls::pack(engine_state->sa.slots.read(slot)), 0) << slot;
    for (auto& keys : engine_state->gcm.aes_keystream.round_key) ASSERT_EQ(keys.read(slot), 0);
    ASSERT_EQ(engine_state->gcm.ghash.powers.read(2 * slot), 0);
    ASSERT_EQ(engine_state->gcm.ghash.powers.read(2 * slot + 1), 0);
  }
}

}  // namespace
}  // namespace espalier::test

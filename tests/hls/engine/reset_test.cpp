// SPDX-License-Identifier: BSD-2-Clause-Patent
// The native engine's memories after reset.
#include <gtest/gtest.h>

#include "engine.h"

namespace espalier::test {
namespace {

TEST(Reset, WipesEverySlotBeforeAJobIsTaken) {
  auto engine_state = std::make_unique<Engine>();
  for (unsigned slot = 0; slot < kSlots; ++slot) {
    espalier::Sa sa = hls::unpack<espalier::Sa>(0);
    sa.valid = 1;
    engine_state->sa.slots.write(slot, sa);
  }
  hls::stream<Job> jobs;
  hls::stream<Beat> in, out;
  hls::stream<Result> results;
  Job nop;
  nop.descriptor = 0;
  nop.ticket = 0;
  jobs.write(nop);
  while (results.empty()) engine(*engine_state, jobs, in, results, out);
  for (unsigned slot = 0; slot < kSlots; ++slot) {
    ASSERT_EQ(hls::pack(engine_state->sa.slots.read(slot)), 0) << slot;
  }
}

}  // namespace
}  // namespace espalier::test

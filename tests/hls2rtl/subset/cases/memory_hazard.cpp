// SPDX-License-Identifier: BSD-2-Clause-Patent
#include "dialect.h"

struct State {
  hls::mem<Word, 64> table;  // expect-error: memory table: a write depends on the same step's read of this memory ... declare the hazard policy in mem<T, N, LATENCY, HAZARD>
};

void step(State& s, In& in, Out& out) {
  if (in.empty()) return;
  const ap_uint<6> at = in.read();
  const Word count = s.table.read(at);
  s.table.write(at, count + 1);
  out.write(count);
}

// SPDX-License-Identifier: BSD-2-Clause-Patent
#include "dialect.h"

struct State {
  hls::mem<Word, 64> table;  // expect-error: table
};

void step(State& s, In& in, Out& out) {
  if (in.empty()) return;
  const ap_uint<6> at = in.read();
  const Word count = s.table.read(at);
  s.table.write(at, count + 1);
  out.write(count);
}

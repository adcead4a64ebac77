// SPDX-License-Identifier: BSD-2-Clause-Patent
#include "dialect.h"

struct State {
  hls::mem<Word, 64> tables[2];
};

void step(State& s, In& in, Out& out) {
  if (in.empty()) return;
  const Word x = in.read();
  out.write(s.tables[x[0]].read(x.range(6, 1)));  // expect-error: a memory is chosen by a variable index; select between the memories with `if`
}

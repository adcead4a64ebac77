// SPDX-License-Identifier: BSD-2-Clause-Patent
#include "dialect.h"

struct State {
  hls::mem<Word, 64> table;
};

void step(State& s, In& in, Out& out) {
  if (in.empty()) return;
  const Word x = in.read();
  out.write(s.table.read(x.range(5, 0)));
  s.table.write(0, x);
  s.table.write(1, x);  // expect-error: memory 'table' is written a second time on one path (first in line 12); it has one write port
}

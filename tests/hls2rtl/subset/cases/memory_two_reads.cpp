// SPDX-License-Identifier: BSD-2-Clause-Patent
#include "dialect.h"

struct State {
  hls::mem<Word, 64> table;
};

void step(State& s, In& in, Out& out) {
  if (in.empty()) return;
  const Word x = in.read();
  Word y = s.table.read(x.range(5, 0));
  y ^= s.table.read(x.range(11, 6));  // expect-error: memory 'table' is read a second time on one path (first in line 11); it has one read port
  out.write(y);
}

// SPDX-License-Identifier: BSD-2-Clause-Patent
#include "dialect.h"

struct State {
  hls::mem<Word, 64> table;
};

void step(State& s, In& in, Out& out) {
  if (in.empty()) return;
  const Word x = in.read();
  s.table.write(x.range(5, 0), x);
  out.write(s.table.read(x.range(11, 6)));  // expect-error: memory 'table' is read after it was written (line 11); read first
}

// SPDX-License-Identifier: BSD-2-Clause-Patent
#include "dialect.h"

struct State {
  hls::mem<Word, 64> table;  // expect-error: memory table: its read or write depends, through register last ... on its own data ... declare the hazard policy
  Word last;
};

void step(State& s, In& in, Out& out) {
  if (in.empty()) return;
  const Word x = in.read();
  out.write(s.last);
  const Word old = s.table.read(x.range(5, 0));
  s.table.write(x.range(11, 6), s.last);
  s.last = old;
}

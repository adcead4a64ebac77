// SPDX-License-Identifier: BSD-2-Clause-Patent
#include "dialect.h"

struct State {
  Word sum;  // expect-error: decides about a pop, so it has to fit the first pipeline stage; it takes ... levels, 5 are allowed; compute part of it a step ahead
};

void step(State& s, In& in, Out& out) {
  if (in.empty()) return;
  Word deep = s.sum;
  for (int i = 0; i < 9; ++i) deep = (deep ^ (deep >> 3)) + s.sum;
  if (deep > 77) return;
  s.sum = in.read();
  out.write(s.sum);
}

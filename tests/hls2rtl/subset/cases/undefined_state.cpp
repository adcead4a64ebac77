// SPDX-License-Identifier: BSD-2-Clause-Patent
#include "dialect.h"

struct State {
  Word last;
};

void step(State& s, In& in, Out& out) {
  if (in.empty()) return;
  const Word x = in.read();
  Word y;  // expect-error: an undefined value reaches register 'last'; give the variable that is declared here a value on every path
  if (x[0]) y = x;
  s.last = y;
  out.write(x);
}

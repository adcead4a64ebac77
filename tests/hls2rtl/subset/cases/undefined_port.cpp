// SPDX-License-Identifier: BSD-2-Clause-Patent
#include "dialect.h"

struct State {};

void step(State&, In& in, Out& out) {
  if (in.empty()) return;
  const Word x = in.read();
  Word y;  // expect-error: an undefined value reaches stream 'out'; give the variable that is declared here a value on every path
  y.range(15, 0) = x;
  out.write(y);
}

// SPDX-License-Identifier: BSD-2-Clause-Patent
#include "dialect.h"

struct State {};

void step(State&, In& in, Out& out) {
  if (in.empty()) return;
  const Word x = in.read();
  out.write(x);
  if (x > 9) out.write(x + 1);  // expect-error: stream 'out' is written a second time on one path (first in line 9); collect what is to be sent
}

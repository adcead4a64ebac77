// SPDX-License-Identifier: BSD-2-Clause-Patent
#include "dialect.h"

struct State {};

void step(State&, In& in, Out& out) {
  if (in.empty()) return;
  Word x = in.read();
  if (x[0]) x ^= in.read();  // expect-error: stream 'in' is read a second time on one path (first in line 8); read once into a variable
  out.write(x);
}

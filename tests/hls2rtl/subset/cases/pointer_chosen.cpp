// SPDX-License-Identifier: BSD-2-Clause-Patent
#include "dialect.h"

struct State {
  Word x, y;
};

void step(State& s, In& in, Out& out) {
  if (in.empty()) return;
  const Word x = in.read();
  Word* chosen = &s.x;
  for (int i = 0; i < 8; ++i) {
    if (x[i]) chosen = chosen == &s.x ? &s.y : &s.x;  // expect-error: a pointer that is chosen or compared while running; choose between the values with `if`
  }
  *chosen = x;
  out.write(s.x ^ s.y);
}

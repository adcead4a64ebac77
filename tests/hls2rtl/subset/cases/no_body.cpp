// SPDX-License-Identifier: BSD-2-Clause-Patent
#include "dialect.h"

struct State {
  Word x;
};

void elsewhere(Word* x);

void step(State& s, In& in, Out& out) {
  if (in.empty()) return;
  s.x = in.read();
  elsewhere(&s.x);  // expect-error: has no body here; define it in a header or give its source file too
  out.write(s.x);
}

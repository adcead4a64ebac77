// SPDX-License-Identifier: BSD-2-Clause-Patent
#include "dialect.h"

struct State {
  Word x;
};

Word* seen;

void step(State& s, In& in, Out& out) {
  if (in.empty()) return;
  s.x = in.read();
  seen = &s.x;  // expect-error: a pointer into the state is stored; keep an index, or name the member where it is used
  out.write(*seen);
}

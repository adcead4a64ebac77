// SPDX-License-Identifier: BSD-2-Clause-Patent
#include "dialect.h"

struct State {
  Word words[4];
  Word* last;  // expect-error: 'last' is a pointer or a reference; keep the object itself in the state
};

void step(State& s, In& in, Out& out) {
  if (in.empty()) return;
  s.last = &s.words[in.read().range(1, 0).to_uint()];
  out.write(*s.last);
}

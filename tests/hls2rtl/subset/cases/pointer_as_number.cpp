// SPDX-License-Identifier: BSD-2-Clause-Patent
#include "dialect.h"

struct State {
  Word x[4];
};

void step(State& s, In& in, Out& out) {
  if (in.empty()) return;
  s.x[0] = in.read();
  out.write(Word(reinterpret_cast<unsigned long>(&s.x[0]) >> 4));  // expect-error: a pointer made into a number; use an index
}

// SPDX-License-Identifier: BSD-2-Clause-Patent
#include "dialect.h"

struct State {
  Word last;
};

void step(State& s, In& in, Out& out) {
  if (s.last != 0 && in.empty()) return;
  s.last = in.read();  // expect-error: stream 'in' is read without a guard; read under if (!...empty())
  out.write(s.last);
}

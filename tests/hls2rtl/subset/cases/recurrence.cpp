// SPDX-License-Identifier: BSD-2-Clause-Patent
#include "dialect.h"

struct State {
  Word sum;  // expect-error: is a recurrence: the next step, one cycle later, needs the result; it takes ... LUT levels, 5 are allowed; compute part of it a step ahead
};

void step(State& s, In& in, Out& out) {
  if (in.empty()) return;
  Word x = in.read();
  for (int i = 0; i < 12; ++i) s.sum = (s.sum ^ (s.sum >> 3)) + x;
  out.write(s.sum);
}

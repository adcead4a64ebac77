// SPDX-License-Identifier: BSD-2-Clause-Patent
#include "dialect.h"

struct State {
  double gain;  // expect-error: 'gain' is a floating-point number; state is made of ap_uint
};

void step(State& s, In& in, Out& out) {
  if (in.empty()) return;
  s.gain += 1;
  out.write(in.read());
}

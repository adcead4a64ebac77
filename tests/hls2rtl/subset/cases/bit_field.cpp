// SPDX-License-Identifier: BSD-2-Clause-Patent
#include "dialect.h"

struct State {
  unsigned low : 3;  // expect-error: 'low' is a bit field; make it an ap_uint of that width
};

void step(State& s, In& in, Out& out) {
  if (in.empty()) return;
  s.low = in.read().to_uint();
  out.write(s.low);
}

// SPDX-License-Identifier: BSD-2-Clause-Patent
#include "dialect.h"

struct State {};

unsigned total;

void step(State&, In& in, Out& out) {
  if (in.empty()) return;
  total += in.read().to_uint();  // expect-error: 'total' is a variable outside the state; put it into the state struct, or make it const
  out.write(total);
}

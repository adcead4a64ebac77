// SPDX-License-Identifier: BSD-2-Clause-Patent
#include "dialect.h"

struct State {};

void step(State&, In& in, Out& out, Out&other) {  // expect-error: stream 'other' is never used; take it out of the parameters
  if (!in.empty()) out.write(in.read());
}

// SPDX-License-Identifier: BSD-2-Clause-Patent
#include "dialect.h"

struct State {};

bool step(State&, In& in, Out& out) {  // expect-error: 'step' returns a value; a step returns void and writes to streams
  if (in.empty()) return false;
  out.write(in.read());
  return true;
}

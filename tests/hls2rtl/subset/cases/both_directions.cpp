// SPDX-License-Identifier: BSD-2-Clause-Patent
#include "dialect.h"

struct State {};

void step(State&, In& in) {  // expect-error: stream 'in' is both read and written; use one stream for each direction
  if (in.empty()) return;
  in.write(in.read() + 1);
}

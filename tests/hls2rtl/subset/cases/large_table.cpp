// SPDX-License-Identifier: BSD-2-Clause-Patent
#include "dialect.h"

struct State {};

static const unsigned char kTable[1 << 18] = {1, 2, 3};

void step(State&, In& in, Out& out) {
  if (in.empty()) return;
  out.write(kTable[in.read().to_uint()]);  // expect-error: a constant table with an index of ... bits; index it with an ap_uint that is just wide enough
}

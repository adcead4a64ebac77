// SPDX-License-Identifier: BSD-2-Clause-Patent
#include "dialect.h"

struct State {};

void step(State&, In& in, Out& out) {
  if (in.empty()) return;
  const Word x = in.read();
  out.write(x / ap_uint<16>(x.range(15, 0)));  // expect-error: a division by something else than a power of two; multiply by the reciprocal
}

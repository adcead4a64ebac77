// SPDX-License-Identifier: BSD-2-Clause-Patent
#include "dialect.h"

struct State {};

void step(State&, In& in, Out& out) {
  if (in.empty()) return;
  const float x = in.read().to_uint();  // expect-error: floating-point arithmetic; use ap_int with a fixed point
  out.write(Word(static_cast<unsigned>(x * 1.5f)));
}

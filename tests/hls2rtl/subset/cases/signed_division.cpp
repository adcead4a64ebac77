// SPDX-License-Identifier: BSD-2-Clause-Patent
#include "dialect.h"

struct State {};

void step(State&, In& in, Out& out) {
  if (in.empty()) return;
  const ap_int<16> x = in.read();
  out.write(Word(x % ap_int<4>(5)));  // expect-error: a signed division; shift, or compare and subtract
}

// SPDX-License-Identifier: BSD-2-Clause-Patent
#include "dialect.h"

struct State {};

unsigned gcd(unsigned a, unsigned b) {
  if (b == 0) return a;
  return gcd(b, a - b);  // expect-error: 'gcd' calls itself; write a loop with a constant trip count
}

void step(State&, In& in, Out& out) {
  if (in.empty()) return;
  out.write(gcd(in.read().to_uint(), 12));
}

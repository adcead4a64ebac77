// SPDX-License-Identifier: BSD-2-Clause-Patent
#include "dialect.h"

struct State {};

void step(State&, In& in, Out& out) {
  if (in.empty()) return;
  const Word n = in.read();
  Word sum = 0;
  for (unsigned i = 0; i < n.to_uint(); ++i) sum += n >> i;  // expect-error: a loop without a constant trip count; bound it by a constant
  out.write(sum);
}

// SPDX-License-Identifier: BSD-2-Clause-Patent
#include "dialect.h"

struct State {};

void step(State&, In& in, Out& out) {
  if (in.empty()) return;
  unsigned x = in.read().to_uint();
  asm("bswap %0" : "+r"(x));  // expect-error: inline assembly; write it in C++
  out.write(x);
}

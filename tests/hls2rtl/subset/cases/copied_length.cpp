// SPDX-License-Identifier: BSD-2-Clause-Patent
#include "dialect.h"

#include <string.h>

struct State {
  unsigned char octets[8];
};

void step(State& s, In& in, Out& out) {
  if (in.empty()) return;
  const Word x = in.read();
  unsigned char copy[8] = {};
  memcpy(copy, s.octets, x.range(2, 0).to_uint());  // expect-error: memory is copied in a length that varies; copy element by element
  s.octets[0] = x.range(7, 0);
  out.write(copy[0]);
}

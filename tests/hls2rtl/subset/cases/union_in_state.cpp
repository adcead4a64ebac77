// SPDX-License-Identifier: BSD-2-Clause-Patent
#include "dialect.h"

struct State {
  union {
    Word word;
    ap_uint<8> byte;
  } either;  // expect-error: 'either' is a union; give each member its own place in a struct
};

void step(State& s, In& in, Out& out) {
  if (in.empty()) return;
  s.either.word = in.read();
  out.write(s.either.byte);
}

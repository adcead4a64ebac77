// SPDX-License-Identifier: BSD-2-Clause-Patent
#include "dialect.h"

// No mistake: what looks like one and is none.
struct State {
  ap_uint<1> busy;
  Word words[4];
  hls::mem<Word, 64, 2> table;
};

void step(State& s, In& in, Out& out) {
  Word y;  // has a value where it is used
  const bool have = !in.empty();
  if (have) y = in.read();
  if (have && y[31]) {
    s.words[y.range(1, 0).to_uint()] = y / 8 % 16;
  }
  ap_uint<32> packed;  // every bit is written, one after the other
  for (int i = 0; i < 4; ++i) packed.range(8 * i + 7, 8 * i) = s.words[i].range(7, 0);
  if (have) {
    if (s.busy) {
      s.table.write(3, y);
    } else {
      packed ^= s.table.read(y.range(5, 0));
    }
    out.write(s.busy ? Word(packed) : y);
    s.busy = !s.busy;
  }
}

// SPDX-License-Identifier: BSD-2-Clause-Patent
#include "dialect.h"

struct State {
  hls::mem<Word, 64> table;
  ap_uint<6> at;
};

void step(State& s, In& in, Out& out) {  // expect-error: whether an input is popped depends on ... table ... decide with registers or stream data
  s.at += 1;
  if (in.empty() || s.table.read(s.at) == 0) return;
  out.write(in.read());
}

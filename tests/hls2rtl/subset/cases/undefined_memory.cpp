// SPDX-License-Identifier: BSD-2-Clause-Patent
#include "dialect.h"

struct State {
  hls::mem<Word, 64> table;
};

void step(State& s, In& in, Out& out) {
  if (in.empty()) return;
  const Word x = in.read();
  ap_uint<6> at;  // expect-error: an undefined value reaches memory 'table'; give the variable that is declared here a value on every path
  if (x[0]) at = x.range(5, 0);
  out.write(s.table.read(x.range(11, 6)));
  s.table.write(at, x);
}

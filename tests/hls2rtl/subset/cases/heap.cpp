// SPDX-License-Identifier: BSD-2-Clause-Patent
#include "dialect.h"

struct State {};

void step(State&, In& in, Out& out) {
  if (in.empty()) return;
  Word* word = new Word(in.read());  // expect-error: heap memory; keep a fixed array or a hls::mem in the state struct
  out.write(*word);
  delete word;
}

// SPDX-License-Identifier: BSD-2-Clause-Patent
#include "dialect.h"

struct State {};

void step(State&, In& in, Out& out) {
  bool ready;  // expect-error: an undefined value reaches a decision; give the variable that is declared here a value on every path
  if (!in.empty()) ready = true;
  if (ready) out.write(in.empty() ? Word(1) : in.read());
}

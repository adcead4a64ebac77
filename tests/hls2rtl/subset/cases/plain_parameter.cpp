// SPDX-License-Identifier: BSD-2-Clause-Patent
#include "dialect.h"

struct State {};

void step(State&, In& in, Out& out, int gain) {  // expect-error: parameter 'gain' of 'step' is neither a stream nor a state struct; pass hls::stream<T>& and one struct&
  if (!in.empty()) out.write(in.read() * gain);
}

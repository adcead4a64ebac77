// SPDX-License-Identifier: BSD-2-Clause-Patent
#include "dialect.h"

// No mistake: each way through the step writes once, whatever decides which.
struct State {
  Word count;
};

void step(State& s, In& in, Out& first, Out& second, Out& third, Out& fourth) {
  if (in.empty()) return;
  const Word x = in.read();
  if (x[0] || s.count > 7) {
    first.write(x);
  } else if (x[1]) {
    first.write(s.count);
  }
  if (x[2] && (x < 9 || s.count[1])) {
    second.write(x);
  } else if (x[3] || s.count == 3) {
    second.write(x + 1);
  } else if (x[4] != x[5]) {
    second.write(s.count);
  }
  if (x[0] || s.count > 7) third.write(x);
  if (!x[0] && s.count <= 7) third.write(s.count);  // the same decision, put the other way round
  if (x + 1 == s.count) fourth.write(x);
  if (s.count - x != 1) fourth.write(s.count);
  s.count += 1;
}

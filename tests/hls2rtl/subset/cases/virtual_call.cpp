// SPDX-License-Identifier: BSD-2-Clause-Patent
#include "dialect.h"

struct Shape {
  virtual Word area(Word x) const { return x; }
};
struct Square : Shape {
  Word area(Word x) const override { return x * x; }
};
struct State {};

Word measure(const Shape& shape, Word x) {
  return shape.area(x);  // expect-error: a call through a pointer or a virtual function; call the function by its name
}

void step(State&, In& in, Out& out) {
  if (in.empty()) return;
  Square square;
  out.write(measure(square, in.read()));
}

// SPDX-License-Identifier: BSD-2-Clause-Patent
// Byte order, in one place (types.h says which order is whose).
#ifndef ESPALIER_HLS_BYTES_H
#define ESPALIER_HLS_BYTES_H

#include <ap_int.h>

namespace espalier {

/// The octets of `x` in the opposite order: a number to its wire order, and back.  Wiring only.
template <int W>
ap_uint<W> swap_bytes(const ap_uint<W>& x) {
  static_assert(W % 8 == 0, "whole octets");
  ap_uint<W> swapped = 0;
  for (int i = 0; i < W; i += 8) swapped.range(W - 1 - i, W - 8 - i) = x.range(i + 7, i);
  return swapped;
}

}  // namespace espalier

#endif

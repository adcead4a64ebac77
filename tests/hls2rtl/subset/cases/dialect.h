// SPDX-License-Identifier: BSD-2-Clause-Patent
// What the cases share.  Each case is one step function `step`, with one mistake.
#pragma once
#include "ap_int.h"
#include "hls_stream.h"
#include "mem.h"

using Word = ap_uint<32>;
using In = hls::stream<Word>;
using Out = hls::stream<Word>;

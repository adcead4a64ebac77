// SPDX-License-Identifier: BSD-2-Clause-Patent
// Options for every model that Verilator makes.
// 5.006 folds trees of one-bit operations wrongly now and then: seed 4, function f7 of tests/hls2rtl/random.
-fno-const-bit-op-tree

// SPDX-License-Identifier: BSD-2-Clause-Patent
// The host's figures (docs/benchmarks.md): Google Benchmark's own options, then the table.
#include <benchmark/benchmark.h>

#include "espalier/driver/key_memory.hpp"
#include "figures.hpp"

int main(int argc, char** argv) {
  espalier::driver::keep_openssl_memory();  // as a program that takes care of its keys does
  benchmark::Initialize(&argc, argv);
  if (benchmark::ReportUnrecognizedArguments(argc, argv)) return 2;
  benchmark::RunSpecifiedBenchmarks();
  benchmark::Shutdown();
  espalier::bench::print_figures();
}

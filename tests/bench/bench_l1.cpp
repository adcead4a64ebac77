// SPDX-License-Identifier: BSD-2-Clause-Patent
// Complete L1, Context::submit() and poll(), against the raw cipher on the same octets: bursts take
// turns, raw and L1, so whatever the machine does meanwhile hits both.  Medians over bursts.
#include "compare.hpp"
#include "flow.hpp"

namespace espalier::bench {
namespace {

struct Size {
  const char* name;
  std::vector<std::uint32_t> octets;
};
const Size kSizes[] = {
    {"64", {64}}, {"IMIX", kImix}, {"576", {576}}, {"1424", {1424}}, {"8192", {8192}}};

void l1_over_raw(benchmark::State& state, const Size& size, bool in_place) {
  FlowOptions options;
  options.in_place = in_place;
  options.sizes = size.octets;
  options.burst = burst_for(size.octets);
  Flow flow(options);
  over_raw(
      state, flow, "L1",
      {"aes256gcm16 ", fmt::format(" {}{} over raw EVP", size.name, in_place ? " in place" : ""),
       Bound::at_most, 45});
}

/// What an IV out of the context's own order costs: one seeded anew against one that steps.
void reseed(benchmark::State& state) {
  const std::vector<std::uint8_t> key(32, 7);
  RawGcm gcm(key, true);
  std::uint8_t iv[12] = {};
  Samples samples;
  constexpr int kRuns = 64;
  for (auto _ : state) {
    Lap lap;
    for (int i = 0; i < kRuns; ++i) {
      ++iv[11];
      benchmark::DoNotOptimize(gcm.reseed(iv));
    }
    samples.add(lap.take());
  }
  report({"reseed of a context's IV", samples.median() / kRuns, "ns", Bound::none, 0, ""});
}

void suite(benchmark::State& state, const char* device, const char* name, std::uint32_t size,
           double must) {
  FlowOptions options;
  options.device = device;
  options.suite = name;
  options.sizes = {size};
  Flow flow(options);
  each_packet(state, flow,
              {fmt::format("{} ", name), fmt::format(" {}, {}", size, device),
               must == 0 ? Bound::none : Bound::at_most, must});
}

void add(const std::string& name, auto run) {
  benchmark::RegisterBenchmark(name.c_str(), run)->Unit(benchmark::kMicrosecond);
}

const bool registered = [] {
  for (const bool in_place : {false, true})
    for (const Size& size : kSizes)
      add(fmt::format("l1_over_raw{}/{}", in_place ? "_in_place" : "", size.name),
          [&size, in_place](benchmark::State& state) { l1_over_raw(state, size, in_place); });
  add("reseed", reseed);
  struct Row {
    const char* suite;
    std::uint32_t size;
    double must;
  };
  for (const char* device : {"software:openssl", "software:ipsec-mb"})
    for (const Row& row : {Row{"aes256gcm16", 64, 60}, Row{"aes256gcm16", 1424, 180},
                           Row{"aes256-sha256", 64, 160}, Row{"aes256-sha256", 1424, 650},
                           Row{"chacha20poly1305", 64, 0}, Row{"chacha20poly1305", 1424, 0}}) {
      const bool counts = std::string_view(device) == "software:ipsec-mb";
      add(fmt::format("{}/{}/{}", device, row.suite, row.size), [=](benchmark::State& state) {
        suite(state, device, row.suite, row.size, counts ? row.must : 0);
      });
    }
  return true;
}();

}  // namespace
}  // namespace espalier::bench

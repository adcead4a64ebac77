// SPDX-License-Identifier: BSD-2-Clause-Patent
// What the software device costs over the cipher alone: AES-256-GCM by the cheapest OpenSSL calls
// on the same octets, side by side in one run; then other suites.  Sizes are inner packets of a
// tunnel; buffers stay in the first-level cache.  Not measured: sequence numbers, replay, policy.
#include <benchmark/benchmark.h>

#include <cstring>

#include "../one_job.hpp"
#include "../packets.hpp"
#include "espalier/driver/software.hpp"
#include "software/gcm_context.hpp"

namespace espalier::driver::test {
namespace {

constexpr std::size_t kBatch = 32;
constexpr std::int64_t kSizes[] = {64, 256, 576, 1424, 8192};

/// Body of a tunnel-mode packet: inner, padding, trailer.
std::size_t body_of(std::size_t inner) {
  return (inner + 2 + 3) / 4 * 4;
}

void raw_gcm_seal(benchmark::State& state) {
  Random random;
  const Bytes key = random.bytes(32), aad = random.bytes(8);
  software::GcmContext gcm(key, {1, 2, 3, 4}, Direction::seal);
  Bytes text = random.bytes(body_of(static_cast<std::size_t>(state.range(0))) + 16);
  const std::size_t length = text.size() - 16;
  std::uint64_t number = 0;
  std::uint8_t iv[8];
  for (auto _ : state) {
    software::store64(iv, number++);
    benchmark::DoNotOptimize(gcm.start_seal(iv) && gcm.authenticate(aad.data(), aad.size()) &&
                             gcm.update(text.data(), text.data(), length) &&
                             gcm.finish_seal(text.data() + length, 16));
  }
}

void raw_gcm_open(benchmark::State& state) {
  Random random;
  const Bytes key = random.bytes(32), aad = random.bytes(8);
  software::GcmContext seal(key, {1, 2, 3, 4}, Direction::seal),
      open(key, {1, 2, 3, 4}, Direction::open);
  Bytes text = random.bytes(body_of(static_cast<std::size_t>(state.range(0))) + 16);
  Bytes out(text.size());
  const std::size_t length = text.size() - 16;
  std::uint8_t iv[8] = {};
  if (!(seal.start_seal(iv) && seal.authenticate(aad.data(), aad.size()) &&
        seal.update(text.data(), text.data(), length) &&
        seal.finish_seal(text.data() + length, 16)))
    state.SkipWithError("OpenSSL failed");
  for (auto _ : state)
    benchmark::DoNotOptimize(open.start_open(iv, text.data() + length, 16) &&
                             open.authenticate(aad.data(), aad.size()) &&
                             open.update(out.data(), text.data(), length) && open.finish_open());
}

void raw_gcm_reseed(benchmark::State& state) {  // what an IV out of sequence costs
  Random random;
  const Bytes key = random.bytes(32);
  software::GcmContext gcm(key, {1, 2, 3, 4}, Direction::seal);
  std::uint64_t number = 0;
  std::uint8_t iv[8];
  for (auto _ : state) {
    software::store64(iv, number += static_cast<std::uint64_t>(state.range(0)));
    benchmark::DoNotOptimize(gcm.start_seal(iv));
  }
}

/// Batches of one SA's packets through the device, out of place.
void device(benchmark::State& state, const char* name, Direction direction) {
  Random random;
  const auto software = make_software();
  SaParameters sa = make_sa(suite(name), random);
  install(*software, Slot{1}, Generation{1}, sa);
  const Bytes clear =
      make_packet(Family::ipv4, static_cast<std::size_t>(state.range(0)) - 20, random);
  Job job = seal_job(sa, clear, random);
  job.slot = Slot{1};
  job.generation = Generation{1};
  job.iv = {};
  Bytes source = clear;
  if (direction == Direction::open) {
    source = run(*software, job, clear).packet;
    sa.direction = direction;
    install(*software, Slot{2}, Generation{1}, sa);
    job = open_job(sa, job);
    job.slot = Slot{2};
  }
  std::vector<Bytes> sources(kBatch, source), results(kBatch, Bytes(source.size() + 128));
  std::vector<Segment> in, out;
  for (std::size_t i = 0; i < kBatch; ++i) {
    in.push_back({sources[i].data(), static_cast<std::uint32_t>(source.size())});
    out.push_back({results[i].data(), static_cast<std::uint32_t>(results[i].size())});
  }
  std::vector<Job> jobs(kBatch, job);
  for (std::size_t i = 0; i < kBatch; ++i) {
    jobs[i].source = {&in[i], 1};
    jobs[i].destination = {&out[i], 1};
  }
  std::vector<Completion> completions(kBatch);
  std::uint64_t number = 0;
  while (state.KeepRunningBatch(kBatch)) {
    if (direction == Direction::seal)
      for (Job& j : jobs) software::store64(j.iv.data(), number++);
    benchmark::DoNotOptimize(software->submit(QueueId{0}, jobs));
    benchmark::DoNotOptimize(software->poll(QueueId{0}, completions));
  }
  if (completions[0].status != Status::ok) state.SkipWithError("not ok");
}

void sizes(benchmark::internal::Benchmark* b) {
  for (const std::int64_t size : kSizes) b->Arg(size);
}

BENCHMARK(raw_gcm_seal)->Apply(sizes);
BENCHMARK_CAPTURE(device, aes256gcm16_seal, "aes256gcm16", Direction::seal)->Apply(sizes);
BENCHMARK(raw_gcm_open)->Apply(sizes);
BENCHMARK_CAPTURE(device, aes256gcm16_open, "aes256gcm16", Direction::open)->Apply(sizes);
BENCHMARK(raw_gcm_reseed)->Arg(1)->Arg(2);
BENCHMARK_CAPTURE(device, aes256_sha256_seal, "aes256-sha256", Direction::seal)->Apply(sizes);
BENCHMARK_CAPTURE(device, chacha20poly1305_seal, "chacha20poly1305", Direction::seal)->Apply(sizes);

}  // namespace
}  // namespace espalier::driver::test

// SPDX-License-Identifier: BSD-2-Clause-Patent
// What L2 costs on top of L1: 1,000 policies with an SA each way, 1,000 flows at random, packets of
// 64 octets, the null device.  L1 alone and L2 take turns, burst by burst, over the same packets;
// the figures are medians of bursts, and their difference.
#include <benchmark/benchmark.h>

#include <algorithm>
#include <chrono>

#include "espalier/driver/null.hpp"
#include "fixture.hpp"

namespace espalier {
namespace {

using test::Bytes;
using test::kQueue;

constexpr std::uint32_t kPolicies = 1000;
constexpr std::size_t kPackets = 4096;
constexpr std::size_t kBurst = 64;

struct Rig {
  std::unique_ptr<Context> context;
  std::unique_ptr<Boundary> boundary;
  std::vector<SaHandle> out, in;

  Rig() {
    ContextConfig limits;
    limits.max_sas = 4096;
    std::vector<std::unique_ptr<driver::Device>> devices;
    devices.push_back(driver::make_null_device());
    context = std::move(*Context::create(limits, std::move(devices)));
    boundary = std::move(*Boundary::create({}, *context));
    std::vector<PolicyConfig> policies;
    for (std::uint32_t i = 0; i < kPolicies; ++i) {
      const SetHandle set = *boundary->add_set();
      SaConfig sa = test::sa_config(0x1000 + i, "192.0.2.1", "192.0.2.2");
      out.push_back(*boundary->add_sa(set, sa));
      sa = test::received(sa);
      sa.replay_window = 0;  // the bench sends the same packets over and over
      in.push_back(*boundary->add_sa(set, sa));
      PolicyConfig p;
      p.action = Action::protect;
      p.set = set;
      p.selector.remote = {*AddressRange::parse(remote(i, 0) + "/24")};
      p.selector.protocols = {{kProtocolUdp, kProtocolUdp}};
      p.selector.remote_ports = ValueSet::of({{1000, 3000}});
      policies.push_back(p);
      p.way = Way::in;
      policies.push_back(p);
    }
    if (!boundary->replace({}, policies)) std::abort();
  }
  static std::string remote(std::uint32_t policy, unsigned host) {
    return "10." + std::to_string(1 + policy / 250) + "." + std::to_string(policy % 250) + "." +
           std::to_string(host);
  }
};

double seconds_now() {
  return std::chrono::duration<double>(std::chrono::steady_clock::now().time_since_epoch()).count();
}
double median(std::vector<double>& v) {
  std::nth_element(v.begin(), v.begin() + static_cast<std::ptrdiff_t>(v.size() / 2), v.end());
  return v[v.size() / 2];
}

/// A burst through L1 alone.
void through_l1(Context& context, std::span<const Job> jobs, std::span<Completion> done) {
  std::size_t taken = 0, back = 0;
  while (back < jobs.size()) {
    taken += context.submit(kQueue, jobs.subspan(taken));
    back += context.poll(kQueue, done);
  }
  if (done[0].drop != Drop::none) std::abort();
}

void run(benchmark::State& state, bool outbound) {
  Rig rig;
  driver::test::Random random;
  const auto hosts = static_cast<unsigned>(state.range(0));  // flows per policy
  std::vector<Bytes> sources(kPackets), rooms(kPackets);
  std::vector<Packet> packets(kPackets);
  std::vector<Job> jobs(kPackets);
  std::vector<Segment> segments(2 * kPackets);
  for (std::size_t i = 0; i < kPackets; ++i) {
    const auto policy = static_cast<std::uint32_t>(random.below(kPolicies));
    const std::string remote = Rig::remote(policy, 1 + random.below(hosts));
    Bytes clear = outbound ? test::udp("10.99.0.1", remote, 36)
                           : test::udp(remote, "10.99.0.1", 36, 2000, 1000);
    if (outbound) {
      sources[i] = clear;
      rooms[i].resize(192);
    } else {
      Bytes& esp = sources[i] = Bytes(120);
      esp[0] = 0x45;
      esp[3] = 120;
      esp[9] = kProtocolEsp;
      store_be32(esp.data() + 12, 0xc0000201);
      store_be32(esp.data() + 16, 0xc0000202);
      store_be32(esp.data() + 20, 0x1000 + policy);
      store_be32(esp.data() + 24, 7);
      rooms[i] = clear;  // what the null device does not write
      rooms[i].resize(192);
    }
    packets[i] = {i, sources[i], rooms[i]};
    segments[2 * i] = {sources[i].data(), static_cast<std::uint32_t>(sources[i].size())};
    segments[2 * i + 1] = {rooms[i].data(), static_cast<std::uint32_t>(rooms[i].size())};
    jobs[i].sa = outbound ? rig.out[policy] : rig.in[policy];
    jobs[i].source = {&segments[2 * i], 1};
    jobs[i].destination = {&segments[2 * i + 1], 1};
  }
  std::vector<double> l1, l2;
  std::array<Completion, kBurst> done;
  std::array<Outcome, kBurst> outcomes;
  std::size_t at = 0;
  for (auto _ : state) {
    const double t0 = seconds_now();
    through_l1(*rig.context, std::span(jobs).subspan(at, kBurst), done);
    const double t1 = seconds_now();
    std::size_t taken = 0, back = 0;
    while (back < kBurst) {
      const auto rest = std::span<const Packet>(packets).subspan(at + taken, kBurst - taken);
      taken +=
          outbound ? rig.boundary->outbound(kQueue, rest) : rig.boundary->inbound(kQueue, rest);
      back += rig.boundary->poll(kQueue, outcomes);
    }
    const double t2 = seconds_now();
    if (outcomes[0].drop != Drop::none) std::abort();
    l1.push_back((t1 - t0) / kBurst * 1e9);
    l2.push_back((t2 - t1) / kBurst * 1e9);
    at = (at + kBurst) % kPackets;
  }
  state.counters["l1_ns"] = median(l1);
  state.counters["l1_l2_ns"] = median(l2);
  state.counters["l2_ns"] = median(l2) - median(l1);
}

void Outbound(benchmark::State& state) {
  run(state, true);
}
void Inbound(benchmark::State& state) {
  run(state, false);
}
// Flows per policy: all remembered; more than are remembered.
BENCHMARK(Outbound)->Arg(1)->Arg(250);
BENCHMARK(Inbound)->Arg(1)->Arg(250);

}  // namespace
}  // namespace espalier

BENCHMARK_MAIN();

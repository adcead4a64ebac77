// SPDX-License-Identifier: BSD-2-Clause-Patent
// Calls of the C API in an order and with arguments that the input decides.  What must hold
// whatever is called: no job that was taken is lost, and none comes back twice.
#include <cstdint>
#include <cstdio>
#include <cstdlib>
#include <cstring>
#include <set>
#include <vector>

#include "espalier/espalier.h"
#include "input.hpp"

using espalier::fuzz::Input;

namespace {

constexpr std::uint32_t kQueues = 2;

struct Rig {
  espalier_context* context = nullptr;
  std::vector<espalier_sa> sas = {0};
  std::set<std::uint64_t> taken[kQueues];
  std::uint64_t cookie = 0, now = 0;
  std::vector<std::vector<std::uint8_t>> buffers;

  Rig() {
    espalier_context_options o{};
    o.struct_size = sizeof o;
    o.queues = kQueues;
    o.queue_capacity = 16;
    o.max_sas = 4;
    o.events = 8;
    if (espalier_open(&o, &context, nullptr, 0) != 0) std::abort();
  }
  ~Rig() {
    for (std::uint32_t q = 0; q < kQueues; ++q) {
      for (int i = 0; i < 100 && !taken[q].empty(); ++i) poll(q, 16, 16);
      if (!taken[q].empty()) std::abort();
    }
    espalier_close(context);
  }

  void add(Input& in) {
    static const char* const kSuites[] = {"aes128gcm16", "aes256-sha256", "chacha20poly1305",
                                          "null-sha256", "sha256",        "aes128ccm8",
                                          "nonsense"};
    static std::uint8_t key[64] = {1};
    espalier_sa_options o{};
    o.struct_size = in.octet() == 7 ? in.number() % (sizeof o + 1) : sizeof o;
    o.suite = kSuites[in.octet() % 7];
    o.ah = std::strcmp(o.suite, "sha256") == 0;
    o.direction = in.number() % 3;
    o.mode = in.number() % 3;
    o.spi = 250 + in.number();
    o.esn = in.octet() & 1;
    o.udp_encapsulation = in.octet() & 1;
    static const std::size_t kLengths[] = {20, 32, 36, 0, 0, 19, 1};
    o.key = key;
    o.key_length = kLengths[in.octet() % 7];
    o.integrity_key = key;
    o.integrity_key_length = in.octet() & 1 ? 32 : 0;
    o.replay_window = in.number();
    o.last_number = in.number();
    o.soft.packets = in.number();
    o.hard.packets = in.number();
    o.hard.bytes = in.number();
    o.hard.time_ns = in.number();
    o.caller_iv = in.octet() == 3;
    o.number_limit = in.number();
    o.destination[0] = in.octet();
    char error[ESPALIER_ERROR_SIZE] = "";
    espalier_sa sa = 0;
    const int code = espalier_sa_add(context, &o, &sa, error, sizeof error);
    if (code == 0 ? sa == 0 : error[0] == '\0') std::abort();
    if (code == 0) sas.push_back(sa);
  }
  espalier_sa some_sa(Input& in) { return sas[in.octet() % sas.size()]; }

  std::vector<espalier_segment> segments(Input& in) {
    std::vector<espalier_segment> out;
    for (std::uint32_t n = in.number() % 18; n != 0; --n) {
      const std::uint32_t length = in.number() % 700;
      buffers.emplace_back(length);
      for (std::size_t i = 0; i < length && i < 48; ++i) buffers.back()[i] = in.octet();
      out.push_back({buffers.back().data(), length, 0});
    }
    return out;
  }
  void submit(Input& in) {
    const std::uint32_t q = in.octet() % (kQueues + 1);
    static constexpr std::uint8_t kIv[16] = {};
    auto source = segments(in), destination = segments(in);
    if (!source.empty() && source[0].length >= 20 && (in.octet() & 1) != 0) {
      std::uint32_t total = 0;
      for (const auto& s : source) total += s.length;
      source[0].data[0] = 0x45;  // so that some get further
      source[0].data[2] = static_cast<std::uint8_t>(total >> 8);
      source[0].data[3] = static_cast<std::uint8_t>(total);
      source[0].data[6] = source[0].data[7] = 0;
    }
    espalier_job job{};
    job.struct_size = in.octet() == 9 ? in.number() : sizeof job;
    if (job.struct_size > sizeof job) job.struct_size = sizeof job;
    job.sa = some_sa(in);
    job.cookie = ++cookie;
    job.source = source.data();
    job.destination = destination.data();
    job.sources = static_cast<std::uint32_t>(source.size());
    job.destinations = static_cast<std::uint32_t>(destination.size());
    job.l3_offset = in.number();
    job.tfc_length = in.number();
    job.flags = in.octet() & 3;
    job.iv = (in.octet() & 1) != 0 ? kIv : nullptr;
    if (espalier_submit(context, q, &job, 1) == 1) taken[q].insert(cookie);
  }
  void poll(std::uint32_t q, std::uint32_t count, std::uint32_t budget) {
    std::vector<espalier_completion> done(count);
    if (count != 0) done[0].struct_size = sizeof done[0];
    const int n = espalier_poll(context, q, done.data(), count, budget);
    for (int i = 0; i < n; ++i)
      if (taken[q].erase(done[static_cast<std::size_t>(i)].cookie) != 1) std::abort();
  }
  void update(Input& in) {
    espalier_sa_change change{};
    change.struct_size = sizeof change;
    change.set_endpoints = in.octet() & 1;
    change.ipv6 = in.octet() & 1;
    change.destination[0] = in.octet();
    change.set_udp_encapsulation = in.octet() & 1;
    change.udp_encapsulation = in.octet() & 1;
    change.set_soft = in.octet() & 1;
    change.set_hard = in.octet() & 1;
    change.soft.packets = in.number();
    change.hard.packets = in.number();
    change.hard.time_ns = in.number();
    espalier_sa_update(context, some_sa(in), &change, nullptr, 0);
  }
  void look(Input& in) {
    espalier_statistics statistics{};
    statistics.struct_size = sizeof statistics;
    espalier_sa_statistics(context, some_sa(in), &statistics);
    espalier_overhead overhead{};
    overhead.struct_size = sizeof overhead;
    espalier_sa_overhead(context, some_sa(in), &overhead);
    const std::uint8_t address[16] = {in.octet()};
    espalier_find(context, in.octet(), 250 + in.number(), 50, in.octet() & 1, address, address);
    espalier_event event{};
    event.struct_size = sizeof event;
    while (espalier_next_event(context, &event) == 1) {
    }
  }
  void step(Input& in) {
    switch (in.octet() % 8) {
      case 0:
        return add(in);
      case 1:
      case 2:
        return submit(in);
      case 3:
        return poll(in.octet() % kQueues, in.octet() % 20, in.octet());
      case 4:
        espalier_sa_remove(context, some_sa(in));
        return;
      case 5:
        espalier_tick(context, now += in.number());
        return;
      case 6:
        return update(in);
      default:
        espalier_queue_arm(context, in.octet() % (kQueues + 1));
        return look(in);
    }
  }
};

}  // namespace

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
  Input in(data, size);
  Rig rig;
  while (!in.empty()) rig.step(in);
  return 0;
}

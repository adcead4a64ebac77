// SPDX-License-Identifier: BSD-2-Clause-Patent
// The shell around a stand-in engine that copies (engine.sv): registers, rings, DMA, reset.
#include <gtest/gtest.h>

#include <string>

#include "raw_card.hpp"

namespace espalier::test {
namespace {

using spec::Status;

void fill(std::uint8_t* to, unsigned length, std::uint64_t seed) {
  sim::Random random(seed);
  for (unsigned i = 0; i < length; ++i) to[i] = static_cast<std::uint8_t>(random.next());
}

TEST(Registers, SayWhatTheCardIs) {
  RawCard host({});
  EXPECT_EQ(host.read(spec::reg::magic), spec::kMagic);
  EXPECT_EQ(host.read(spec::reg::version), spec::kInterfaceVersion);
  EXPECT_EQ(host.read(spec::reg::layout_hash_lo), static_cast<std::uint32_t>(spec::kLayoutHash));
  EXPECT_EQ(host.read(spec::reg::layout_hash_hi), spec::kLayoutHash >> 32);
  EXPECT_EQ(host.read(spec::reg::queues), 5u);
  EXPECT_EQ(host.read(spec::reg::slots), 16384u);
  EXPECT_EQ(host.read(0xffc), 0u) << "unknown registers read as zero";
  ASSERT_TRUE(host.wait_ready());
}

TEST(Job, CopiesAndCompletes) {
  RawCard host({});
  ASSERT_TRUE(host.wait_ready());
  RawQueue q = host.open_queue(0);
  fill(host.payload(0), 100, 1);
  host.put(q, host.seal(q, 0, 4096, 100, 0x1234));
  host.publish(q);
  auto c = host.wait(q);
  ASSERT_TRUE(c);
  EXPECT_EQ(c->tag, 0x1234);
  EXPECT_EQ(c->epoch, q.epoch);
  EXPECT_EQ(spec::status_from_code(c->status), Status::ok);
  EXPECT_EQ(c->length, 100);
  EXPECT_EQ(c->next_header, 50);
  EXPECT_EQ(c->crc, completion_crc(*c));
  EXPECT_EQ(std::memcmp(host.payload(0), host.payload(4096), 100), 0);
  EXPECT_EQ(host.payload(4096)[100], 0) << "nothing is written behind the result";
  EXPECT_EQ(host.card.activity().stray_accesses, 0u);
}

TEST(Throughput, SmallPackets) {
  RawCard host({});
  ASSERT_TRUE(host.wait_ready());
  RawQueue q = host.open_queue(0, 11);
  const unsigned jobs = 4000;
  unsigned put = 0, done = 0;
  const auto start = host.card.cycles();
  while (done < jobs) {
    while (put < jobs && put - done < 1500) {
      auto d = host.seal(q, 128 * (put % 2048), 1u << 20 | 128 * (put % 2048), 64,
                         static_cast<std::uint16_t>(put));
      d.pad_length = 56;
      host.put(q, d);
      ++put;
    }
    host.publish(q);
    host.card.run(64);
    while (host.take(q)) ++done;
    host.credit(q);
    ASSERT_LT(host.card.cycles() - start, 100000u) << done;
  }
  const double per_job = double(host.card.cycles() - start) / jobs;
  RecordProperty("millicycles_per_job", static_cast<int>(1000 * per_job));
  EXPECT_LT(per_job, 64.0 / 24);
}

}  // namespace
}  // namespace espalier::test

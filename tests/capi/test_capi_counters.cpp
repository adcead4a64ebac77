// SPDX-License-Identifier: BSD-2-Clause-Patent
// What the C API tells of its work: counters, metrics, events.
#include "fixture.hpp"

namespace {

using espalier::test::Bytes;
using espalier::test::CApi;
using espalier::test::cut;
using espalier::test::packet;

TEST_F(CApi, CountersByReasonAddUp) {
  const espalier_sa sa = add(ESPALIER_OUTBOUND);
  Bytes clear = packet(100), sealed(300);
  run(sa, cut(clear, {}), cut(sealed, {}));
  Bytes small(10);
  run(sa, cut(clear, {}), cut(small, {}));
  run(0, cut(clear, {}), cut(sealed, {}));
  std::array<std::uint64_t, 256> drops{};
  const int reasons = espalier_sa_drops(context, sa, drops.data(), drops.size());
  ASSERT_GT(reasons, 10);
  std::uint64_t sum = 0;
  for (int r = 0; r < reasons; ++r) {
    sum += drops[static_cast<std::size_t>(r)];
    if (drops[static_cast<std::size_t>(r)] != 0) {
      EXPECT_STREQ(espalier_drop_name(static_cast<std::uint8_t>(r)), "no_room");
    }
  }
  EXPECT_EQ(sum, 1u);
  espalier_statistics all{};
  all.struct_size = sizeof all;
  ASSERT_EQ(espalier_sa_statistics(context, 0, &all), 0);
  EXPECT_EQ(all.packets, 1u);
  EXPECT_EQ(all.dropped, 2u);
}

TEST_F(CApi, MetricsAreWrittenAsFarAsThereIsRoom) {
  const espalier_sa sa = add(ESPALIER_OUTBOUND);
  Bytes clear = packet(100), sealed(300);
  run(sa, cut(clear, {}), cut(sealed, {}));
  const std::int64_t length = espalier_metrics(context, nullptr, 0);
  ASSERT_GT(length, 1000);
  const auto size = static_cast<std::size_t>(length);
  std::string whole(size + 1, 'x'), part(size + 1, 'x');
  EXPECT_EQ(espalier_metrics(context, whole.data(), size + 1), length);
  EXPECT_EQ(whole.back(), '\0');
  whole.pop_back();
  EXPECT_NE(whole.find("espalier_packets_total 1\n"), std::string::npos);
  EXPECT_TRUE(whole.ends_with("# EOF\n"));
  EXPECT_EQ(espalier_metrics(context, part.data(), 100), length);
  EXPECT_EQ(part.substr(0, 99), whole.substr(0, 99));
  EXPECT_EQ(part.substr(99, 3), std::string("\0xx", 3));
  EXPECT_EQ(espalier_metrics(context, nullptr, 5), -EINVAL);
  EXPECT_EQ(espalier_metrics(nullptr, part.data(), 5), -EINVAL);
}

TEST_F(CApi, KeyMemoryGrowsWithSasAndComesTooLateForOpenssl) {
  std::uint64_t octets = 0, locked = 0;
  add(ESPALIER_OUTBOUND);
  espalier_key_memory(&octets, &locked);
  EXPECT_GT(octets, 0u);
  EXPECT_LE(locked, octets);
  espalier_key_memory(nullptr, nullptr);
  EXPECT_EQ(espalier_keep_openssl_memory(), -EBUSY) << "the SA's contexts are there already";
}

TEST_F(CApi, SoftwareIsVerifiedAgainstOpensslWhereThatComesBehind) {
  espalier_close(context);
  context = nullptr;
  espalier_context_options o{};
  o.struct_size = sizeof o;
  o.devices = "software,software:openssl";
  o.shadow_per_million = 1'000'000;
  ASSERT_EQ(espalier_open(&o, &context, error, sizeof error), 0) << error;
  suite("aes128gcm16");
  const espalier_sa sa = add(ESPALIER_OUTBOUND);
  Bytes clear = packet(100), sealed(300);
  for (int i = 0; i < 10; ++i) run(sa, cut(clear, {}), cut(sealed, {}));
  espalier_device_counters first{};
  first.struct_size = sizeof first;
  ASSERT_EQ(espalier_device_statistics(context, 0, &first), 0);
  EXPECT_EQ(first.verified, 10u);
  EXPECT_EQ(first.mismatches, 0u);
}

TEST_F(CApi, StagedJobsAreCounted) {
  for (const bool staging : {false, true}) {
    open(staging ? "null:staged" : "null");
    espalier_device_counters before{}, after{}, older{};
    before.struct_size = after.struct_size = sizeof after;
    ASSERT_EQ(espalier_device_statistics(context, 0, &before), 0);
    older.struct_size = offsetof(espalier_device_counters, staged);
    older.staged = 77;
    EXPECT_EQ(espalier_device_statistics(context, 0, &older), 0);
    EXPECT_EQ(older.staged, 77u) << "beyond an older structure";
    Bytes clear = packet(100), sealed(300);
    run(add(ESPALIER_OUTBOUND), cut(clear, {}), cut(sealed, {}));
    ASSERT_EQ(espalier_device_statistics(context, 0, &after), 0);
    EXPECT_EQ(after.staged - before.staged, staging ? 1u : 0u);
  }
}

TEST_F(CApi, EventsTellTheLifeOfAnSa) {
  options.soft.packets = 1;
  options.hard.packets = 2;
  const espalier_sa sa = add(ESPALIER_OUTBOUND);
  Bytes clear = packet(100), sealed(300);
  EXPECT_TRUE(run(sa, cut(clear, {}), cut(sealed, {})).soft_expired);
  run(sa, cut(clear, {}), cut(sealed, {}));
  EXPECT_STREQ(espalier_drop_name(run(sa, cut(clear, {}), cut(sealed, {})).drop), "sa_expired_out");
  EXPECT_EQ(espalier_sa_remove(context, sa), 0);
  espalier_tick(context, 1);
  std::vector<std::uint32_t> kinds;
  espalier_event event{};
  event.struct_size = sizeof event;
  while (espalier_next_event(context, &event) == 1) {
    EXPECT_EQ(event.sa, sa);
    if (event.kind != ESPALIER_EVENT_AUDIT) kinds.push_back(event.kind);
  }
  EXPECT_EQ(kinds,
            (std::vector<std::uint32_t>{ESPALIER_EVENT_SOFT_EXPIRY, ESPALIER_EVENT_HARD_EXPIRY,
                                        ESPALIER_EVENT_SA_DRAINED}));
}

}  // namespace

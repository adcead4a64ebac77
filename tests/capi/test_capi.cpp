// SPDX-License-Identifier: BSD-2-Clause-Patent
// The C API's own part: structures of any age, wrong arguments, segments, in place.
#include "fixture.hpp"

namespace {

using espalier::test::Bytes;
using espalier::test::CApi;
using espalier::test::cut;
using espalier::test::packet;

/// Before OpenSSL's first allocation; all tests below run with its memory kept.
const int kept = espalier_keep_openssl_memory();

TEST_F(CApi, OpensslsMemoryIsKeptIfAskedForFirst) {
  EXPECT_TRUE(kept == 0 || kept == 1) << kept;
  EXPECT_EQ(espalier_keep_openssl_memory(), kept);
  std::uint64_t before = 0, after = 0;
  espalier_key_memory(&before, nullptr);
  for (int i = 0; i < 1000; ++i) add(ESPALIER_OUTBOUND);
  espalier_key_memory(&after, nullptr);
  EXPECT_GT(after - before, 1000u * 900) << "the SAs, and their contexts of some 900 octets each";
}

TEST_F(CApi, StructuresOfAnOlderHeaderAreTaken) {
  options.ttl = 33;
  options.struct_size = offsetof(espalier_sa_options, set_flow_label);
  options.number_limit = 1;  // beyond what an older header has: not looked at
  const espalier_sa sa = add(ESPALIER_OUTBOUND);
  Bytes clear = packet(100), sealed(300);
  for (int i = 0; i < 2; ++i)
    EXPECT_EQ(run(sa, cut(clear, {}), cut(sealed, {})).drop, 0) << "there is no limit";
  EXPECT_EQ(sealed[8], 33);
  espalier_context_options o{};
  o.struct_size = offsetof(espalier_context_options, audit_events_per_second);
  espalier_context* other = nullptr;
  EXPECT_EQ(espalier_open(&o, &other, error, sizeof error), 0) << error;
  espalier_close(other);
}

TEST_F(CApi, StructuresOfANewerHeaderAreTakenIfTheyAskForNothingUnknown) {
  struct Newer {
    espalier_sa_options options;
    std::uint64_t unknown;
  } newer{options, 0};
  newer.options.struct_size = sizeof newer;
  espalier_sa sa = 0;
  EXPECT_EQ(espalier_sa_add(context, &newer.options, &sa, error, sizeof error), 0) << error;
  newer.unknown = 1;
  espalier_sa untouched = 77;
  EXPECT_EQ(espalier_sa_add(context, &newer.options, &untouched, error, sizeof error), -E2BIG);
  EXPECT_NE(std::string(error).find("newer library"), std::string::npos);
  EXPECT_EQ(untouched, 77u);

  struct NewerJob {
    espalier_job job;
    std::uint64_t unknown;
  };
  Bytes clear = packet(60), sealed(300);
  const auto source = cut(clear, {}), destination = cut(sealed, {});
  std::array<NewerJob, 40> jobs{};
  for (NewerJob& j : jobs) {
    j.job = job_for(sa);
    j.job.struct_size = sizeof j;
    j.job.source = source.data();
    j.job.destination = destination.data();
    j.job.sources = j.job.destinations = 1;
  }
  EXPECT_EQ(espalier_submit(context, 0, &jobs[0].job, jobs.size()), 40);
  struct NewerCompletion {
    espalier_completion done;
    std::uint64_t unknown;
  };
  std::array<NewerCompletion, 40> done{};
  for (NewerCompletion& d : done) d.unknown = 5;
  done[0].done.struct_size = sizeof done[0];
  ASSERT_EQ(espalier_poll(context, 0, &done[0].done, done.size(), 32), 40);
  for (std::size_t i = 0; i < done.size(); ++i) {
    EXPECT_EQ(done[i].done.number, i + 1) << "consecutive within a call";
    EXPECT_EQ(done[i].unknown, 5u);
  }
  jobs[39].unknown = 1;
  EXPECT_EQ(espalier_submit(context, 0, &jobs[0].job, jobs.size()), -E2BIG) << "takes none";
  EXPECT_EQ(espalier_poll(context, 0, &done[0].done, done.size(), 32), 0);
}

TEST_F(CApi, WrongArgumentsAreRefusedAndChangeNothing) {
  espalier_sa sa = 7;
  EXPECT_EQ(espalier_sa_add(nullptr, &options, &sa, error, sizeof error), -EINVAL);
  EXPECT_EQ(espalier_sa_add(context, nullptr, &sa, error, sizeof error), -EINVAL);
  EXPECT_EQ(espalier_sa_add(context, &options, nullptr, error, sizeof error), -EINVAL);
  const auto refused = [&](auto member, auto value, const char* about) {
    espalier_sa_options wrong = options;
    wrong.*member = value;
    error[0] = '\0';
    EXPECT_EQ(espalier_sa_add(context, &wrong, &sa, error, sizeof error), -EINVAL) << about;
    EXPECT_NE(std::string(error), "") << about;
    EXPECT_EQ(sa, 7u) << about;
  };
  using O = espalier_sa_options;
  refused(&O::struct_size, std::size_t{0}, "struct_size 0");
  refused(&O::struct_size, std::size_t{24}, "a struct_size no header ever had");
  refused(&O::suite, static_cast<const char*>(nullptr), "no suite");
  refused(&O::suite, "3des-md5", "a refused suite");
  refused(&O::direction, 2u, "direction");
  refused(&O::mode, 9u, "mode");
  refused(&O::spi, 255u, "a reserved SPI");
  refused(&O::key, static_cast<const std::uint8_t*>(nullptr), "no key");
  refused(&O::key_length, std::size_t{19}, "a short key");
  refused(&O::integrity_key_length, std::size_t{20}, "integrity beside a combined mode");
  refused(&O::ttl, 256u, "TTL");
  refused(&O::df, 3u, "DF");
  refused(&O::sender_bits, 17u, "sender bits");
  refused(&O::sender_id, 0x10000u, "sender id");
  refused(&O::reserved, 1u, "reserved");
  refused(&O::reserved2, 1u, "reserved2");
  options.set_dscp = options.set_flow_label = 1;
  refused(&O::dscp, 64u, "DSCP");
  refused(&O::flow_label, 0x100000u, "flow label");
  options.direction = ESPALIER_INBOUND;
  refused(&O::replay_window, 31u, "window");

  EXPECT_EQ(espalier_sa_remove(context, 0), -ENOENT);
  EXPECT_EQ(espalier_sa_remove(context, 0xdeadbeefcafe), -ENOENT);
  EXPECT_EQ(espalier_sa_remove(nullptr, 0), -EINVAL);
  espalier_sa_change update{};
  EXPECT_EQ(espalier_sa_update(context, 1, &update, error, sizeof error), -EINVAL);
  update.struct_size = sizeof update;
  EXPECT_EQ(espalier_sa_update(context, 1, &update, error, sizeof error), -ENOENT);
  espalier_statistics statistics{};
  EXPECT_EQ(espalier_sa_statistics(context, 0, &statistics), -EINVAL) << "no struct_size";
  statistics.struct_size = sizeof statistics;
  EXPECT_EQ(espalier_sa_statistics(context, 5, &statistics), -ENOENT);
  EXPECT_EQ(espalier_sa_statistics(context, 0, nullptr), -EINVAL);
  espalier_overhead overhead{};
  EXPECT_EQ(espalier_sa_overhead(context, 1, &overhead), -ENOENT);
  espalier_device_counters device{};
  device.struct_size = sizeof device;
  EXPECT_EQ(espalier_device_statistics(context, 1, &device), -ENOENT);
  EXPECT_EQ(espalier_device_statistics(context, 0, &device), 0);
  EXPECT_EQ(espalier_find(context, 99, 1, 50, 0, key, key), 0u);
  EXPECT_EQ(espalier_find(context, 0, 1, 50, 0, nullptr, key), 0u);
  EXPECT_EQ(espalier_queue_fd(context, 2), -ENOENT);
  EXPECT_EQ(espalier_queue_arm(context, 2), -ENOENT);
  espalier_event event{};
  EXPECT_EQ(espalier_next_event(context, &event), -EINVAL);
  EXPECT_EQ(espalier_next_event(context, nullptr), -EINVAL);
  EXPECT_EQ(espalier_mem_register(context, nullptr, 5), -EINVAL);
  EXPECT_EQ(espalier_mem_alloc(context, 0), nullptr);
  EXPECT_EQ(espalier_mem_alloc(context, SIZE_MAX - 3), nullptr);
  espalier_mem_free(context, nullptr, 5);
  espalier_close(nullptr);
}

TEST_F(CApi, ContextsOutOfRangeAreRefused) {
  const auto refused = [&](auto member, auto value, int code) {
    espalier_context_options o{};
    o.struct_size = sizeof o;
    o.*member = value;
    espalier_context* none = reinterpret_cast<espalier_context*>(1);
    error[0] = '\0';
    EXPECT_EQ(espalier_open(&o, &none, error, sizeof error), code) << value;
    EXPECT_NE(std::string(error), "");
    EXPECT_EQ(none, reinterpret_cast<espalier_context*>(1));
  };
  using O = espalier_context_options;
  refused(&O::struct_size, std::size_t{8}, -EINVAL);
  refused(&O::devices, "toaster", -ENODEV);
  refused(&O::max_sas, 65536u, -EINVAL);
  refused(&O::queues, 17u, -EINVAL);
  refused(&O::queue_capacity, 1000u, -EINVAL);
  refused(&O::batch, 2000u, -EINVAL);
  refused(&O::events, 0x80000000u, -EINVAL);
  refused(&O::shadow_per_million, 1000001u, -EINVAL);
  espalier_context_options o{};
  o.struct_size = sizeof o;
  EXPECT_EQ(espalier_open(&o, nullptr, nullptr, 0), -EINVAL);
  EXPECT_EQ(espalier_open(nullptr, &context, nullptr, 0), -EINVAL);
}

TEST_F(CApi, ErrorLinesAreCutToTheirPlace) {
  char small[8];
  std::memset(small, 'x', sizeof small);
  options.suite = nullptr;
  espalier_sa sa;
  EXPECT_EQ(espalier_sa_add(context, &options, &sa, small, sizeof small - 1), -EINVAL);
  EXPECT_EQ(small[6], '\0');
  EXPECT_EQ(small[7], 'x');
}

TEST_F(CApi, JobsThatCannotBeAreDroppedAndTouchNothing) {
  const espalier_sa sa = add(ESPALIER_OUTBOUND);
  Bytes clear = packet(100), sealed(300, 0xee);
  const auto source = cut(clear, {}), destination = cut(sealed, {});
  espalier_job good = job_for(sa);
  good.source = source.data();
  good.destination = destination.data();
  good.sources = good.destinations = 1;
  const auto dropped = [&](auto change, const char* reason) {
    espalier_job job = good;
    change(job);
    const espalier_completion done = run(job);
    EXPECT_STREQ(espalier_drop_name(done.drop), reason);
    EXPECT_EQ(done.length, 0u);
    EXPECT_EQ(done.number, 0u) << "no number is spent on it";
  };
  using J = espalier_job;
  espalier_segment hole = {nullptr, 20, 0};
  dropped([](J& j) { j.sources = 0; }, "bad_argument");
  dropped([](J& j) { j.sources = 17; }, "bad_argument");
  dropped([](J& j) { j.sources = 0xffffffff; }, "bad_argument");
  dropped([](J& j) { j.source = nullptr; }, "bad_argument");
  dropped([](J& j) { j.destination = nullptr; }, "bad_argument");
  dropped([](J& j) { j.destinations = 17; }, "bad_argument");
  dropped([&](J& j) { j.source = &hole; }, "bad_argument");
  dropped([&](J& j) { j.destination = &hole; }, "bad_argument");
  dropped([](J& j) { j.l3_offset = 100; }, "bad_argument");
  dropped([](J& j) { j.l3_offset = 0xffffffff; }, "bad_argument");
  dropped([](J& j) { j.tfc_length = 0x10000; }, "bad_argument");
  dropped([](J& j) { j.flags = 2; }, "bad_argument");
  dropped([](J& j) { j.reserved = 1; }, "bad_argument");
  dropped([](J& j) { j.sa = 0; }, "sa_gone");
  dropped([](J& j) { j.sa ^= std::uint64_t{1} << 40; }, "sa_gone");
  dropped([](J& j) { j.destinations = 0; }, "no_room");  // in place, and no headroom
  EXPECT_EQ(sealed, Bytes(300, 0xee));
  EXPECT_EQ(run(good).number, 1u);

  espalier_completion done{};
  EXPECT_EQ(espalier_submit(nullptr, 0, &good, 1), -EINVAL);
  EXPECT_EQ(espalier_submit(context, 2, &good, 1), -ENOENT);
  EXPECT_EQ(espalier_submit(context, 0, nullptr, 1), -EINVAL);
  EXPECT_EQ(espalier_submit(context, 0, nullptr, 0), 0);
  good.struct_size = 8;
  EXPECT_EQ(espalier_submit(context, 0, &good, 1), -EINVAL);
  EXPECT_EQ(espalier_poll(context, 0, &done, 1, 0), -EINVAL) << "no struct_size";
  EXPECT_EQ(espalier_poll(context, 9, &done, 1, 0), -ENOENT);
  EXPECT_EQ(espalier_poll(context, 0, nullptr, 0, 0), 0);
}

TEST_F(CApi, SixteenUnevenSegmentsEachWay) {
  for (const char* name : {"aes128gcm16", "aes128-sha256"}) {
    suite(name);
    options.spi += name[6] == 'g' ? 0 : 1;
    const espalier_sa out = add(ESPALIER_OUTBOUND), in = add(ESPALIER_INBOUND);
    Bytes clear = packet(701), sealed(1000), opened(800);
    // The header in three pieces, one empty, and an ICV over many.
    std::vector<std::uint32_t> source = {7, 1, 0, 14, 3, 111, 1, 64, 65, 63, 2, 2, 100, 100, 100};
    const auto sealing = run(out, cut(clear, source),
                             cut(sealed, {1, 2, 3, 20, 5, 500, 100, 100, 1, 1, 1, 1, 1, 1, 1}));
    ASSERT_EQ(sealing.drop, 0) << espalier_drop_name(sealing.drop);
    sealed.resize(sealing.length);
    source.back() = 20;
    const auto opening = run(in, cut(sealed, source), cut(opened, {1, 19, 400, 5, 3, 3, 3, 3}));
    ASSERT_EQ(opening.drop, 0) << espalier_drop_name(opening.drop);
    ASSERT_EQ(opening.length, clear.size());
    opened.resize(opening.length);
    EXPECT_EQ(opened, clear);
  }
}

TEST_F(CApi, InPlaceThePayloadKeepsItsPlace) {
  const espalier_sa out = add(ESPALIER_OUTBOUND), in = add(ESPALIER_INBOUND);
  espalier_overhead overhead{};
  overhead.struct_size = sizeof overhead;
  ASSERT_EQ(espalier_sa_overhead(context, out, &overhead), 0);
  EXPECT_EQ(overhead.in_place, 20u + 8 + 8);
  const Bytes clear = packet(333);
  for (const std::uint32_t headroom : {overhead.in_place, overhead.in_place + 92}) {
    for (const bool many : {false, true}) {
      Bytes buffer(headroom + clear.size() + overhead.total - overhead.in_place, 0xee);
      std::copy(clear.begin(), clear.end(), buffer.begin() + headroom);
      const auto segments =
          many ? cut(buffer, {headroom + 5, 60, 1}) : cut(buffer, std::vector<std::uint32_t>{});
      const auto sealed = run(out, segments, {}, headroom);
      ASSERT_EQ(sealed.drop, 0) << espalier_drop_name(sealed.drop);
      EXPECT_EQ(sealed.offset, headroom - overhead.in_place);
      EXPECT_EQ(buffer[sealed.offset], 0x45);
      EXPECT_EQ(buffer[sealed.offset + 9], 50);
      // The first segment must reach the header, wherever it begins.
      const auto opened = run(in, segments, {}, sealed.offset);
      ASSERT_EQ(opened.drop, 0) << espalier_drop_name(opened.drop);
      EXPECT_EQ(opened.offset, headroom);
      ASSERT_EQ(opened.length, clear.size());
      EXPECT_TRUE(std::equal(clear.begin(), clear.end(), buffer.begin() + opened.offset));
    }
  }
}

TEST_F(CApi, InPlaceInTransportModeAndUnderAh) {
  for (const bool ah : {false, true}) {
    suite(ah ? "sha256" : "aes128-sha256");
    options.ah = ah;
    if (ah) options.key_length = 0;
    options.mode = ESPALIER_TRANSPORT;
    options.spi = ah ? 0x2001 : 0x2002;
    const espalier_sa out = add(ESPALIER_OUTBOUND), in = add(ESPALIER_INBOUND);
    Bytes clear = packet(200), buffer(400);
    std::copy(clear.begin(), clear.end(), buffer.begin() + 64);
    const auto segments = cut(buffer, {});
    const auto sealed = run(out, segments, {}, 64);
    ASSERT_EQ(sealed.drop, 0) << espalier_drop_name(sealed.drop);
    EXPECT_EQ(buffer[sealed.offset + 9], ah ? 51 : 50);
    const auto opened = run(in, segments, {}, sealed.offset);
    ASSERT_EQ(opened.drop, 0) << espalier_drop_name(opened.drop);
    EXPECT_EQ(opened.offset, 64u);
    ASSERT_EQ(opened.length, clear.size());
    clear[10] = buffer[74], clear[11] = buffer[75];  // the checksum, made right
    EXPECT_TRUE(std::equal(clear.begin(), clear.end(), buffer.begin() + 64));
  }
}

TEST_F(CApi, DummyPacketsAreSealedAndDiscarded) {
  const espalier_sa out = add(ESPALIER_OUTBOUND), in = add(ESPALIER_INBOUND);
  Bytes sealed(300), opened(300);
  espalier_job job = job_for(out);
  const auto destination = cut(sealed, {});
  job.destination = destination.data();
  job.destinations = 1;
  job.flags = ESPALIER_JOB_DUMMY;
  job.tfc_length = 100;
  const auto done = run(job);
  ASSERT_EQ(done.drop, 0);
  sealed.resize(done.length);
  EXPECT_STREQ(espalier_drop_name(run(in, cut(sealed, {}), cut(opened, {})).drop), "dummy");
}

TEST_F(CApi, PoolMemoryIsAlignedAndZero) {
  auto* memory = static_cast<std::uint8_t*>(espalier_mem_alloc(context, 5000));
  ASSERT_NE(memory, nullptr);
  EXPECT_EQ(reinterpret_cast<std::uintptr_t>(memory) % 64, 0u);
  EXPECT_EQ(Bytes(memory, memory + 5000), Bytes(5000));
  espalier_mem_free(context, memory, 5000);
  EXPECT_EQ(espalier_mem_register(context, key, sizeof key), 0) << "software reads any memory";
}

}  // namespace

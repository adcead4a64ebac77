// SPDX-License-Identifier: BSD-2-Clause-Patent
// The C API's own part: structures of any age, wrong arguments, segments, in place, events.
#include <gtest/gtest.h>

#include <array>
#include <cerrno>
#include <cstring>
#include <string>
#include <vector>

#include "espalier/espalier.h"

namespace {

using Bytes = std::vector<std::uint8_t>;

Bytes packet(std::uint16_t length) {
  Bytes p(length);
  for (std::size_t i = 20; i < length; ++i) p[i] = static_cast<std::uint8_t>(i * 7);
  const std::array<std::uint8_t, 20> header = {0x45, 0, 0,  0, 0, 0, 0,  0, 64, 17,
                                               0,    0, 10, 1, 0, 1, 10, 2, 0,  1};
  std::copy(header.begin(), header.end(), p.begin());
  p[2] = static_cast<std::uint8_t>(length >> 8);
  p[3] = static_cast<std::uint8_t>(length);
  p[10] = 0x66;  // whatever the checksum is, it comes back
  return p;
}

class CApi : public ::testing::Test {
 protected:
  void SetUp() override {
    espalier_context_options o{};
    o.struct_size = sizeof o;
    o.queues = 2;
    ASSERT_EQ(espalier_open(&o, &context, error, sizeof error), 0) << error;
    suite("aes128gcm16");
  }
  void TearDown() override { espalier_close(context); }

  void suite(const char* name) {
    options = {};
    options.struct_size = sizeof options;
    options.suite = name;
    options.spi = 0x1001;
    options.key = key;
    options.key_length = std::strstr(name, "gcm") != nullptr ? 20 : 16;
    options.integrity_key = key;
    options.integrity_key_length = std::strstr(name, "gcm") != nullptr ? 0 : 32;
    options.source[0] = options.destination[0] = 10;
    options.destination[3] = 1;
  }
  espalier_sa add(std::uint32_t direction) {
    options.direction = direction;
    espalier_sa sa = 0;
    EXPECT_EQ(espalier_sa_add(context, &options, &sa, error, sizeof error), 0) << error;
    return sa;
  }
  static espalier_job job_for(espalier_sa sa) {
    espalier_job job{};
    job.struct_size = sizeof job;
    job.sa = sa;
    return job;
  }
  espalier_completion run(const espalier_job& job) {
    EXPECT_EQ(espalier_submit(context, 0, &job, 1), 1);
    espalier_completion done{};
    done.struct_size = sizeof done;
    for (int i = 0; i < 100 && espalier_poll(context, 0, &done, 1, 32) == 0; ++i)
      espalier_tick(context, 0);
    return done;
  }
  espalier_completion run(espalier_sa sa, const std::vector<espalier_segment>& source,
                          const std::vector<espalier_segment>& destination,
                          std::uint32_t l3_offset = 0) {
    espalier_job job = job_for(sa);
    job.source = source.data();
    job.sources = static_cast<std::uint32_t>(source.size());
    job.destination = destination.data();
    job.destinations = static_cast<std::uint32_t>(destination.size());
    job.l3_offset = l3_offset;
    return run(job);
  }

  espalier_context* context = nullptr;
  char error[ESPALIER_ERROR_SIZE] = "";
  std::uint8_t key[32] = {1, 2, 3};
  espalier_sa_options options{};
};

/// `bytes` in segments of the given lengths, the last taking the rest.
std::vector<espalier_segment> cut(Bytes& bytes, const std::vector<std::uint32_t>& lengths) {
  std::vector<espalier_segment> out;
  std::uint32_t at = 0;
  for (const std::uint32_t length : lengths) {
    out.push_back({bytes.data() + at, length, 0});
    at += length;
  }
  out.push_back({bytes.data() + at, static_cast<std::uint32_t>(bytes.size()) - at, 0});
  return out;
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

TEST(CApiDevices, StagedJobsAreCounted) {
  for (const char* device : {"null", "null:staged"}) {
    espalier_context_options o{};
    o.struct_size = sizeof o;
    o.devices = device;
    espalier_context* context = nullptr;
    char error[ESPALIER_ERROR_SIZE] = "";
    ASSERT_EQ(espalier_open(&o, &context, error, sizeof error), 0) << error;
    espalier_device_counters before{}, after{}, older{};
    before.struct_size = after.struct_size = sizeof after;
    ASSERT_EQ(espalier_device_statistics(context, 0, &before), 0);
    older.struct_size = offsetof(espalier_device_counters, staged);
    older.staged = 77;
    EXPECT_EQ(espalier_device_statistics(context, 0, &older), 0);
    EXPECT_EQ(older.staged, 77u) << "beyond an older structure";
    const std::uint8_t key[20] = {};
    espalier_sa_options sa_options{};
    sa_options.struct_size = sizeof sa_options;
    sa_options.suite = "aes128gcm16";
    sa_options.spi = 0x1001;
    sa_options.key = key;
    sa_options.key_length = sizeof key;
    espalier_sa sa = 0;
    ASSERT_EQ(espalier_sa_add(context, &sa_options, &sa, error, sizeof error), 0) << error;
    Bytes clear = packet(100), sealed(300);
    const auto source = cut(clear, {}), destination = cut(sealed, {});
    espalier_job job{};
    job.struct_size = sizeof job;
    job.sa = sa;
    job.source = source.data();
    job.destination = destination.data();
    job.sources = job.destinations = 1;
    ASSERT_EQ(espalier_submit(context, 0, &job, 1), 1);
    espalier_completion done{};
    done.struct_size = sizeof done;
    EXPECT_EQ(espalier_poll(context, 0, &done, 1, 32), 1);
    ASSERT_EQ(espalier_device_statistics(context, 0, &after), 0);
    EXPECT_EQ(after.staged - before.staged, std::strcmp(device, "null") == 0 ? 0u : 1u);
    espalier_close(context);
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

TEST_F(CApi, PoolMemoryIsAlignedAndZero) {
  auto* memory = static_cast<std::uint8_t*>(espalier_mem_alloc(context, 5000));
  ASSERT_NE(memory, nullptr);
  EXPECT_EQ(reinterpret_cast<std::uintptr_t>(memory) % 64, 0u);
  EXPECT_EQ(Bytes(memory, memory + 5000), Bytes(5000));
  espalier_mem_free(context, memory, 5000);
  EXPECT_EQ(espalier_mem_register(context, key, sizeof key), 0) << "software reads any memory";
}

}  // namespace

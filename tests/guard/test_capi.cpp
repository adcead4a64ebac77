// SPDX-License-Identifier: BSD-2-Clause-Patent
// The C API: no octet outside the lent segments is read or written, and none of a source; nor
// outside structures of any size, job and segment arrays, and lines of text.
#include <algorithm>
#include <cerrno>

#include "../driver/packets.hpp"
#include "espalier/espalier.h"
#include "guarded.hpp"

namespace espalier::driver {
namespace {

using test::Bytes;
using test::Guarded;
using test::GuardedBuffer;
using test::Random;

/// A T whose last octet is the last allowed one.
template <class T>
class Edge {
 public:
  explicit Edge(const T* values, std::size_t count)
      : memory_(std::max<std::size_t>(1, count) * sizeof(T)) {
    const Segment s = memory_.stretch(count * sizeof(T), true);
    at_ = reinterpret_cast<T*>(s.data);
    if (count != 0) std::memcpy(s.data, values, s.length);
  }
  explicit Edge(const T& value) : Edge(&value, 1) {}
  T* get() const { return at_; }

 private:
  Guarded memory_;
  T* at_;
};

class GuardedCApi : public ::testing::Test {
 protected:
  void SetUp() override {
    espalier_context_options o{};
    o.struct_size = sizeof o;
    o.devices = "software";
    ASSERT_EQ(espalier_open(Edge(o).get(), &context_, error_, sizeof error_), 0) << error_;
  }
  void TearDown() override { espalier_close(context_); }

  struct Pair {
    std::string name;
    espalier_sa seal = 0, open = 0;
    bool ipv6 = false, tunnel = false;
    espalier_overhead overhead{};
  };
  Pair add(const Suite& suite, bool tunnel) {
    Pair pair;
    pair.name = suite_name(suite);
    pair.ipv6 = random_.below(2) != 0;
    pair.tunnel = tunnel;
    const bool ah_gmac = suite.integrity == spec::Integrity::aes_gmac;
    const Bytes cipher =
        random_.bytes(suite.cipher_key_length + (ah_gmac ? 0u : suite.salt_length));
    const Bytes integrity =
        random_.bytes(suite.integrity_key_length + (ah_gmac ? suite.salt_length : 0u));
    const Edge cipher_key(cipher.data(), cipher.size()),
        integrity_key(integrity.data(), integrity.size());
    const Edge name(pair.name.c_str(), pair.name.size() + 1);
    espalier_sa_options o{};
    o.struct_size = sizeof o;
    o.suite = name.get();
    o.ah = suite.protocol == Protocol::ah;
    o.mode = tunnel ? ESPALIER_TUNNEL : ESPALIER_TRANSPORT;
    o.spi = ++spi_;
    o.esn = random_.below(2) != 0;
    o.key = cipher_key.get();
    o.key_length = cipher.size();
    o.integrity_key = integrity_key.get();
    o.integrity_key_length = integrity.size();
    o.ipv6 = pair.ipv6;
    o.destination[0] = 10;
    EXPECT_EQ(espalier_sa_add(context_, Edge(o).get(), &pair.seal, error_, sizeof error_), 0)
        << pair.name << ": " << error_;
    o.direction = ESPALIER_INBOUND;
    EXPECT_EQ(espalier_sa_add(context_, Edge(o).get(), &pair.open, error_, sizeof error_), 0)
        << error_;
    pair.overhead.struct_size = sizeof pair.overhead;
    const Edge overhead(pair.overhead);
    EXPECT_EQ(espalier_sa_overhead(context_, pair.seal, overhead.get()), 0);
    pair.overhead = *overhead.get();
    return pair;
  }
  static std::vector<espalier_segment> list(const GuardedBuffer& buffer) {
    std::vector<espalier_segment> out;
    for (const Segment& s : buffer.segments()) out.push_back({s.data, s.length, 0});
    return out;
  }
  /// `octets` through an SA into `room` octets, the job's structures at the edge of memory too.
  espalier_completion pass(espalier_sa sa, const Bytes& octets, std::size_t room) {
    source_.hold(octets, random_);
    destination_.shape(room, random_);
    const auto sources = list(source_), destinations = list(destination_);
    const Edge source(sources.data(), sources.size()),
        destination(destinations.data(), destinations.size());
    espalier_job job{};
    job.struct_size = sizeof job;
    job.sa = sa;
    job.cookie = 77;
    job.source = source.get();
    job.sources = static_cast<std::uint32_t>(sources.size());
    job.destination = destination.get();
    job.destinations = static_cast<std::uint32_t>(destinations.size());
    EXPECT_EQ(espalier_submit(context_, 0, Edge(job).get(), 1), 1);
    espalier_completion done{};
    done.struct_size = sizeof done;
    const Edge completion(done);
    for (int i = 0; i < 100 && espalier_poll(context_, 0, completion.get(), 1, 32) == 0; ++i)
      espalier_tick(context_, 0);
    EXPECT_EQ(completion.get()->cookie, 77u);
    source_.release();
    EXPECT_TRUE(source_.intact() && destination_.intact());
    return *completion.get();
  }

  Random random_;
  espalier_context* context_ = nullptr;
  char error_[ESPALIER_ERROR_SIZE] = "";
  std::uint32_t spi_ = 0x1000;
  GuardedBuffer source_, destination_;
  ::testing::ScopedTrace trace_{__FILE__, __LINE__, random_.replay()};
};

TEST_F(GuardedCApi, PacketsThereAndBack) {
  for (const Suite& suite : all_suites())
    for (const bool tunnel : {true, false}) {
      const Pair pair = add(suite, tunnel);
      SCOPED_TRACE(pair.name);
      for (unsigned i = 0; i < 12 && !HasFailure(); ++i) {
        const Bytes clear = test::make_packet(pair.ipv6 ? Family::ipv6 : Family::ipv4,
                                              i == 0 ? 0 : random_.below(1500), random_);
        const std::size_t most = clear.size() + pair.overhead.total;
        const espalier_completion sealed = pass(pair.seal, clear, most);
        ASSERT_EQ(sealed.drop, 0) << espalier_drop_name(sealed.drop);
        const Bytes packet = destination_.read(sealed.offset, sealed.length);
        Bytes wrong = packet;
        wrong[wrong.size() - 1 - random_.below(wrong.size() - 40)] ^= 1;
        EXPECT_NE(pass(pair.open, wrong, clear.size()).drop, 0);
        EXPECT_NE(pass(pair.open, random_.bytes(1 + random_.below(100)), random_.below(40)).drop,
                  0);
        const espalier_completion opened = pass(pair.open, packet, clear.size());
        ASSERT_EQ(opened.drop, 0) << espalier_drop_name(opened.drop);
        ASSERT_EQ(destination_.read(opened.offset, opened.length), clear);
        EXPECT_NE(pass(pair.seal, clear, packet.size() - 1).drop, 0);
      }
    }
}

/// A structure that is whole is taken; one older than any header may be refused.
bool answered(int code, std::size_t size, std::size_t whole) {
  return code == 0 || (code == -EINVAL && size < whole);
}

/// Structures of an older, shorter header; text that fits to the octet.
TEST_F(GuardedCApi, StructuresAreReadAndWrittenToTheirSizeOnly) {
  const Pair pair = add(test::suite("aes256gcm16"), true);
  for (std::size_t size = sizeof(std::size_t); size <= sizeof(espalier_statistics); size += 8) {
    const Guarded memory(size);
    auto* s = reinterpret_cast<espalier_statistics*>(memory.stretch(size, true).data);
    s->struct_size = size;
    EXPECT_TRUE(answered(espalier_sa_statistics(context_, pair.seal, s), size, sizeof *s)) << size;
  }
  for (std::size_t size = sizeof(std::size_t); size <= sizeof(espalier_event); size += 8) {
    const Guarded memory(size);
    auto* e = reinterpret_cast<espalier_event*>(memory.stretch(size, true).data);
    e->struct_size = size;
    espalier_next_event(context_, e);
  }
  for (std::size_t size = sizeof(std::size_t); size <= sizeof(espalier_device_counters);
       size += 8) {
    const Guarded memory(size);
    auto* d = reinterpret_cast<espalier_device_counters*>(memory.stretch(size, true).data);
    d->struct_size = size;
    EXPECT_TRUE(answered(espalier_device_statistics(context_, 0, d), size, sizeof *d)) << size;
  }
  const Guarded line(64);
  for (std::size_t size = 0; size < 64; ++size) {
    const Segment s = line.stretch(size, true);
    espalier_sa_options o{};
    o.struct_size = sizeof o;
    o.suite = "nonsense";
    espalier_sa sa = 0;
    EXPECT_LT(espalier_sa_add(context_, &o, &sa, reinterpret_cast<char*>(s.data), size), 0);
    if (size != 0) {
      EXPECT_EQ(
          s.data[std::min<std::size_t>(size - 1, std::strlen(reinterpret_cast<char*>(s.data)))], 0);
    }
  }
}

}  // namespace
}  // namespace espalier::driver

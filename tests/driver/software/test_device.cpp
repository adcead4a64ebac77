// SPDX-License-Identifier: BSD-2-Clause-Patent
// What only the software device promises: every suite in every mode, any segmentation and overlap,
// slots that come and go beside traffic.
#include <gtest/gtest.h>
#include <openssl/crypto.h>

#include <atomic>
#include <cstdlib>
#include <cstring>
#include <thread>

#include "../one_job.hpp"
#include "../packets.hpp"
#include "espalier/driver/key_memory.hpp"
#include "tested.hpp"

namespace espalier::driver::test {
namespace {

constexpr Slot kSeal{1}, kOpen{2};
constexpr Generation kGeneration{9};

/// Both ends of an SA on one device.
class SoftwareDevice : public ::testing::Test {
 protected:
  Random random_;
  std::unique_ptr<Device> device_ = make_tested({.queues = 2, .queue_depth = 8, .slots = 16});

  void install_both(SaParameters sa) {
    sa.direction = Direction::seal;
    ASSERT_EQ(install(*device_, kSeal, kGeneration, sa), Status::ok) << check(sa);
    sa.direction = Direction::open;
    ASSERT_EQ(install(*device_, kOpen, kGeneration, sa), Status::ok) << check(sa);
  }
  void remove_both() {
    remove(*device_, kSeal);
    remove(*device_, kOpen);
  }
  Job seal_job(const SaParameters& sa, const Bytes& clear) {
    Job job = driver::test::seal_job(sa, clear, random_);
    job.slot = kSeal;
    job.generation = kGeneration;
    return job;
  }
  Job open_job(const SaParameters& sa, const Job& sealed_by) {
    Job job = driver::test::open_job(sa, sealed_by);
    job.slot = kOpen;
    return job;
  }
};

TEST_F(SoftwareDevice, EverySuiteInEveryModeComesBack) {
  for (const Suite& s : all_suites())
    for (const Mode mode : {Mode::tunnel, Mode::transport})
      for (const Family outer : {Family::ipv4, Family::ipv6})
        for (const bool udp : {false, true}) {
          if (udp && s.protocol == Protocol::ah) continue;
          SaParameters sa = make_sa(s, random_, mode, outer, udp);
          sa.esn = random_.below(2) != 0;
          SCOPED_TRACE(suite_name(s) + " " + random_.replay());
          install_both(sa);
          for (const Family inner : {Family::ipv4, Family::ipv6}) {
            if (mode == Mode::transport && inner != outer) continue;
            const Bytes clear = make_packet(inner, random_.below(1500), random_);
            const Job job = seal_job(sa, clear);
            const Outcome sealed = run(*device_, job, clear);
            ASSERT_EQ(sealed.status, Status::ok);
            EXPECT_EQ(sealed.next_header, static_cast<std::uint8_t>(s.protocol));
            const Outcome opened = run(*device_, open_job(sa, job), sealed.packet);
            ASSERT_EQ(opened.status, Status::ok);
            ASSERT_EQ(to_hex(opened.packet), to_hex(clear));
          }
          remove_both();
        }
}

TEST_F(SoftwareDevice, PacketsUpTo65535Octets) {
  for (const char* name : {"aes256gcm16", "aes128-sha512", "aes192ccm8", "chacha20poly1305"}) {
    const SaParameters sa = make_sa(suite(name), random_);
    install_both(sa);
    for (const std::size_t payload : {65000u, 65400u, 65515u}) {
      const Bytes clear = make_packet(Family::ipv4, payload, random_);
      const Job job = seal_job(sa, clear);
      const Outcome sealed = run(*device_, job, clear);
      if (payload == 65515) {
        EXPECT_EQ(sealed.status, Status::too_long) << "an IP length must not wrap";
        continue;
      }
      ASSERT_EQ(sealed.status, Status::ok) << name;
      EXPECT_EQ(run(*device_, open_job(sa, job), sealed.packet).packet, clear) << name;
    }
    remove_both();
  }
}

/// Cuts a buffer into up to kMaxSegments uneven pieces, some empty.
std::vector<Segment> cut(Bytes& buffer, Random& random) {
  std::vector<Segment> out;
  std::uint32_t at = 0;
  const auto size = static_cast<std::uint32_t>(buffer.size());
  const std::uint64_t pieces = 1 + random.below(kMaxSegments);
  for (std::uint64_t i = 0; i + 1 < pieces; ++i) {
    const auto take = static_cast<std::uint32_t>(random.below(std::min(size - at, 90u) + 1));
    out.push_back({buffer.data() + at, take});
    at += take;
  }
  out.push_back({buffer.data() + at, size - at});
  return out;
}

Completion submit_one(Device& device, const Job& job) {
  EXPECT_TRUE(device.submit_one(QueueId{0}, job));
  return wait_for(device);
}

TEST_F(SoftwareDevice, AnySegmentationGivesTheSameBytes) {
  const SaParameters sa = make_sa(suite("aes256gcm16"), random_);
  install_both(sa);
  for (unsigned round = 0; round < 300; ++round) {
    Bytes clear = make_packet(Family::ipv4, random_.below(600), random_);
    Job job = seal_job(sa, clear);
    const Outcome whole = run(*device_, job, clear);
    ASSERT_EQ(whole.status, Status::ok);
    Bytes result(whole.packet.size() + random_.below(3), 0xee);
    const auto source = cut(clear, random_), destination = cut(result, random_);
    job.source = source;
    job.destination = destination;
    const Completion completion = submit_one(*device_, job);
    ASSERT_EQ(completion.status, Status::ok);
    result.resize(completion.length);
    ASSERT_EQ(result, whole.packet) << random_.replay();
  }
}

TEST_F(SoftwareDevice, EverySplitOfASourceOpens) {
  const SaParameters sa = make_sa(suite("aes128gcm16"), random_);
  install_both(sa);
  const Bytes clear = make_packet(Family::ipv4, 40, random_);
  const Job job = seal_job(sa, clear);
  Bytes sealed = run(*device_, job, clear).packet;
  for (std::uint32_t at = 0; at <= sealed.size(); ++at) {
    Job open = open_job(sa, job);
    Bytes result(clear.size());
    const auto size = static_cast<std::uint32_t>(sealed.size());
    const Segment source[] = {{sealed.data(), at}, {sealed.data() + at, size - at}};
    const Segment destination[] = {{result.data(), static_cast<std::uint32_t>(result.size())}};
    open.source = source;
    open.destination = destination;
    ASSERT_EQ(submit_one(*device_, open).status, Status::ok) << "split at " << at;
    ASSERT_EQ(result, clear) << "split at " << at;
  }
}

/// Seals and opens with the destination `shift` octets behind (or before) the source.
void expect_overlap_works(Device& device, const Job& prototype, const Bytes& source,
                          const Bytes& expected, int shift) {
  Bytes memory(source.size() + 600, 0xaa);
  std::uint8_t* in = memory.data() + 200;
  std::memcpy(in, source.data(), source.size());
  const Segment from{in, static_cast<std::uint32_t>(source.size())};
  const Segment to{in + shift, static_cast<std::uint32_t>(expected.size())};
  Job job = prototype;
  job.source = {&from, 1};
  job.destination = {&to, 1};
  const Completion completion = submit_one(device, job);
  ASSERT_EQ(completion.status, Status::ok) << "shift " << shift;
  ASSERT_EQ(to_hex({to.data, completion.length}), to_hex(expected)) << "shift " << shift;
}

TEST_F(SoftwareDevice, InPlaceAndAnyOverlap) {
  for (const char* name : {"aes256gcm16", "aes128-sha256", "null-sha1", "aes128ccm16",
                           "chacha20poly1305", "aes128gmac"})
    for (const Mode mode : {Mode::tunnel, Mode::transport}) {
      const SaParameters sa = make_sa(suite(name), random_, mode);
      install_both(sa);
      const Bytes clear = make_packet(Family::ipv4, 700, random_);
      const Job job = seal_job(sa, clear);
      const Bytes sealed = run(*device_, job, clear).packet;
      for (int shift = -64; shift <= 64; ++shift) {
        SCOPED_TRACE(std::string(name) + (mode == Mode::tunnel ? " tunnel" : " transport"));
        expect_overlap_works(*device_, job, clear, sealed, shift);
        expect_overlap_works(*device_, open_job(sa, job), sealed, clear, shift);
      }
      remove_both();
    }
}

TEST_F(SoftwareDevice, AFailedOpenLeavesNoPlaintext) {
  for (const Suite& s : all_suites()) {
    const SaParameters sa = make_sa(s, random_);
    install_both(sa);
    const Bytes clear = make_packet(Family::ipv4, 500, random_);
    const Job job = seal_job(sa, clear);
    Bytes sealed = run(*device_, job, clear).packet;
    sealed.back() ^= 1;
    Bytes result(4096, 0);
    const auto segments = cut(result, random_);
    const Segment from{sealed.data(), static_cast<std::uint32_t>(sealed.size())};
    const Segment to{result.data(), static_cast<std::uint32_t>(result.size())};
    for (const std::span<const Segment> destination : {std::span(&to, 1), std::span(segments)}) {
      Job open = open_job(sa, job);
      open.source = {&from, 1};
      open.destination = destination;
      EXPECT_EQ(submit_one(*device_, open).status, Status::icv_mismatch) << suite_name(s);
      EXPECT_EQ(result, Bytes(4096, 0)) << suite_name(s) << ": plaintext in the destination";
    }
    remove_both();
  }
}

TEST_F(SoftwareDevice, IvsOutOfSequenceAreTakenAsGiven) {
  // The context's own IV counter must never decide: same bytes whatever was sealed before.
  const SaParameters sa = make_sa(suite("aes256gcm16"), random_);
  install_both(sa);
  const Bytes clear = make_packet(Family::ipv4, 100, random_);
  Job job = seal_job(sa, clear);
  job.iv = {0, 0, 0, 0, 0, 0, 0, 5};
  const Bytes first = run(*device_, job, clear).packet;
  for (const std::uint8_t between : {6, 5, 4, 200, 5}) {
    Job other = job;
    other.iv[7] = between;
    const Bytes found = run(*device_, other, clear).packet;
    EXPECT_EQ(found == first, between == 5) << int{between};
    EXPECT_EQ(run(*device_, job, clear).packet, first) << "after IV " << int{between};
  }
}

TEST_F(SoftwareDevice, ABatchBeyondTheQueueIsTakenInPart) {
  const SaParameters sa = make_sa(suite("aes128gcm16"), random_);
  install_both(sa);
  Bytes clear = make_packet(Family::ipv4, 10, random_);
  const Segment source{clear.data(), static_cast<std::uint32_t>(clear.size())};
  std::vector<Bytes> results(12, Bytes(256));
  std::vector<Segment> destinations;
  std::vector<Job> jobs(12, seal_job(sa, clear));
  for (auto& result : results) destinations.push_back({result.data(), 256});
  for (std::size_t i = 0; i < jobs.size(); ++i) {
    jobs[i].cookie = i;
    jobs[i].source = {&source, 1};
    jobs[i].destination = {&destinations[i], 1};
  }
  EXPECT_EQ(submit_all(*device_, QueueId{1}, jobs), 8u);
  EXPECT_EQ(submit_all(*device_, QueueId{1}, jobs), 0u) << "full";
  Completion completions[12];
  EXPECT_EQ(device_->poll(QueueId{0}, completions), 0u) << "queues are independent";
  ASSERT_EQ(device_->poll(QueueId{1}, std::span(completions).first(3)), 3u);
  EXPECT_EQ(submit_all(*device_, QueueId{1}, std::span(jobs).subspan(8)), 3u);
  ASSERT_EQ(device_->poll(QueueId{1}, std::span(completions).subspan(3)), 8u);
  for (std::uint64_t i = 0; i < 11; ++i) EXPECT_EQ(completions[i].cookie, i);
}

TEST_F(SoftwareDevice, SlotsComeAndGoBesideTraffic) {
  const SaParameters sa = make_sa(suite("aes128gcm16"), random_);
  const Bytes clear = make_packet(Family::ipv4, 64, random_);
  const Job prototype = seal_job(sa, clear);
  std::atomic<bool> stop{false};
  std::atomic<std::uint64_t> sealed{0}, gone{0};
  const auto traffic = [&](QueueId queue) {
    Bytes in = clear, out(256);
    const Segment from{in.data(), static_cast<std::uint32_t>(in.size())}, to{out.data(), 256};
    Job job = prototype;
    job.source = {&from, 1};
    job.destination = {&to, 1};
    while (!stop) {
      Completion completion;
      device_->submit_one(queue, job);
      if (device_->poll(queue, {&completion, 1}) != 1) std::abort();
      (completion.status == Status::ok ? sealed : gone)++;
    }
  };
  std::thread first(traffic, QueueId{0}), second(traffic, QueueId{1});
  for (unsigned i = 0; i < 300 || sealed == 0 || gone == 0; ++i) {
    ASSERT_EQ(install(*device_, kSeal, kGeneration, sa), Status::ok);
    std::this_thread::yield();
    remove(*device_, kSeal);
  }
  stop = true;
  first.join();
  second.join();
  EXPECT_GT(sealed, 0u);
}

TEST(KeyMemory, IsNotOpensslsOnceOpensslHasAllocated) {
  OPENSSL_free(OPENSSL_malloc(1));
  EXPECT_EQ(keep_openssl_memory(), KeptMemory::too_late);
}

TEST(SoftwareOptions, OutOfRangeIsRefused) {
  EXPECT_EQ(make_tested({.queues = 0}), nullptr);
  EXPECT_EQ(make_tested({.queue_depth = 0}), nullptr);
  EXPECT_EQ(make_tested({.slots = 65537}), nullptr);
}

TEST(SoftwareMemory, IsAlignedZeroedAndGivenBack) {
  const auto device = make_tested();
  const auto memory = device->allocate(1000);
  ASSERT_EQ(memory.size(), 1000u);
  EXPECT_EQ(reinterpret_cast<std::uintptr_t>(memory.data()) % 64, 0u);
  EXPECT_TRUE(std::all_of(memory.begin(), memory.end(), [](auto o) { return o == 0; }));
  device->release(memory);
  EXPECT_TRUE(device->allocate(0).empty());
}

}  // namespace
}  // namespace espalier::driver::test

// SPDX-License-Identifier: BSD-2-Clause-Patent
// L1 over each device of the build: no octet outside the lent segments is read or written, and none
// of a source.  Packets of every suite, mode, family, length and cut that a seed brings up.
#include <deque>

#include "../driver/packets.hpp"
#include "espalier/context.hpp"
#include "espalier/devices.hpp"
#include "guarded.hpp"

namespace espalier {
namespace {

using driver::test::Bytes;
using driver::test::GuardedBuffer;
using driver::test::Random;

constexpr QueueId kQueue{0};
constexpr std::size_t kBatch = 8;

const char* why(const Completion& done) {
  return spec::info(done.drop).name;
}

/// An SA's two ends.
struct Pair {
  std::string name;
  SaHandle seal = SaHandle::none, open = SaHandle::none;
  Family family = Family::ipv4;
  bool tunnel = false;
  Overhead overhead;
};

/// One packet on its way through both ends.
struct Trip {
  const Pair* pair = nullptr;
  Bytes clear, sealed;
  GuardedBuffer source, destination;
  bool replayed = false;  // a damaged copy was authentic: only the outer header had changed
};

class GuardedL1 : public ::testing::TestWithParam<const char*> {
 protected:
  void SetUp() override {
    std::vector<std::unique_ptr<driver::Device>> devices;
    for (const char* name : {GetParam(), "software"}) {
      if (!devices.empty() && std::string(GetParam()) == name) continue;
      auto device = open_device(name);
      if (!device) GTEST_SKIP() << device.error();
      simulated_ = simulated_ || (*device)->capabilities().simulated;
      devices.push_back(std::move(*device));
    }
    auto made = Context::create({}, std::move(devices));
    ASSERT_TRUE(made) << made.error();
    context_ = std::move(*made);
    for (const driver::Suite& suite : driver::all_suites())
      for (const auto mode : {driver::Mode::tunnel, driver::Mode::transport}) add(suite, mode);
  }
  void add(const driver::Suite& suite, driver::Mode mode) {
    Pair pair;
    pair.family = random_.below(2) != 0 ? Family::ipv4 : Family::ipv6;
    pair.tunnel = mode == driver::Mode::tunnel;
    const bool udp = suite.protocol == driver::Protocol::esp && random_.below(3) == 0;
    SaConfig config;
    config.transform = driver::test::make_sa(suite, random_, mode, pair.family, udp);
    config.transform.spi = static_cast<std::uint32_t>(0x1000 + pairs_.size());
    config.transform.esn = random_.below(2) != 0;
    config.ends.family = pair.family;
    config.ends.destination[0] = 10;
    const auto seal = context_->add(config);
    ASSERT_TRUE(seal) << seal.error();
    config.transform.direction = driver::Direction::open;
    const auto open = context_->add(config);
    ASSERT_TRUE(open) << open.error();
    pair.seal = *seal;
    pair.open = *open;
    pair.overhead = *context_->overhead(*seal);
    pair.name = driver::suite_name(suite) + (pair.tunnel ? " tunnel" : " transport") +
                (pair.family == Family::ipv4 ? "4" : "6") + (udp ? " natt" : "");
    pairs_.push_back(pair);
  }
  std::size_t a_length() {
    switch (random_.below(16)) {
      case 0:
        return 0;
      case 1:
        return random_.below(simulated_ ? 8000 : 60'000);
      case 2:
        return random_.below(9000);
      default:
        return random_.below(600);
    }
  }
  Bytes a_packet(const Pair& pair) {
    return driver::test::make_packet(pair.family, a_length(), random_);
  }
  std::uint32_t sealed_length(const Pair& pair, const Bytes& clear) {
    return pair.overhead.sealed(static_cast<std::uint32_t>(clear.size()),
                                pair.tunnel                   ? 0
                                : pair.family == Family::ipv4 ? 20
                                                              : 40);
  }
  /// Exactly what is needed mostly, an octet too little or some too many now and then.
  std::size_t room_for(std::size_t length) {
    switch (random_.below(6)) {
      case 0:
        return length - 1;
      case 1:
        return length + random_.below(100);
      default:
        return length;
    }
  }
  /// All jobs at once, and their completions by cookie, which is the job's place.
  std::vector<Completion> run(std::vector<Job>& jobs) {
    for (std::size_t i = 0; i < jobs.size(); ++i) jobs[i].cookie = i;
    EXPECT_EQ(context_->submit(kQueue, jobs), jobs.size());
    std::vector<Completion> all(jobs.size());
    std::size_t have = 0;
    for (unsigned patience = 10'000'000; have < jobs.size() && patience != 0; --patience) {
      Completion done;
      if (context_->poll(kQueue, {&done, 1}) == 0) {
        context_->tick(Time{0});
        continue;
      }
      all.at(done.cookie) = done;
      ++have;
    }
    EXPECT_EQ(have, jobs.size());
    return all;
  }
  /// `source` of each trip through the SAs, each into room of its own.
  std::vector<Completion> pass(std::span<Trip> trips, bool seal, Bytes Trip::*source,
                               const std::vector<std::size_t>& rooms) {
    std::vector<Job> jobs(trips.size());
    for (std::size_t i = 0; i < trips.size(); ++i) {
      Trip& t = trips[i];
      t.source.hold(t.*source, random_);
      t.destination.shape(rooms[i], random_);
      jobs[i].sa = seal ? t.pair->seal : t.pair->open;
      jobs[i].source = t.source.segments();
      jobs[i].destination = t.destination.segments();
    }
    const auto all = run(jobs);
    for (Trip& t : trips) {
      t.source.release();
      EXPECT_TRUE(t.source.intact() && t.destination.intact()) << t.pair->name;
    }
    return all;
  }
  Random random_;
  bool simulated_ = false;
  std::unique_ptr<Context> context_;
  std::deque<Pair> pairs_;
  ::testing::ScopedTrace trace_{__FILE__, __LINE__, random_.replay()};
};

TEST_P(GuardedL1, PacketsThereAndBack) {
  std::vector<Trip> trips(kBatch);
  const unsigned rounds = simulated_ ? 40 : 600;
  std::size_t crossed = 0, refused = 0;
  for (unsigned round = 0; round < rounds && !HasFailure(); ++round) {
    std::vector<std::size_t> rooms;
    for (Trip& t : trips) {
      t.pair = &pairs_[random_.below(pairs_.size())];
      t.clear = a_packet(*t.pair);
      rooms.push_back(room_for(sealed_length(*t.pair, t.clear)));
    }
    auto done = pass(trips, true, &Trip::clear, rooms);
    std::vector<std::size_t> back;
    for (std::size_t i = 0; i < trips.size(); ++i) {
      Trip& t = trips[i];
      const std::uint32_t length = sealed_length(*t.pair, t.clear);
      t.sealed.clear();
      if (rooms[i] < length) {
        EXPECT_EQ(done[i].drop, Drop::no_room) << t.pair->name;
        ++refused;
        t.sealed.assign(1 + random_.below(40), 0x45);  // junk for the way back
      } else {
        EXPECT_EQ(done[i].drop, Drop::none) << t.pair->name << " " << why(done[i]);
        EXPECT_EQ(done[i].length, length) << t.pair->name;
        t.sealed = t.destination.read(done[i].offset, done[i].length);
      }
      back.push_back(room_for(t.clear.size()));
    }
    done = pass(trips, false, &Trip::sealed, back);
    for (std::size_t i = 0; i < trips.size(); ++i) {
      Trip& t = trips[i];
      if (rooms[i] < sealed_length(*t.pair, t.clear)) {
        EXPECT_NE(done[i].drop, Drop::none) << t.pair->name;
      } else if (back[i] < t.clear.size()) {
        EXPECT_EQ(done[i].drop, Drop::no_room) << t.pair->name;
      } else {
        EXPECT_EQ(done[i].drop, Drop::none) << t.pair->name << " " << why(done[i]);
        EXPECT_EQ(t.destination.read(done[i].offset, done[i].length), t.clear) << t.pair->name;
        ++crossed;
      }
    }
  }
  EXPECT_GT(crossed, rounds);
  EXPECT_GT(refused, rounds / 4);
}

TEST_P(GuardedL1, PacketsInPlace) {
  Trip t;
  const unsigned rounds = simulated_ ? 100 : 2000;
  for (unsigned round = 0; round < rounds && !HasFailure(); ++round) {
    t.pair = &pairs_[random_.below(pairs_.size())];
    t.clear = a_packet(*t.pair);
    const std::uint32_t before = t.pair->overhead.in_place;
    const std::uint32_t length = sealed_length(*t.pair, t.clear);
    // Transport mode: the header goes in front of what is put in, so it needs as much.
    t.source.shape(length, random_, before + 1);
    t.source.write(t.clear, before);
    std::vector<Job> jobs(1);
    jobs[0].sa = t.pair->seal;
    jobs[0].source = t.source.segments();
    jobs[0].l3_offset = before;
    const Completion sealed = run(jobs)[0];
    ASSERT_EQ(sealed.drop, Drop::none) << t.pair->name << " " << why(sealed);
    ASSERT_EQ(sealed.length, length) << t.pair->name;
    ASSERT_TRUE(t.source.intact()) << t.pair->name;
    jobs[0].sa = t.pair->open;
    jobs[0].l3_offset = sealed.offset;
    jobs[0].source = t.source.segments();
    const Completion opened = run(jobs)[0];
    ASSERT_EQ(opened.drop, Drop::none) << t.pair->name << " " << why(opened);
    ASSERT_TRUE(t.source.intact()) << t.pair->name;
    ASSERT_EQ(t.source.read(opened.offset, opened.length), t.clear) << t.pair->name;
  }
}

/// Damaged, cut, lengthened and random packets, in any room; then the packet itself.
TEST_P(GuardedL1, DamagedPackets) {
  std::vector<Trip> one(1);
  Trip& t = one[0];
  const unsigned rounds = simulated_ ? 20 : 400;
  std::size_t dropped = 0;
  for (unsigned round = 0; round < rounds && !HasFailure(); ++round) {
    t.pair = &pairs_[random_.below(pairs_.size())];
    t.clear = driver::test::make_packet(t.pair->family, random_.below(400), random_);
    const std::uint32_t length = sealed_length(*t.pair, t.clear);
    const Completion sealed = pass(one, true, &Trip::clear, {length})[0];
    ASSERT_EQ(sealed.drop, Drop::none) << t.pair->name;
    const Bytes good = t.destination.read(sealed.offset, sealed.length);
    t.replayed = false;
    for (unsigned copy = 0; copy < 8; ++copy) {
      t.sealed = good;
      for (std::uint64_t flips = random_.below(4); flips != 0; --flips)
        t.sealed[random_.below(random_.below(2) != 0 ? std::min<std::size_t>(64, good.size())
                                                     : good.size())] ^=
            static_cast<std::uint8_t>(1u << random_.below(8));
      if (random_.below(2) == 0)
        t.sealed.resize(1 + random_.below(t.sealed.size() + 20), 0x77);
      else if (random_.below(8) == 0)
        t.sealed = random_.bytes(1 + random_.below(120));
      const Completion done = pass(one, false, &Trip::sealed, {random_.below(500)})[0];
      t.replayed = t.replayed || done.drop == Drop::none || done.drop == Drop::no_room;
      dropped += done.drop != Drop::none;
      if (done.drop != Drop::none) {
        EXPECT_EQ(done.length, 0u);
      }
    }
    t.sealed = good;
    const Completion opened = pass(one, false, &Trip::sealed, {t.clear.size()})[0];
    if (t.replayed) continue;
    ASSERT_EQ(opened.drop, Drop::none) << t.pair->name << " " << why(opened);
    ASSERT_EQ(t.destination.read(opened.offset, opened.length), t.clear) << t.pair->name;
  }
  EXPECT_GT(dropped, 4 * rounds);
}

INSTANTIATE_TEST_SUITE_P(Devices, GuardedL1,
                         ::testing::Values("software", "software:openssl", "software:ipsec-mb",
                                           "csim", "cosim"),
                         [](const auto& info) {
                           std::string name = info.param;
                           std::replace_if(
                               name.begin(), name.end(),
                               [](char c) { return std::isalnum(c) == 0; }, '_');
                           return name;
                         });

}  // namespace
}  // namespace espalier

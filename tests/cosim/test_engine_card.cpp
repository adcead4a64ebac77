// SPDX-License-Identifier: BSD-2-Clause-Patent
// The card as it ships, with the generated engine: its packets are software's, nothing unverified
// is left in host memory, a reset wipes slots, and how fast it is on each link.
#include <algorithm>
#include <array>
#include <cstdio>
#include <vector>

#include "../driver/one_job.hpp"
#include "../driver/packets.hpp"
#include "card_fixture.hpp"
#include "espalier/driver/cosim.hpp"
#include "espalier/driver/software.hpp"

namespace espalier::driver::test {
namespace {

CardSettings patient_settings() {
  CardSettings s = quick_settings();
  s.doorbell_timeout = std::chrono::microseconds(200);
  s.job_timeout = std::chrono::microseconds(500);
  s.reset_timeout = std::chrono::microseconds(500);
  return s;
}

SaParameters gcm(Direction direction, Random& random, const char* name = "aes256gcm16") {
  SaParameters sa = make_sa(suite(name), random);
  sa.direction = direction;
  return sa;
}

class EngineCardTest : public ::testing::Test {
 protected:
  static constexpr Slot kSeal{3}, kOpen{16383};
  static constexpr Generation kGeneration{7};

  void open(sim::CardOptions options = {}) {
    card_ = std::make_unique<CardUnderTest>(options, patient_settings());
    ASSERT_TRUE(card_->device);
    software_ = make_software();
    seal_sa_ = gcm(Direction::seal, random_);
    open_sa_ = seal_sa_;
    open_sa_.direction = Direction::open;
    for (Device* device : {card_->device.get(), software_.get()}) {
      ASSERT_EQ(install(*device, kSeal, kGeneration, seal_sa_), Status::ok);
      ASSERT_EQ(install(*device, kOpen, kGeneration, open_sa_), Status::ok);
    }
  }

  Job seal(const Bytes& clear) {
    Job job = seal_job(seal_sa_, clear, random_);
    job.slot = kSeal;
    job.generation = kGeneration;
    return job;
  }
  Job opening(const Job& sealed) {
    Job job = open_job(open_sa_, sealed);
    job.slot = kOpen;
    job.generation = kGeneration;
    return job;
  }

  Random random_;
  std::unique_ptr<CardUnderTest> card_;
  std::unique_ptr<Device> software_;
  SaParameters seal_sa_, open_sa_;
};

TEST_F(EngineCardTest, PacketsAreSoftwares) {
  open();
  for (int i = 0; i < 40; ++i) {
    const std::size_t payload = i == 0 ? 8900 : 20 + random_.below(1460);
    const Bytes clear = make_packet(Family::ipv4, payload, random_);
    const Job job = seal(clear);
    const Outcome expected = run(*software_, job, clear);
    const Outcome got = run(*card_->device, job, clear);
    ASSERT_EQ(expected.status, Status::ok);
    ASSERT_EQ(got, expected) << random_.replay();
    const Outcome opened = run(*card_->device, opening(job), got.packet);
    ASSERT_EQ(opened.status, Status::ok) << random_.replay();
    ASSERT_EQ(opened.packet, clear);
  }
}

TEST_F(EngineCardTest, WrongIcvLeavesNoPlaintextInHostMemory) {
  open();
  const Bytes clear = make_packet(Family::ipv4, 600, random_);
  const Job job = seal(clear);
  const Bytes sealed = run(*software_, job, clear).packet;
  for (std::size_t at : {std::size_t{28}, std::size_t{36}, sealed.size() / 2, sealed.size() - 16,
                         sealed.size() - 1}) {
    Bytes wrong = sealed;
    wrong[at] ^= 0x10;
    EXPECT_EQ(run(*card_->device, opening(job), wrong).status, Status::icv_mismatch) << at;
    const auto memory = card_->simulation->memory();
    const auto found =
        std::search(memory.begin(), memory.end(), clear.begin() + 64, clear.begin() + 96);
    EXPECT_EQ(found, memory.end()) << "plaintext at " << found - memory.begin();
  }
}

TEST_F(EngineCardTest, ResetWipesSlots) {
  open();
  const Bytes clear = make_packet(Family::ipv4, 100, random_);
  ASSERT_EQ(run(*card_->device, seal(clear), clear).status, Status::ok);
  ASSERT_TRUE(card_->device->reset());
  for (int i = 0; i < 20000 && card_->device->health() == Health::quarantined; ++i)
    card_->device->tick(Time{0});
  EXPECT_EQ(card_->device->slot_state(kSeal), SlotState::empty);
  EXPECT_EQ(run(*card_->device, seal(clear), clear).status, Status::sa_gone);
  ASSERT_EQ(install(*card_->device, kSeal, kGeneration, seal_sa_), Status::ok);
  EXPECT_EQ(run(*card_->device, seal(clear), clear).status, Status::ok);
}

TEST_F(EngineCardTest, StaleGenerationIsGone) {
  open();
  const Bytes clear = make_packet(Family::ipv4, 100, random_);
  Job job = seal(clear);
  job.generation = Generation{6};
  EXPECT_EQ(run(*card_->device, job, clear).status, Status::sa_gone);
  remove(*card_->device, kSeal);
  EXPECT_EQ(run(*card_->device, seal(clear), clear).status, Status::sa_gone);
}

// ---- Speed ----

struct Speed {
  double bytes_per_cycle = 0;  // inner octets
  double bound = 0;            // of the link
};

class SpeedTest : public EngineCardTest {
 protected:
  /// Inner octets per cycle of equal packets of `size` octets, between the first and the last fifth
  /// of them.
  Speed measure(const char* link, Direction direction, std::size_t size, unsigned jobs,
                unsigned skew = 0) {
    sim::CardOptions options;
    options.link =
        std::string(link) == "ideal" ? sim::LinkProfile::ideal() : sim::LinkProfile::pcie3x16();
    open(options);
    const Bytes clear = make_packet(Family::ipv4, size - 20, random_);
    Job job = seal(clear);
    const Bytes sealed = run(*software_, job, clear).packet;
    const bool seals = direction == Direction::seal;
    const Bytes& from = seals ? clear : sealed;
    if (!seals) job = opening(job);
    constexpr unsigned kPlaces = 1024;
    const std::size_t stride = (sealed.size() + 128 + 63) / 64 * 64;
    const auto memory = (*card_)->allocate(2 * kPlaces * stride);
    EXPECT_FALSE(memory.empty());
    for (unsigned i = 0; i < kPlaces; ++i)
      std::copy(from.begin(), from.end(), &memory[i * stride + skew]);
    unsigned submitted = 0, done = 0;
    std::uint64_t begin = 0, end = 0;
    std::array<Completion, 64> answers;
    while (done < jobs) {
      for (; submitted < jobs && submitted - done < kPlaces; ++submitted) {
        std::uint8_t* base = &memory[submitted % kPlaces * stride];
        const Segment in{base + skew, static_cast<std::uint32_t>(from.size())};
        const Segment out{base + kPlaces * stride + skew,
                          static_cast<std::uint32_t>(sealed.size())};
        job.source = {&in, 1};
        job.destination = {&out, 1};
        if ((*card_)->submit(QueueId{0}, {&job, 1}) == 0) break;
      }
      const std::size_t n = (*card_)->poll(QueueId{0}, answers);
      for (std::size_t i = 0; i < n; ++i) EXPECT_EQ(answers[i].status, Status::ok);
      done += static_cast<unsigned>(n);
      if (begin == 0 && done >= jobs / 5) begin = card_->simulation->cycles(), first_ = done;
      if (end == 0 && done >= jobs - jobs / 5) end = card_->simulation->cycles(), last_ = done;
    }
    Speed speed;
    speed.bytes_per_cycle =
        static_cast<double>((last_ - first_) * size) / static_cast<double>(end - begin);
    speed.bound =
        static_cast<double>(size) /
        options.link.cycles_per_job(static_cast<unsigned>(from.size()),
                                    static_cast<unsigned>(seals ? sealed.size() : clear.size()));
    std::printf("%s %s %zu bytes%s: %.2f inner bytes per cycle, link bound %.2f\n", link,
                seals ? "seal" : "open", size, skew != 0 ? " unaligned" : "", speed.bytes_per_cycle,
                speed.bound);
    return speed;
  }
  unsigned first_ = 0, last_ = 0;
};

TEST_F(SpeedTest, Ideal64) {
  EXPECT_GE(measure("ideal", Direction::seal, 64, 3000).bytes_per_cycle, 24);
  EXPECT_GE(measure("ideal", Direction::open, 64, 3000).bytes_per_cycle, 24);
  measure("ideal", Direction::seal, 64, 3000, 13);
  measure("ideal", Direction::open, 64, 3000, 13);
}

TEST_F(SpeedTest, IdealLong) {
  // 95 % of what the beats bound: the engine's own ceiling.
  EXPECT_GE(measure("ideal", Direction::seal, 576, 2000).bytes_per_cycle, 0.95 * 576 / 10);
  EXPECT_GE(measure("ideal", Direction::open, 576, 2000).bytes_per_cycle, 0.95 * 576 / 10);
  EXPECT_GE(measure("ideal", Direction::seal, 1500, 1500).bytes_per_cycle, 0.95 * 1500 / 25);
  EXPECT_GE(measure("ideal", Direction::open, 1500, 1500).bytes_per_cycle, 0.95 * 1500 / 25);
}

TEST_F(SpeedTest, Pcie) {
  for (std::size_t size : {64, 576, 1500}) {
    for (Direction direction : {Direction::seal, Direction::open}) {
      const Speed speed = measure("pcie3x16", direction, size, 1500);
      EXPECT_GE(speed.bytes_per_cycle, 0.92 * std::min(speed.bound, 59.0)) << size;
    }
  }
}

}  // namespace
}  // namespace espalier::driver::test

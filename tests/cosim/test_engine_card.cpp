// SPDX-License-Identifier: BSD-2-Clause-Patent
// The card as it ships, with the generated engine: its packets are software's, nothing unverified
// is left in host memory, a reset wipes slots.
#include <algorithm>
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

  void open(const CardSettings& settings = patient_settings()) {
    card_ = std::make_unique<CardUnderTest>(sim::CardOptions{}, settings);
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

TEST_F(EngineCardTest, SteadyStateReadsNoRegister) {
  CardSettings settings = patient_settings();
  settings.heartbeat = std::chrono::seconds(1);
  open(settings);
  const Bytes clear = make_packet(Family::ipv4, 400, random_);
  expect_no_register_read(*card_, seal(clear), clear);
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

TEST_F(EngineCardTest, RemovalMayOvertakeTheInstallsAnswer) {
  open();
  ASSERT_EQ(card_->device->install(Slot{9}, kGeneration, seal_sa_), Status::ok);
  ASSERT_EQ(card_->device->slot_state(Slot{9}), SlotState::installing);
  remove(*card_->device, Slot{9});
  EXPECT_EQ(install(*card_->device, Slot{9}, kGeneration, seal_sa_), Status::ok);
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

}  // namespace
}  // namespace espalier::driver::test

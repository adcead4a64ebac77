// SPDX-License-Identifier: BSD-2-Clause-Patent
// Each fault strikes, does what its name says and nothing else.
#include "espalier/driver/fault.hpp"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <map>

#include "../one_job.hpp"
#include "../packets.hpp"
#include "espalier/driver/software.hpp"

namespace espalier::driver::test {
namespace {

constexpr Slot kSlot{1};
constexpr unsigned kAlways = 1'000'000;

/// A batch of distinguishable packets through a faulty device.
class FaultTest : public ::testing::Test {
 protected:
  static constexpr unsigned kJobs = 20;
  Random random_;
  SaParameters sa_ = make_sa(suite("aes128gcm16"), random_);
  std::unique_ptr<Device> device_;
  std::vector<Bytes> sources_, results_, expected_;
  std::vector<Segment> in_, out_;
  std::vector<Job> jobs_;

  void open_with(const FaultOptions& options, Direction direction = Direction::seal) {
    device_ =
        make_fault_device(make_software({.queues = 1, .queue_depth = 64, .slots = 4}), options);
    const auto reference = make_software();
    ASSERT_EQ(install(*reference, kSlot, Generation{1}, sa_), Status::ok);
    sa_.direction = direction;
    ASSERT_EQ(device_->install(kSlot, Generation{1}, sa_), Status::ok);
    for (std::uint64_t i = 0; i < kJobs; ++i) {
      const Bytes clear = make_packet(Family::ipv4, 50 + i, random_);
      Job job = seal_job(sa_, clear, random_);
      job.slot = kSlot;
      job.generation = Generation{1};
      Bytes sealed = run(*reference, job, clear).packet;
      const bool seal = direction == Direction::seal;
      if (!seal) job = open_job(sa_, job);
      job.cookie = i;
      jobs_.push_back(job);
      sources_.push_back(seal ? clear : sealed);
      expected_.push_back(seal ? sealed : clear);
    }
    results_.assign(kJobs, Bytes(256));
    for (unsigned i = 0; i < kJobs; ++i) {
      in_.push_back({sources_[i].data(), static_cast<std::uint32_t>(sources_[i].size())});
      out_.push_back({results_[i].data(), 256});
    }
    for (unsigned i = 0; i < kJobs; ++i) {
      jobs_[i].source = {&in_[i], 1};
      jobs_[i].destination = {&out_[i], 1};
    }
  }
  std::vector<Completion> poll_often(unsigned polls = 5000) {
    std::vector<Completion> all;
    Completion some[7];
    while (polls-- != 0) {
      const std::size_t count = device_->poll(QueueId{0}, some);
      all.insert(all.end(), some, some + count);
    }
    return all;
  }
  std::vector<Completion> run_all() {
    EXPECT_EQ(submit_all(*device_, QueueId{0}, jobs_), kJobs);
    return poll_often();
  }
  Bytes result(const Completion& c) const {
    return {results_[c.cookie].begin(), results_[c.cookie].begin() + c.length};
  }
};

TEST_F(FaultTest, WithoutFaultsItIsTheInnerDevice) {
  open_with({});
  EXPECT_EQ(device_->capabilities().name, "fault-software");
  const auto completions = run_all();
  ASSERT_EQ(completions.size(), kJobs);
  for (unsigned i = 0; i < kJobs; ++i) {
    EXPECT_EQ(completions[i].cookie, i);
    EXPECT_EQ(result(completions[i]), expected_[i]);
  }
}

TEST_F(FaultTest, Refuse) {
  open_with({.refuse = kAlways / 2});
  std::size_t sent = 0, calls = 0;
  for (; sent < kJobs; ++calls)
    sent += submit_all(*device_, QueueId{0}, std::span(jobs_).subspan(sent));
  EXPECT_GT(calls, 1u);
  EXPECT_EQ(poll_often().size(), kJobs) << "refused is not lost";
}

TEST_F(FaultTest, ReadAndWriteErrors) {
  open_with({.read_error = kAlways / 2, .write_error = kAlways});
  const auto completions = run_all();
  ASSERT_EQ(completions.size(), kJobs);
  std::map<Status, unsigned> count;
  for (const Completion& c : completions) {
    ++count[c.status];
    EXPECT_TRUE(spec::info(c.status).retry);
    EXPECT_EQ(results_[c.cookie] == Bytes(256), c.status == Status::read_error)
        << "a read error touches nothing, a write error leaves rubbish";
  }
  EXPECT_EQ(count[Status::read_error] + count[Status::write_error], kJobs);
  EXPECT_GT(count[Status::read_error], 0u);
  EXPECT_GT(count[Status::write_error], 0u);
}

TEST_F(FaultTest, Stall) {
  open_with({.stall = kAlways});
  ASSERT_EQ(submit_all(*device_, QueueId{0}, jobs_), kJobs);
  EXPECT_TRUE(poll_often(100).empty());
  EXPECT_EQ(poll_often().size(), kJobs) << "late, but all";
}

TEST_F(FaultTest, Reorder) {
  open_with({.reorder = kAlways / 2});
  const auto completions = run_all();
  ASSERT_EQ(completions.size(), kJobs);
  unsigned out_of_place = 0;
  for (unsigned i = 0; i < kJobs; ++i) {
    out_of_place += completions[i].cookie != i;
    EXPECT_EQ(result(completions[i]), expected_[completions[i].cookie]);
  }
  EXPECT_GT(out_of_place, 0u);
}

TEST_F(FaultTest, Duplicate) {
  open_with({.duplicate = kAlways});
  const auto completions = run_all();
  ASSERT_EQ(completions.size(), 2 * kJobs);
  for (unsigned i = 0; i < 2 * kJobs; ++i) EXPECT_EQ(completions[i].cookie, i / 2);
}

TEST_F(FaultTest, LoseSomeAndFlipSome) {
  open_with({.lose = kAlways / 3, .flip = kAlways});
  const auto completions = run_all();
  EXPECT_LT(completions.size(), kJobs);
  EXPECT_GT(completions.size(), 0u);
  for (const Completion& c : completions) {
    EXPECT_EQ(c.status, Status::ok);
    unsigned wrong_bits = 0;
    for (unsigned i = 0; i < c.length; ++i)
      wrong_bits +=
          static_cast<unsigned>(__builtin_popcount(results_[c.cookie][i] ^ expected_[c.cookie][i]));
    EXPECT_EQ(wrong_bits, 1u);
  }
}

TEST_F(FaultTest, HangUntilReset) {
  open_with({.hang = kAlways});
  EXPECT_TRUE(run_all().empty());
  EXPECT_TRUE(device_->reset());
  const auto completions = poll_often();
  ASSERT_EQ(completions.size(), kJobs);
  for (const Completion& c : completions) EXPECT_EQ(c.status, Status::aborted);
}

TEST_F(FaultTest, LateWriteIsOverOnlyWhenResetSaysSo) {
  open_with({.late_write = kAlways});
  ASSERT_TRUE(device_->submit_one(QueueId{0}, jobs_[0]));
  EXPECT_TRUE(poll_often(100).empty());
  EXPECT_EQ(results_[0], Bytes(256)) << "not yet";
  EXPECT_FALSE(device_->reset()) << "a write was under way";
  results_[0].resize(expected_[0].size());
  EXPECT_EQ(results_[0], expected_[0]);
  EXPECT_TRUE(device_->reset());
}

TEST_F(FaultTest, LateWriteComesByItself) {
  open_with({.late_write = kAlways});
  EXPECT_EQ(run_all().size(), kJobs - 1) << "one at a time";
  poll_often(6000);
  results_[0].resize(expected_[0].size());
  EXPECT_EQ(results_[0], expected_[0]);
}

TEST_F(FaultTest, FalseIcvKeepsThePlaintextToItself) {
  open_with({.false_icv = kAlways}, Direction::open);
  for (const Completion& c : run_all()) {
    EXPECT_EQ(c.status, Status::icv_mismatch);
    EXPECT_EQ(results_[c.cookie], Bytes(256));
  }
}

TEST_F(FaultTest, RefuseInstall) {
  const auto device = make_fault_device(make_software(), {.refuse_install = kAlways});
  EXPECT_EQ(device->install(kSlot, Generation{1}, sa_), Status::no_room);
  EXPECT_EQ(device->slot_state(kSlot), SlotState::empty);
}

TEST_F(FaultTest, TheSameSeedGivesTheSameFaults) {
  const auto statuses = [&](std::uint64_t seed) {
    sources_.clear(), results_.clear(), expected_.clear(), in_.clear(), out_.clear(), jobs_.clear();
    sa_.direction = Direction::seal;
    open_with({.seed = seed, .read_error = kAlways / 2});
    std::vector<Status> out;
    for (const Completion& c : run_all()) out.push_back(c.status);
    return out;
  };
  EXPECT_EQ(statuses(5), statuses(5));
  EXPECT_NE(statuses(5), statuses(6));
}

TEST(Faults, NamesAndLists) {
  FaultOptions options;
  EXPECT_EQ(set_faults("hang,flip", 7, options), "");
  EXPECT_EQ(options.hang, 7u);
  EXPECT_EQ(options.flip, 7u);
  EXPECT_EQ(options.lose, 0u);
  EXPECT_EQ(set_faults("all", 3, options), "");
  for (const FaultName& fault : fault_names()) EXPECT_EQ(options.*fault.rate, 3u) << fault.name;
  EXPECT_THAT(set_faults("hang,fire", 1, options), ::testing::HasSubstr("'fire'; use all"));
  EXPECT_THAT(set_faults("", 1, options), ::testing::HasSubstr("late_write"));
}

}  // namespace
}  // namespace espalier::driver::test

// SPDX-License-Identifier: BSD-2-Clause-Patent
// A queue that breaks the rules is stopped, says why, and touches no other; reset and drain tell
// the truth.
#include <gtest/gtest.h>

#include "raw_card.hpp"

namespace espalier::test {
namespace {

using spec::Status;

class MisuseTest : public ::testing::Test {
 protected:
  MisuseTest() : host_(sim::CardOptions{}) {}
  void SetUp() override {
    ASSERT_TRUE(host_.wait_ready());
    bad_ = host_.open_queue(0);
    good_ = host_.open_queue(1);
  }
  void TearDown() override {
    EXPECT_EQ(one(good_), Status::ok) << "the other queue goes on";
    EXPECT_EQ(host_.card.activity().stray_accesses, 0u);
  }

  /// Submits one plain job and returns its status; timed_out if no answer comes.
  Status one(RawQueue& q) {
    host_.put(q, host_.seal(q, 0, 8192, 200, 77));
    host_.publish(q);
    return answer(q);
  }
  Status answer(RawQueue& q) {
    const auto c = host_.wait(q, 5000);
    if (!c) return Status::timed_out;
    EXPECT_EQ(c->crc, completion_crc(*c));
    host_.credit(q);
    return spec::status_from_code(c->status);
  }
  Status submit(spec::Descriptor d) {
    host_.put(bad_, d);
    host_.publish(bad_);
    return answer(bad_);
  }
  void expect_stopped(Status why) {
    EXPECT_TRUE(host_.read(bad_, spec::reg::queue_state) & spec::kQueueStopped);
    EXPECT_EQ(spec::status_from_code(
                  static_cast<std::uint16_t>(host_.read(bad_, spec::reg::queue_error))),
              why);
    EXPECT_TRUE(host_.read(spec::reg::errors) & spec::kErrorQueueStopped);
    // Disabled and enabled again it runs as new.
    host_.card.run(1000);  // the last completion's write response
    EXPECT_TRUE(host_.read(bad_, spec::reg::queue_state) & spec::kQueueIdle);
    host_.write(bad_, spec::reg::enable, 0);
    host_.program(bad_);
    EXPECT_EQ(host_.read(bad_, spec::reg::queue_state) & spec::kQueueStopped, 0u);
    EXPECT_EQ(one(bad_), Status::ok);
  }
  void expect_running() {
    EXPECT_TRUE(host_.read(bad_, spec::reg::queue_state) & spec::kQueueRunning);
    EXPECT_EQ(one(bad_), Status::ok);
  }
  spec::Descriptor job() { return host_.seal(bad_, 0, 8192, 200, 5); }

  RawCard host_;
  RawQueue bad_{}, good_{};
};

TEST_F(MisuseTest, DoorbellBeyondTheRing) {
  host_.write(bad_, spec::reg::doorbell, (1u << bad_.log2) + 1);
  host_.card.run(100);
  expect_stopped(Status::bad_descriptor);
}

TEST_F(MisuseTest, DoorbellBackwards) {
  ASSERT_EQ(one(bad_), Status::ok);
  host_.write(bad_, spec::reg::doorbell, 0xffff);
  host_.card.run(100);
  expect_stopped(Status::bad_descriptor);
}

TEST_F(MisuseTest, CreditForCompletionsThatNeverWere) {
  host_.write(bad_, spec::reg::credit, 3);
  host_.card.run(100);
  expect_stopped(Status::bad_descriptor);
}

TEST_F(MisuseTest, SourceBelowTheWindow) {
  auto d = job();
  d.source_address = RawCard::kIo - 64;
  EXPECT_EQ(submit(d), Status::bad_address);
  expect_stopped(Status::bad_address);
}

TEST_F(MisuseTest, DestinationReachesOutOfTheWindow) {
  auto d = job();
  d.destination_address = RawCard::kIo + host_.card.memory().size() - 263;  // one octet too far
  EXPECT_EQ(submit(d), Status::bad_address);
  expect_stopped(Status::bad_address);
}

TEST_F(MisuseTest, AddressThatWraps) {
  auto d = job();
  d.source_address = ~0ull - 10;
  EXPECT_EQ(submit(d), Status::bad_address);
  expect_stopped(Status::bad_address);
}

TEST_F(MisuseTest, LastOctetOfTheWindowIsFine) {
  auto d = job();
  d.destination_address = RawCard::kIo + host_.card.memory().size() - 264;
  EXPECT_EQ(submit(d), Status::ok);
  expect_running();
}

TEST_F(MisuseTest, UnknownOpcodeAbortsWhatFollows) {
  auto d = job();
  d.opcode = 9;
  host_.put(bad_, d);
  for (int i = 0; i < 3; ++i) host_.put(bad_, job());
  host_.publish(bad_);
  EXPECT_EQ(answer(bad_), Status::bad_descriptor);
  unsigned aborted = 0;
  for (int i = 0; i < 3; ++i) {
    const Status s = answer(bad_);
    EXPECT_TRUE(s == Status::aborted || s == Status::ok);
    aborted += s == Status::aborted;
  }
  EXPECT_GT(aborted, 0u);
  expect_stopped(Status::bad_descriptor);
}

TEST_F(MisuseTest, ReservedFlag) {
  auto d = job();
  d.flags = 1u << 5;
  EXPECT_EQ(submit(d), Status::bad_descriptor);
  expect_stopped(Status::bad_descriptor);
}

TEST_F(MisuseTest, WrongEpochIsNobodysJob) {
  auto d = job();
  ++d.epoch;
  EXPECT_EQ(submit(d), Status::timed_out) << "an answer would be taken for another job's";
  expect_stopped(Status::bad_descriptor);
}

TEST_F(MisuseTest, EntryOfTheLastPass) {
  auto d = job();
  d.flags = spec::kFlagPhase;  // put() adds the phase by OR: overwrite it in the ring
  host_.put(bad_, d);
  host_.card.memory()[bad_.submission + offsetof(spec::Descriptor, flags)] = 0;
  host_.publish(bad_);
  EXPECT_EQ(answer(bad_), Status::timed_out);
  expect_stopped(Status::bad_descriptor);
}

TEST_F(MisuseTest, BrokenContinuation) {
  auto d = job();
  d.flags = spec::kFlagContinued;
  host_.put(bad_, d);
  spec::Continuation c{};
  c.opcode = static_cast<std::uint8_t>(spec::Opcode::continuation);
  c.sources = 2;
  c.destinations = 1;
  c.tag = static_cast<std::uint16_t>(d.tag + 1);
  host_.put(bad_, c);
  host_.publish(bad_);
  EXPECT_EQ(answer(bad_), Status::bad_descriptor);
  expect_stopped(Status::bad_descriptor);
}

TEST_F(MisuseTest, SeventeenSegments) {
  auto d = job();
  d.flags = spec::kFlagContinued;
  host_.put(bad_, d);
  spec::Continuation c{};
  c.opcode = static_cast<std::uint8_t>(spec::Opcode::continuation);
  c.sources = 17;
  c.destinations = 1;
  c.tag = d.tag;
  host_.put(bad_, c);
  host_.publish(bad_);
  EXPECT_EQ(answer(bad_), Status::bad_descriptor);
  expect_stopped(Status::bad_descriptor);
}

TEST_F(MisuseTest, SegmentsThatDoNotAddUp) {
  auto d = job();
  d.flags = spec::kFlagContinued;
  host_.put(bad_, d);
  spec::Continuation c{};
  c.opcode = static_cast<std::uint8_t>(spec::Opcode::continuation);
  c.sources = 2;
  c.destinations = 1;
  c.tag = d.tag;
  c.address[0] = RawCard::address(4096);
  c.length[0] = 100;
  c.length[5] = 99;  // 199 of 200
  c.length[6] = d.destination_length;
  host_.put(bad_, c);
  host_.publish(bad_);
  EXPECT_EQ(answer(bad_), Status::bad_descriptor);
  expect_stopped(Status::bad_descriptor);
}

TEST_F(MisuseTest, TooLongIsAStatusAndNoCrime) {
  auto d = job();
  d.source_length = 9217;
  EXPECT_EQ(submit(d), Status::too_long);
  d = job();
  d.tfc_length = 65535;
  EXPECT_EQ(submit(d), Status::too_long);
  expect_running();
}

TEST_F(MisuseTest, ResultThatDoesNotFitIsNotWritten) {
  auto d = job();
  d.destination_length = 199;
  std::memset(host_.payload(8192), 0x5a, 256);
  EXPECT_EQ(submit(d), Status::no_room);
  for (unsigned i = 0; i < 256; ++i) ASSERT_EQ(host_.payload(8192)[i], 0x5a);
  expect_running();
}

TEST_F(MisuseTest, HostThatTakesNoCompletionsStallsNobodyElse) {
  RawQueue small = host_.open_queue(2, 4);
  unsigned put = 0;
  for (; put < 16; ++put)
    host_.put(small, host_.seal(small, 0, 8192, 64, static_cast<std::uint16_t>(put)));
  host_.publish(small);
  host_.card.run(3000);
  for (int k = 0; k < 16; ++k) {  // a second ring full, no credit
    host_.put(small, host_.seal(small, 0, 8192, 64, static_cast<std::uint16_t>(put++)));
  }
  host_.publish(small);
  host_.card.run(3000);
  for (int k = 0; k < 300; ++k) ASSERT_EQ(one(good_), Status::ok);
  unsigned taken = 0;
  for (; taken < 32; ++taken) {
    const auto c = host_.wait(small);
    ASSERT_TRUE(c) << taken;
    ASSERT_EQ(c->tag, taken);
    host_.credit(small);
  }
}

TEST_F(MisuseTest, DrainStopsFetchingAndSaysWhenQuiet) {
  for (int i = 0; i < 40; ++i) host_.put(bad_, host_.seal(bad_, 0, 8192, 1500, 1));
  host_.publish(bad_);
  host_.card.run(350);
  host_.write(spec::reg::control, spec::kControlDrain);
  unsigned waited = 0;
  while ((host_.read(spec::reg::state) & spec::kStateDrained) == 0 && waited++ < 1000)
    host_.card.run(16);
  ASSERT_LT(waited, 1000u);
  const auto before = host_.card.activity();
  host_.card.run(2000);
  EXPECT_EQ(host_.card.activity().data_writes, before.data_writes);
  EXPECT_EQ(host_.card.activity().ring_writes, before.ring_writes);
  host_.write(spec::reg::control, 0);
  for (int i = 0; i < 40; ++i) ASSERT_EQ(answer(bad_), Status::ok) << i;
}

TEST_F(MisuseTest, ResetInMidFlight) {
  for (int round = 0; round < 5; ++round) {
    for (int i = 0; i < 60; ++i) host_.put(bad_, host_.seal(bad_, 0, 8192, 1500, 1));
    host_.publish(bad_);
    host_.card.run(500 + 137 * static_cast<unsigned>(round));
    host_.write(spec::reg::control, spec::kControlReset);
    unsigned waited = 0;
    while ((host_.read(spec::reg::state) & spec::kStateReset) == 0 && waited++ < 1000)
      host_.card.run(16);
    ASSERT_LT(waited, 1000u) << "reset is acknowledged";
    // Acknowledged means quiet: nothing may move in host memory any more.
    std::vector<std::uint8_t> snapshot(host_.card.memory().begin(), host_.card.memory().end());
    host_.card.run(3000);
    ASSERT_TRUE(std::equal(snapshot.begin(), snapshot.end(), host_.card.memory().begin()));
    host_.write(spec::reg::control, 0);
    ASSERT_TRUE(host_.wait_ready());
    host_.program(bad_);
    host_.program(good_);
    ASSERT_EQ(one(bad_), Status::ok);
  }
}

TEST_F(MisuseTest, ResetOfAHungLinkIsNotAcknowledged) {
  host_.put(bad_, host_.seal(bad_, 0, 8192, 1500, 1));
  host_.publish(bad_);
  host_.card.run(100);
  sim::Faults hang;
  hang.hang_at = host_.card.cycles();
  hang.hang_cycles = 20000;
  host_.card.set_faults(hang);
  host_.write(spec::reg::control, spec::kControlReset);
  host_.card.run(10000);
  EXPECT_EQ(host_.read(spec::reg::state) & spec::kStateReset, 0u) << "a read is still in flight";
  host_.card.run(12000);
  EXPECT_TRUE(host_.read(spec::reg::state) & spec::kStateReset);
  host_.write(spec::reg::control, 0);
  ASSERT_TRUE(host_.wait_ready());
  host_.program(good_);
}

}  // namespace
}  // namespace espalier::test

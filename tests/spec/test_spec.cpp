// SPDX-License-Identifier: BSD-2-Clause-Patent
#include <gtest/gtest.h>

#include <bit>
#include <set>
#include <string>

#include "espalier/spec/spec.h"

namespace espalier::spec {
namespace {

TEST(Status, CodeWordsAreFarApart) {
  for (const auto& a : kStatuses) {
    EXPECT_NE(status_code(a.status), 0x0000) << a.name;
    EXPECT_NE(status_code(a.status), 0xffff) << a.name;
    for (const auto& b : kStatuses) {
      if (a.status == b.status) continue;
      EXPECT_GE(std::popcount(static_cast<unsigned>(status_code(a.status) ^ status_code(b.status))),
                8)
          << a.name << " and " << b.name;
    }
  }
}

TEST(Status, RoundTripsAndRefusesOtherWords) {
  std::set<unsigned> known;
  for (const auto& s : kStatuses) {
    EXPECT_EQ(status_from_code(status_code(s.status)), s.status);
    EXPECT_EQ(&info(s.status), &s) << "kStatuses is indexed by Status";
    known.insert(status_code(s.status));
  }
  for (unsigned word = 0; word < 0x10000; ++word) {
    if (!known.count(word)) {
      ASSERT_EQ(status_from_code(static_cast<std::uint16_t>(word)), Status::internal_error);
    }
  }
}

TEST(Status, OnlyOkHasWritten) {
  for (const auto& s : kStatuses) EXPECT_EQ(s.written, s.status == Status::ok) << s.name;
}

TEST(Drop, EveryFailureHasAReason) {
  for (const auto& s : kStatuses)
    EXPECT_EQ(drop_reason(s.status) == Drop::none, s.status == Status::ok) << s.name;
}

TEST(Layout, NothingCrossesACacheLine) {
  EXPECT_EQ(64 % sizeof(Completion), 0u);
  EXPECT_EQ(sizeof(Descriptor), 64u);
  EXPECT_EQ(sizeof(Continuation), 64u);
  EXPECT_EQ(offsetof(Descriptor, opcode), offsetof(Continuation, opcode));
  EXPECT_EQ(offsetof(Descriptor, flags), offsetof(Continuation, flags));
}

TEST(Layout, RecordPartsStartOnBeats) {
  EXPECT_EQ(offsetof(SaRecord, header_template), 1 * kBeatBytes);
  EXPECT_EQ(offsetof(SaRecord, cipher_keys), 2 * kBeatBytes);
  EXPECT_EQ(offsetof(SaRecord, hash_powers), 6 * kBeatBytes);
  EXPECT_EQ(offsetof(SaRecord, integrity_keys), 8 * kBeatBytes);
}

TEST(Layout, ContinuationsHoldAllSegments) {
  EXPECT_EQ(continuations(1, 1), 0u);
  EXPECT_EQ(continuations(2, 1), 1u);
  EXPECT_EQ(continuations(8, 8), 3u);
  EXPECT_EQ(continuations(kMaxSegments, kMaxSegments), 6u);
}

TEST(Registers, DoNotOverlap) {
  std::set<std::uint32_t> seen;
  for (const auto& r : kRegisters) {
    EXPECT_TRUE(seen.insert(r.offset).second) << r.name;
    EXPECT_EQ(r.offset % 4, 0u) << r.name;
    EXPECT_GE(r.offset, 0x10u) << r.name << ": 0x00-0x0f belong to XRT";
    EXPECT_LT(r.offset, kQueueBlock) << r.name;
  }
  seen.clear();
  for (const auto& r : kQueueRegisters) {
    EXPECT_TRUE(seen.insert(r.offset).second) << r.name;
    EXPECT_LT(r.offset, kQueueStride) << r.name;
  }
  EXPECT_LE(queue_register(kMaxQueues, 0), kRegisterSpaceBytes);
}

}  // namespace
}  // namespace espalier::spec

// SPDX-License-Identifier: BSD-2-Clause-Patent
// No octet outside the lent buffers is read or written: sources and destinations stand against
// pages that may not be touched, at their ends and at their beginnings.
#include <gtest/gtest.h>

#include <cstring>

#include "../../guard/guarded.hpp"
#include "../one_job.hpp"
#include "../packets.hpp"
#include "tested.hpp"

namespace espalier::driver::test {
namespace {

class Bounds : public ::testing::Test {
 protected:
  Random random_;
  std::unique_ptr<Device> device_ = make_tested({.queues = 1, .queue_depth = 4, .slots = 8});
  Guarded source_{70000}, destination_{70000};

  void install_both(SaParameters sa) {
    sa.direction = Direction::seal;
    ASSERT_EQ(install(*device_, Slot{1}, Generation{1}, sa), Status::ok);
    sa.direction = Direction::open;
    ASSERT_EQ(install(*device_, Slot{2}, Generation{1}, sa), Status::ok);
  }
  void remove_both() {
    remove(*device_, Slot{1});
    remove(*device_, Slot{2});
  }
  Outcome guarded(Job job, const Bytes& packet, std::size_t room, bool at_end) {
    const Segment in = source_.stretch(packet.size(), at_end);
    const Segment out = destination_.stretch(room, at_end);
    if (!packet.empty()) std::memcpy(in.data, packet.data(), packet.size());
    job.source = {&in, 1};
    job.destination = {&out, 1};
    EXPECT_TRUE(device_->submit_one(QueueId{0}, job));
    const Completion c = wait_for(*device_);
    return {c.status, {out.data, out.data + c.length}, c.next_header};
  }
};

/// Every suite in a random mode, family and encapsulation.
template <class Body>
void for_each_suite(Random& random, Body&& body) {
  for (const Suite& s : all_suites())
    for (const Mode mode : {Mode::tunnel, Mode::transport}) {
      const Family outer = random.below(2) != 0 ? Family::ipv4 : Family::ipv6;
      const bool udp = s.protocol == Protocol::esp && random.below(2) != 0;
      SCOPED_TRACE(suite_name(s) + " " + random.replay());
      body(make_sa(s, random, mode, outer, udp));
    }
}

TEST_F(Bounds, ExactRoomIsEnoughAndNothingElseIsTouched) {
  for_each_suite(random_, [&](const SaParameters& sa) {
    install_both(sa);
    for (const std::size_t payload :
         {std::size_t{0}, std::size_t{1}, std::size_t{37}, std::size_t{random_.below(2000)}}) {
      const Bytes clear = make_packet(sa.outer, payload, random_);
      Job job = seal_job(sa, clear, random_);
      job.slot = Slot{1};
      job.generation = Generation{1};
      const Bytes sealed = run(*device_, job, clear).packet;
      ASSERT_FALSE(sealed.empty());
      Job open = open_job(sa, job);
      open.slot = Slot{2};
      ASSERT_TRUE(may_promise(sa, job, clear) && may_promise(sa, open, sealed));
      for (const bool at_end : {true, false}) {
        job.parsed = open.parsed = at_end;  // it makes no difference
        ASSERT_EQ(guarded(job, clear, sealed.size(), at_end).packet, sealed);
        ASSERT_EQ(guarded(job, clear, sealed.size() - 1, at_end).status, Status::no_room);
        ASSERT_EQ(guarded(open, sealed, clear.size(), at_end).packet, clear);
        ASSERT_EQ(guarded(open, sealed, clear.size() - 1, at_end).status, Status::no_room);
      }
    }
    remove_both();
  });
}

TEST_F(Bounds, TruncationAtEveryOctetWithAndWithoutTheRightLengthField) {
  for_each_suite(random_, [&](const SaParameters& sa) {
    install_both(sa);
    const Bytes clear = make_packet(sa.outer, 9, random_);
    Job job = seal_job(sa, clear, random_);
    job.slot = Slot{1};
    job.generation = Generation{1};
    const Bytes sealed = run(*device_, job, clear).packet;
    Job open = open_job(sa, job);
    open.slot = Slot{2};
    const std::size_t ip = sa.outer == Family::ipv4 ? 20 : 40;
    for (std::size_t length = 0; length < sealed.size(); ++length) {
      Bytes cut(sealed.begin(), sealed.begin() + static_cast<std::ptrdiff_t>(length));
      ASSERT_EQ(guarded(open, cut, 4096, true).status, Status::bad_header) << length;
      if (length < ip) continue;
      const std::size_t field = sa.outer == Family::ipv4 ? length : length - ip;
      const std::size_t at = sa.outer == Family::ipv4 ? 2 : 4;
      cut[at] = static_cast<std::uint8_t>(field >> 8);
      cut[at + 1] = static_cast<std::uint8_t>(field);
      if (sa.udp_encapsulation && length >= ip + 8) {
        cut[ip + 4] = static_cast<std::uint8_t>((length - ip) >> 8);
        cut[ip + 5] = static_cast<std::uint8_t>(length - ip);
      }
      ASSERT_NE(guarded(open, cut, 4096, true).status, Status::ok) << length;
    }
    remove_both();
  });
}

TEST_F(Bounds, EveryOctetOfTheIcvCounts) {
  for_each_suite(random_, [&](const SaParameters& sa) {
    install_both(sa);
    const Bytes clear = make_packet(sa.outer, 100, random_);
    Job job = seal_job(sa, clear, random_);
    job.slot = Slot{1};
    job.generation = Generation{1};
    const Bytes sealed = run(*device_, job, clear).packet;
    Job open = open_job(sa, job);
    open.slot = Slot{2};
    const std::size_t iv = sa.integrity == spec::Integrity::aes_gmac ? 8 : 0;
    const std::size_t first =
        sa.protocol == Protocol::ah ? open.header_length + 12 + iv : sealed.size() - sa.icv_length;
    for (std::size_t i = 0; i < sa.icv_length; ++i) {
      Bytes flipped = sealed;
      flipped[first + i] ^= static_cast<std::uint8_t>(1u << random_.below(8));
      ASSERT_EQ(guarded(open, flipped, clear.size(), true).status, Status::icv_mismatch) << i;
    }
    remove_both();
  });
}

/// Whatever comes, a device answers, touches nothing else, and lets nothing forged through; nor
/// does it if the caller falsely promises to have parsed the packet.
TEST_F(Bounds, MutatedPacketsAndJobs) {
  for_each_suite(random_, [&](const SaParameters& sa) {
    install_both(sa);
    const Bytes clear = make_packet(sa.outer, random_.below(300), random_);
    Job job = seal_job(sa, clear, random_);
    job.slot = Slot{1};
    job.generation = Generation{1};
    const Bytes sealed = run(*device_, job, clear).packet;
    Job open = open_job(sa, job);
    open.slot = Slot{2};
    for (unsigned round = 0; round < 200; ++round) {
      Bytes packet = sealed;
      for (std::uint64_t flips = random_.below(5); flips != 0; --flips)
        packet[random_.below(random_.below(3) != 0 ? std::min<std::size_t>(64, packet.size())
                                                   : packet.size())] ^=
            static_cast<std::uint8_t>(1u << random_.below(8));
      if (random_.below(4) == 0) packet.resize(random_.below(packet.size() + 20), 0x77);
      Job mutated = open;
      mutated.parsed = random_.below(2) != 0;
      if (random_.below(4) == 0)
        mutated.header_length = static_cast<std::uint16_t>(random_.below(200));
      const Outcome out = guarded(mutated, packet, random_.below(600), random_.below(2) != 0);
      if (out.status == Status::ok && sa.mode == Mode::tunnel) {
        // Only the outer header may differ; ECN follows it.
        Bytes a = out.packet, b = clear;
        ASSERT_EQ(a.size(), b.size());
        for (Bytes* p : {&a, &b}) (*p)[1] = (*p)[10 % p->size()] = (*p)[11 % p->size()] = 0;
        ASSERT_EQ(a, b);
      }
      Bytes inner = clear;
      if (!inner.empty())
        inner[random_.below(std::min<std::size_t>(inner.size(), 48))] ^=
            static_cast<std::uint8_t>(1u << random_.below(8));
      if (random_.below(4) == 0) inner.resize(random_.below(inner.size() + 1));
      Job seal = job;
      seal.parsed = random_.below(2) != 0;
      if (random_.below(3) == 0)
        seal.header_length = static_cast<std::uint16_t>(random_.below(100));
      if (random_.below(3) == 0) seal.pad_length = static_cast<std::uint8_t>(random_.below(256));
      if (random_.below(3) == 0) seal.tfc_length = static_cast<std::uint16_t>(random_.below(65536));
      guarded(seal, inner, random_.below(700), random_.below(2) != 0);
    }
    remove_both();
  });
}

/// Extension headers and options of random content: AH's rules must end, and stay inside.
TEST_F(Bounds, RandomOptionsUnderAh) {
  for (const Family family : {Family::ipv4, Family::ipv6}) {
    const SaParameters sa =
        make_sa(suite("sha256", Protocol::ah), random_, Mode::transport, family);
    install_both(sa);
    unsigned sealed_some = 0;
    for (unsigned round = 0; round < 4000; ++round) {
      const bool v4 = family == Family::ipv4;
      const std::size_t options = v4 ? 4 * random_.below(11) : 8 * (1 + random_.below(6));
      Bytes clear = make_packet(family, options + 30, random_);
      std::size_t header = (v4 ? 20 : 40) + options;
      for (std::size_t i = v4 ? 20 : 40; i < header; ++i)  // small numbers make plausible options
        clear[i] = static_cast<std::uint8_t>(random_.below(random_.below(2) != 0 ? 9 : 256));
      if (v4) {
        clear[0] = static_cast<std::uint8_t>(0x40 | header / 4);
      } else {
        static constexpr std::uint8_t kKinds[] = {0, 43, 60, 60};
        clear[6] = kKinds[random_.below(4)];
        clear[40] = 17;
        clear[41] = static_cast<std::uint8_t>(options / 8 - 1);
      }
      Job job = seal_job(sa, clear, random_);
      job.header_length = static_cast<std::uint16_t>(header);
      job.slot = Slot{1};
      job.generation = Generation{1};
      const Outcome out = guarded(job, clear, 600, true);
      if (out.status != Status::ok) continue;
      ++sealed_some;
      Job open = open_job(sa, job);
      open.slot = Slot{2};
      open.header_length = job.header_length;
      const Outcome back = guarded(open, out.packet, 600, true);
      ASSERT_EQ(back.status, Status::ok) << random_.replay();
      if (v4) clear[10] = back.packet[10], clear[11] = back.packet[11];  // recomputed
      ASSERT_EQ(back.packet, clear) << random_.replay();
    }
    EXPECT_GT(sealed_some, 100u);
    remove_both();
  }
}

}  // namespace
}  // namespace espalier::driver::test

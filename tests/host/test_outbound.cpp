// SPDX-License-Identifier: BSD-2-Clause-Patent
// L1: what a job carries, and what is counted.
#include <poll.h>
#include <unistd.h>

#include "fixture.hpp"

namespace espalier {
namespace {

using test::esp;
using test::ipv4;
using test::kQueue;

class L1 : public test::Fixture {
 protected:
  /// The job the card is given for one packet.
  driver::Job job_for(const SaConfig& config, std::vector<std::uint8_t> packet) {
    open();
    const SaHandle sa = add(config);
    EXPECT_TRUE(offer(sa, std::move(packet)));
    EXPECT_EQ(poll().at(0).drop, Drop::none);
    return card->seen.empty() ? driver::Job{} : card->seen[0].job;
  }
};

TEST_F(L1, TheOuterHeaderFollowsItsSettings) {
  auto packet = ipv4(64);
  packet[1] = 0xb9;  // DSCP 46, ECT(1)
  packet[6] = 0x40;  // DF
  SaConfig config = test::outbound();
  driver::Job job = job_for(config, packet);
  EXPECT_EQ(job.tos, 0xb9);
  EXPECT_EQ(job.ttl, 64);
  EXPECT_TRUE(job.dont_fragment);
  EXPECT_EQ(job.identity, 1u);

  config.dscp = 10;
  config.ecn = false;
  config.ttl = 200;
  config.dont_fragment = DontFragment::clear;
  job = job_for(config, packet);
  EXPECT_EQ(job.tos, 10 << 2);
  EXPECT_EQ(job.ttl, 200);
  EXPECT_FALSE(job.dont_fragment);

  packet[6] = 0;
  EXPECT_FALSE(job_for(test::outbound(), packet).dont_fragment);
  config.dont_fragment = DontFragment::set;
  EXPECT_TRUE(job_for(config, packet).dont_fragment);

  config.ends.family = Family::ipv6;
  config.ends.source[15] = config.ends.destination[15] = 1;
  EXPECT_EQ(job_for(config, packet).identity, 0u);
  config.flow_label = 0x12345;
  EXPECT_EQ(job_for(config, packet).identity, 0x12345u);
  config.flow_label.reset();
  std::vector<std::uint8_t> six(48);
  six[0] = 0x60;
  six[1] = 0x0a;
  six[2] = 0xbc;
  six[3] = 0xde;
  six[5] = 8;
  six[6] = 17;
  EXPECT_EQ(job_for(config, six).identity, 0xabcdeu);
}

TEST_F(L1, DscpIsMappedByTable) {
  auto packet = ipv4(64);
  packet[1] = 46 << 2 | 1;
  SaConfig config = test::outbound();
  config.dscp_map.emplace();
  config.dscp_map->at(46) = 10;
  EXPECT_EQ(job_for(config, packet).tos, 10 << 2 | 1);
  packet[1] = 8 << 2;
  EXPECT_EQ(job_for(config, packet).tos, 0) << "the table says 0 for all others";
  config.dscp = 63;
  EXPECT_EQ(job_for(config, packet).tos, 63 << 2);
  config.dscp_map->at(5) = 64;
  open();
  EXPECT_FALSE(context->add(config));
}

TEST_F(L1, ADummyPacketHasItsOwnNumberAndNoSource) {
  open();
  const SaHandle sa = add(test::outbound());
  std::vector<std::uint8_t> room(512);
  const Segment out{room.data(), 512};
  Job dummy;
  dummy.sa = sa;
  dummy.dummy = true;
  dummy.tfc_length = 101;
  dummy.destination = {&out, 1};
  ASSERT_EQ(context->submit(kQueue, {&dummy, 1}), 1u);
  ASSERT_TRUE(offer(sa, ipv4(64)));
  const auto done = poll();
  ASSERT_EQ(done.size(), 2u);
  EXPECT_EQ(done[0].drop, Drop::none);
  EXPECT_EQ(done[1].number, 2u);
  const driver::Job& job = card->seen.at(0).job;
  EXPECT_EQ(job.sequence_number, 1u);
  EXPECT_EQ(job.tfc_length, 101);
  EXPECT_EQ((101 + job.pad_length + 2) % 4, 0);
  EXPECT_TRUE(card->seen[0].source.empty());

  SaConfig transport = test::outbound();
  transport.transform.spi = 0x7777;
  transport.transform.mode = driver::Mode::transport;
  dummy.sa = add(transport);
  ASSERT_EQ(context->submit(kQueue, {&dummy, 1}), 1u);
  EXPECT_EQ(poll().at(0).drop, Drop::bad_argument);
}

TEST_F(L1, OverheadPredictsEveryLength) {
  for (const char* suite : {"aes256gcm16", "aes256-sha256", "null-sha1"})
    for (const auto mode : {driver::Mode::tunnel, driver::Mode::transport})
      for (const bool udp : {false, true}) {
        ContextConfig limits;
        limits.queue_capacity = 4096;
        open(limits, false);
        SaConfig config = test::config_for(suite, driver::Direction::seal);
        config.transform.mode = mode;
        config.transform.udp_encapsulation = udp;
        const SaHandle sa = add(config);
        const Overhead overhead = *context->overhead(sa);
        const std::uint32_t header = mode == driver::Mode::tunnel ? 0 : 20;
        for (std::uint16_t length = 20; length < 400; ++length) {
          ASSERT_TRUE(offer(sa, ipv4(length)));
          ASSERT_EQ(poll().size(), 1u);
          const driver::Job& job = software->seen.back().job;
          const std::uint32_t sealed = length + overhead.fixed + job.pad_length;
          ASSERT_EQ(overhead.sealed(length, header), sealed) << suite << " " << length;
          ASSERT_GE(overhead.longest_clear(sealed, header), length);
          ASSERT_LT(overhead.longest_clear(sealed - 1, header), length);
          ASSERT_LE(sealed, length + overhead.total);
        }
      }
}

TEST_F(L1, FragmentsAreSealedInTunnelsOnly) {
  auto fragment = ipv4(64);
  fragment[6] = 0x20;
  job_for(test::outbound(), fragment);
  open();
  SaConfig transport = test::outbound();
  transport.transform.mode = driver::Mode::transport;
  const SaHandle sa = add(transport);
  ASSERT_TRUE(offer(sa, fragment));
  EXPECT_EQ(poll().at(0).drop, Drop::fragment);
  ASSERT_TRUE(offer(sa, ipv4(64)));
  EXPECT_EQ(poll().at(0).number, 1u) << "what was dropped used no number";
  EXPECT_EQ(card->seen[0].job.header_length, 20);
}

TEST_F(L1, WhatWouldNotFitAnIpLengthIsDropped) {
  open();
  const SaHandle sa = add(test::outbound());
  std::vector<std::uint8_t> packet = ipv4(65500), room(65535);
  const Segment in{packet.data(), 65500}, out{room.data(), 65535}, small{room.data(), 119};
  Job job;
  job.sa = sa;
  job.source = {&in, 1};
  job.destination = {&out, 1};
  ASSERT_EQ(context->submit(kQueue, {&job, 1}), 1u);
  EXPECT_EQ(poll().at(0).drop, Drop::too_long);
  const auto fits = ipv4(64);  // 64 + 20 + 8 + 8 + 2 + 2 + 16
  const Segment source{const_cast<std::uint8_t*>(fits.data()), 64};
  job.source = {&source, 1};
  job.destination = {&small, 1};
  ASSERT_EQ(context->submit(kQueue, {&job, 1}), 1u);
  EXPECT_EQ(poll().at(0).drop, Drop::no_room);
  EXPECT_TRUE(card->seen.empty());
}

TEST_F(L1, HeadersMayStraddleSegments) {
  open();
  const SaHandle sa = add(test::inbound());
  auto packet = esp(7);
  std::vector<std::uint8_t> room(200);
  Segment pieces[16];
  for (int i = 0; i < 15; ++i) pieces[i] = {packet.data() + 2 * i, 2};
  pieces[15] = {packet.data() + 30, 70};
  const Segment out{room.data(), 200};
  Job job;
  job.sa = sa;
  job.source = pieces;
  job.destination = {&out, 1};
  ASSERT_EQ(context->submit(kQueue, {&job, 1}), 1u);
  const auto done = poll();
  EXPECT_EQ(done.at(0).drop, Drop::none);
  EXPECT_EQ(done.at(0).number, 7u);
  EXPECT_EQ(card->seen.at(0).source, packet);
}

TEST_F(L1, AnL2HeaderAndEthernetPaddingAreNoPartOfThePacket) {
  open();
  const SaHandle sa = add(test::outbound());
  std::vector<std::uint8_t> frame(14, 0xee);
  const auto packet = ipv4(40);
  frame.insert(frame.end(), packet.begin(), packet.end());
  frame.resize(60, 0xdd);
  std::vector<std::uint8_t> room(200);
  const Segment in{frame.data(), 60}, out{room.data(), 200};
  Job job;
  job.sa = sa;
  job.source = {&in, 1};
  job.destination = {&out, 1};
  job.l3_offset = 14;
  ASSERT_EQ(context->submit(kQueue, {&job, 1}), 1u);
  poll();
  EXPECT_EQ(card->seen.at(0).source, packet);
}

TEST_F(L1, AntiReplayCanBeTurnedOff) {
  open();
  SaConfig config = test::inbound();
  config.replay_window = 0;
  const SaHandle sa = add(config);
  for (const std::uint32_t number : {5u, 5u, 1u, 0u}) {
    ASSERT_TRUE(offer(sa, esp(number)));
    EXPECT_EQ(poll().at(0).drop, Drop::none);
  }
}

TEST_F(L1, AuditEventsAreRateLimitedAndTheLostCounted) {
  ContextConfig config;
  config.audit_events_per_second = 10;
  open(config);
  const SaHandle sa = add(test::inbound());
  for (int i = 0; i < 50; ++i) {
    ASSERT_TRUE(offer(sa, esp(0)));
    poll();
  }
  EXPECT_EQ(count(EventKind::audit), 10u);
  EXPECT_EQ(context->lost_events(), 40u);
  context->tick(std::chrono::seconds(2));
  ASSERT_TRUE(offer(sa, esp(0)));
  poll();
  EXPECT_EQ(count(EventKind::audit), 1u);
}

TEST_F(L1, EveryPacketIsCountedOnce) {
  open();
  const SaHandle sa = add(test::inbound());
  card->verdict = [](const driver::Job& job) {
    return job.sequence_number % 5 == 0   ? Status::icv_mismatch
           : job.sequence_number % 7 == 0 ? Status::aborted
                                          : Status::ok;
  };
  std::uint64_t offered = 0;
  for (std::uint32_t i = 0; i < 200; ++i) {
    ASSERT_TRUE(offer(sa, esp(i % 60)));
    ++offered;
    poll();
  }
  for (int i = 0; i < 3; ++i) poll();
  const auto statistics = context->statistics(sa);
  ASSERT_TRUE(statistics);
  std::uint64_t dropped = 0;
  for (const std::uint64_t n : statistics->drops) dropped += n;
  EXPECT_EQ(statistics->packets + dropped, offered);
  EXPECT_GT(statistics->packets, 0u);
  EXPECT_GT(statistics->drops[static_cast<unsigned>(Drop::icv_mismatch)], 0u);
  EXPECT_EQ(statistics->drops[static_cast<unsigned>(Drop::device)], 0u);
}

TEST_F(L1, TheEventDescriptorIsReadableWhileEventsWait) {
  open();
  const SaHandle sa = add(test::inbound());
  std::uint64_t value = 0;
  EXPECT_LT(read(context->event_fd(), &value, sizeof value), 0);
  ASSERT_TRUE(offer(sa, esp(0)));
  poll();
  context->tick(Time(1));
  pollfd waiting{context->event_fd(), POLLIN, 0};
  EXPECT_EQ(::poll(&waiting, 1, 0), 1);
  events();
  EXPECT_EQ(::poll(&waiting, 1, 0), 0);
}

}  // namespace
}  // namespace espalier

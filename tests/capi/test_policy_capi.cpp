// SPDX-License-Identifier: BSD-2-Clause-Patent
// The boundary through its C API alone.
#include <gtest/gtest.h>

#include <cerrno>
#include <cstring>
#include <string>
#include <vector>

#include "espalier/espalier_policy.h"

namespace {

/// One side, with an SA each way under the key `key`.
struct Side {
  espalier_context* context = nullptr;
  espalier_boundary* boundary = nullptr;
  espalier_set set = 0;
  espalier_sa out = 0, in = 0;
  char error[ESPALIER_ERROR_SIZE] = "";

  explicit Side(std::uint8_t last_octet) {
    espalier_context_options c{};
    c.struct_size = sizeof c;
    c.devices = "software";
    EXPECT_EQ(espalier_open(&c, &context, error, sizeof error), 0) << error;
    espalier_boundary_options b{};
    b.struct_size = sizeof b;
    EXPECT_EQ(espalier_boundary_open(context, &b, &boundary, error, sizeof error), 0) << error;
    EXPECT_EQ(espalier_set_add(boundary, &set, error, sizeof error), 0) << error;
    out = add_sa(ESPALIER_OUTBOUND, 1000u + last_octet, last_octet);
    in = add_sa(ESPALIER_INBOUND, 1000u + (last_octet ^ 3), last_octet);
    for (const std::uint32_t way : {ESPALIER_WAY_OUT, ESPALIER_WAY_IN}) {
      espalier_policy_options p{};
      p.struct_size = sizeof p;
      p.way = way;
      p.action = ESPALIER_PROTECT;
      p.set = set;
      espalier_policy handle = 0;
      EXPECT_EQ(espalier_policy_add(boundary, &p, &handle, error, sizeof error), 0) << error;
    }
  }
  ~Side() {
    espalier_boundary_close(boundary);
    espalier_close(context);
  }
  espalier_sa add_sa(std::uint32_t direction, std::uint32_t spi, std::uint8_t own) {
    static const std::uint8_t key[36] = {7};
    espalier_sa_options o{};
    o.struct_size = sizeof o;
    o.suite = "aes256gcm16";
    o.direction = direction;
    o.spi = spi;
    o.key = key;
    o.key_length = sizeof key;
    const std::uint8_t here[4] = {192, 0, 2, own};
    const std::uint8_t there[4] = {192, 0, 2, static_cast<std::uint8_t>(own ^ 3)};
    std::memcpy(o.source, direction == ESPALIER_OUTBOUND ? here : there, 4);
    std::memcpy(o.destination, direction == ESPALIER_OUTBOUND ? there : here, 4);
    espalier_sa_role role{};
    role.struct_size = sizeof role;
    role.path_mtu = direction == ESPALIER_OUTBOUND ? 1400 : 0;
    espalier_sa sa = 0;
    EXPECT_EQ(espalier_boundary_sa_add(boundary, set, &o, &role, &sa, error, sizeof error), 0)
        << error;
    return sa;
  }
  using Call = size_t (*)(espalier_boundary*, uint32_t, const espalier_packet*, size_t);
  /// The packets of all outcomes of one packet with this verdict.
  std::vector<std::vector<std::uint8_t>> run(Call call, std::vector<std::uint8_t> packet,
                                             std::uint8_t verdict) {
    std::vector<std::uint8_t> room(packet.size() + 128);
    const espalier_packet p = {42, packet.data(), packet.size(), room.data(), room.size(), nullptr,
                               0};
    EXPECT_EQ(call(boundary, 0, &p, 1), 1u);
    std::vector<std::vector<std::uint8_t>> all;
    bool last = false;
    espalier_outcome got[4];
    while (!last) {
      const size_t n = espalier_boundary_poll(boundary, 0, got, 4, 8);
      if (n == 0) break;
      for (size_t i = 0; i < n; ++i) {
        EXPECT_EQ(got[i].cookie, 42u);
        EXPECT_STREQ(espalier_verdict_name(got[i].verdict), espalier_verdict_name(verdict));
        all.emplace_back(got[i].packet, got[i].packet + got[i].length);
        if (got[i].lease != 0) espalier_boundary_release(boundary, 0, got[i].lease);
        last = got[i].last != 0;
      }
    }
    EXPECT_TRUE(last);
    return all;
  }
};

std::vector<std::uint8_t> packet(std::size_t length) {
  std::vector<std::uint8_t> p(length);
  p[0] = 0x45;
  p[2] = static_cast<std::uint8_t>(length >> 8);
  p[3] = static_cast<std::uint8_t>(length);
  p[8] = 64;
  p[9] = 1;
  p[12] = p[16] = 10;
  return p;
}

TEST(PolicyInC, PacketsCrossAndLongOnesInPieces) {
  Side a(1), b(2);
  auto sealed = a.run(espalier_outbound, packet(100), ESPALIER_SEALED);
  ASSERT_EQ(sealed.size(), 1u);
  const auto opened = b.run(espalier_inbound, sealed[0], ESPALIER_OPENED);
  ASSERT_EQ(opened.size(), 1u);
  EXPECT_EQ(opened[0], packet(100));
  b.run(espalier_inbound, packet(100), ESPALIER_DISCARDED);
  sealed = a.run(espalier_outbound, packet(4000), ESPALIER_SEALED);
  EXPECT_EQ(sealed.size(), 4u);
  for (const auto& piece : sealed) {
    EXPECT_LE(piece.size(), 1400u);
    b.run(espalier_inbound, piece, ESPALIER_OPENED);
  }
}

TEST(PolicyInC, EventsAndErrors) {
  Side a(1);
  EXPECT_EQ(espalier_boundary_sa_remove(a.boundary, a.out), 0);
  EXPECT_EQ(espalier_boundary_sa_remove(a.boundary, a.out), -ENOENT);
  a.run(espalier_outbound, packet(100), ESPALIER_DISCARDED);
  espalier_boundary_event event{};
  event.struct_size = sizeof event;
  bool acquired = false;
  while (espalier_boundary_next_event(a.boundary, &event) == 1)
    if (event.kind == ESPALIER_BOUNDARY_EVENT_ACQUIRE) {
      acquired = true;
      EXPECT_EQ(event.set, a.set);
      EXPECT_EQ(event.protocol, 1);
      EXPECT_EQ(event.local.octets[0], 10);
    }
  EXPECT_TRUE(acquired);
  EXPECT_NE(espalier_boundary_tick(a.boundary, 1000), 0u);
  EXPECT_GE(espalier_boundary_event_fd(a.boundary), 0);
  EXPECT_EQ(espalier_set_remove(a.boundary, a.set, a.error, sizeof a.error), -EBUSY);
  EXPECT_NE(a.error[0], '\0');
  espalier_policy_options p{};
  espalier_policy policy = 0;
  EXPECT_EQ(espalier_policy_add(a.boundary, &p, &policy, a.error, sizeof a.error), -EINVAL);
  p.struct_size = sizeof p;
  p.way = 9;
  EXPECT_EQ(espalier_policy_add(a.boundary, &p, &policy, a.error, sizeof a.error), -EINVAL);
  p.way = ESPALIER_WAY_OUT;
  p.action = ESPALIER_BYPASS;
  p.selector.locals = 1;
  EXPECT_EQ(espalier_policy_add(a.boundary, &p, &policy, a.error, sizeof a.error), -EINVAL);
  p.selector.locals = 0;
  EXPECT_EQ(espalier_policy_add(a.boundary, &p, &policy, a.error, sizeof a.error), 0) << a.error;
  EXPECT_EQ(espalier_policy_remove(a.boundary, policy), 0);
  EXPECT_EQ(espalier_policy_remove(a.boundary, policy), -ENOENT);
  EXPECT_EQ(espalier_outbound(nullptr, 0, nullptr, 1), 0u);
  EXPECT_EQ(espalier_boundary_next_event(nullptr, &event), -EINVAL);
}

TEST(PolicyInC, AFlowsProofNamesItsSa) {
  Side a(1);
  const auto sent = packet(100);
  a.run(espalier_outbound, sent, ESPALIER_SEALED);
  espalier_flow_proof proof{};
  proof.struct_size = sizeof proof;
  ASSERT_EQ(espalier_boundary_prove(a.boundary, ESPALIER_WAY_OUT, sent.data(), 24, 0, &proof,
                                    a.error, sizeof a.error),
            0);
  EXPECT_EQ(proof.sa, a.out);
  EXPECT_EQ(proof.set, a.set);
  EXPECT_STREQ(proof.suite, "aes256gcm16");
  EXPECT_EQ(proof.encrypted, 1u);
  EXPECT_EQ(proof.packets, 1u);
  EXPECT_EQ(proof.spi, 1001u);
  EXPECT_EQ(proof.destination.octets[3], 2);
  EXPECT_EQ(proof.device, 0u);
  EXPECT_EQ(espalier_boundary_prove(a.boundary, ESPALIER_WAY_IN, sent.data(), 24, 0, &proof,
                                    a.error, sizeof a.error),
            0);
  EXPECT_EQ(proof.sa, a.in);
  for (const std::uint32_t wrong : {3u, 0xffffffffu})
    EXPECT_EQ(espalier_boundary_prove(a.boundary, wrong, sent.data(), 24, 0, &proof, a.error,
                                      sizeof a.error),
              -EINVAL);
  const auto refused = [&](std::size_t length, std::uint32_t queue, const char* why) {
    EXPECT_EQ(espalier_boundary_prove(a.boundary, ESPALIER_WAY_OUT, sent.data(), length, queue,
                                      &proof, a.error, sizeof a.error),
              -EINVAL);
    EXPECT_NE(std::string(a.error).find(why), std::string::npos) << a.error;
  };
  refused(24, 1, "no such queue");
  refused(24, 256, "queue");
  refused(7, 0, "give its header");
  refused(21, 0, "give four octets");
  proof.struct_size = 8;
  refused(24, 0, "struct_size");
}

TEST(PolicyInC, APacketInPiecesIsJoined) {
  Side a(1), b(2);
  auto sealed = a.run(espalier_outbound, packet(100), ESPALIER_SEALED).at(0);
  std::vector<std::uint8_t> room(sealed.size());
  const espalier_segment pieces[] = {
      {sealed.data(), 7, 0}, {sealed.data() + 7, static_cast<std::uint32_t>(sealed.size() - 7), 0}};
  espalier_packet p{};
  p.destination = room.data();
  p.destination_length = room.size();
  p.segments = pieces;
  p.segment_count = 2;
  ASSERT_EQ(espalier_inbound(b.boundary, 0, &p, 1), 1u);
  espalier_outcome got{};
  ASSERT_EQ(espalier_boundary_poll(b.boundary, 0, &got, 1, 8), 1u);
  ASSERT_EQ(got.verdict, ESPALIER_OPENED) << espalier_drop_name(got.drop);
  EXPECT_EQ(std::vector<std::uint8_t>(got.packet, got.packet + got.length), packet(100));
  p.segments = nullptr;
  ASSERT_EQ(espalier_inbound(b.boundary, 0, &p, 1), 1u);
  ASSERT_EQ(espalier_boundary_poll(b.boundary, 0, &got, 1, 8), 1u);
  EXPECT_STREQ(espalier_drop_name(got.drop), "malformed_ip");
}

}  // namespace

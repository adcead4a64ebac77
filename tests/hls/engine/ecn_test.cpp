// SPDX-License-Identifier: BSD-2-Clause-Patent
// ECN at tunnel egress (RFC 6040 4.2): every inner and outer value, IPv4 and IPv6 inside.
#include <gtest/gtest.h>

#include "card.h"

namespace espalier::test {
namespace {

using spec::Status;

constexpr unsigned kDrop = 4;
// RFC 6040 figure 4, [inner][outer]; 0 Not-ECT, 1 ECT(1), 2 ECT(0), 3 CE.
constexpr unsigned kFigure4[4][4] = {{0, 0, 0, kDrop}, {1, 1, 1, 3}, {2, 1, 2, 3}, {3, 3, 3, 3}};

Bytes random_ipv6(Random& random, std::size_t length) {
  Bytes packet = random_bytes(random, length);
  packet[0] = static_cast<std::uint8_t>(0x60 | (packet[0] & 15));
  packet[4] = static_cast<std::uint8_t>((length - 40) >> 8);
  packet[5] = static_cast<std::uint8_t>(length - 40);
  return packet;
}

TEST(Ecn, EveryCombination) {
  Random random(51);
  for (bool ecn : {false, true}) {
    Card card;
    Tunnel tunnel = random_tunnel(random);
    tunnel.ecn = ecn;
    card.install(0, record_of(tunnel, false, 1));
    card.run();
    ASSERT_EQ(card.take().status, Status::ok);
    for (unsigned i = 0; i < 64 * 16; ++i) {
      const bool six = i & 16;
      const unsigned inner = i / 4 % 4, outer = i % 4;
      const std::size_t length = 40 + random() % 100;
      Bytes packet = six ? random_ipv6(random, length) : random_ipv4(random, length);
      const auto mark = [&](unsigned value) {
        packet[1] = static_cast<std::uint8_t>(six ? (packet[1] & 0xcf) | value << 4
                                                  : (packet[1] & 0xfc) | value);
        if (!six) set_ip_checksum(packet);
      };
      mark(inner);
      Sealing s = random_sealing(random, length);
      s.tos = static_cast<std::uint8_t>((s.tos & 0xfc) | outer);
      const Bytes wire = protect(tunnel, s, concat(packet, trailer(s.pad_length, six ? 41 : 4)));
      card.submit(open_job(s.sequence, wire.size(), 0, 1), wire);
      card.run();
      const Answer answer = card.take();
      const unsigned expected = ecn ? kFigure4[inner][outer] : inner;
      if (expected == kDrop) {
        EXPECT_EQ(answer.status, Status::congested);
        continue;
      }
      mark(expected);
      ASSERT_EQ(answer.status, Status::ok);
      ASSERT_EQ(answer.data, packet) << "inner " << inner << ", outer " << outer;
      EXPECT_EQ(answer.next_header, six ? 41u : 4u);
    }
  }
}

TEST(Ecn, SealsIpv6InTheIpv4Tunnel) {
  Random random(52);
  Card card;
  const Tunnel tunnel = random_tunnel(random);
  card.install(0, record_of(tunnel, true, 1));
  card.run();
  card.take();
  for (std::size_t length = 40; length < 200; ++length) {
    Bytes packet = random_ipv6(random, length);
    const Sealing s = random_sealing(random, length);
    card.submit(seal_job(s, length, 0, 1), packet);
    packet[5] ^= 1;
    card.submit(seal_job(s, length, 0, 1), packet);
    packet[5] ^= 1;
    card.run();
    const Answer answer = card.take();
    ASSERT_EQ(answer.status, Status::ok);
    ASSERT_EQ(answer.data, protect(tunnel, s, concat(packet, trailer(s.pad_length, 41))));
    EXPECT_EQ(card.take().status, Status::bad_header);
  }
}

}  // namespace
}  // namespace espalier::test

// SPDX-License-Identifier: BSD-2-Clause-Patent
// Each way in which a job can fail, by status; and that nothing but the status comes out.
#include <gtest/gtest.h>

#include "card.h"

namespace espalier::test {
namespace {

using spec::Status;

constexpr unsigned kGeneration = 9, kSealSlot = 4, kOpenSlot = 16383;

/// One tunnel on a card; seal() and open() submit, run and take.
class Statuses : public testing::Test {
 protected:
  Statuses() : random(31), tunnel(random_tunnel(random)) { install(); }

  void install() {
    card.install(kSealSlot, record_of(tunnel, true, kGeneration));
    card.install(kOpenSlot, record_of(tunnel, false, kGeneration));
    card.run();
    EXPECT_EQ(card.take().status, Status::ok);
    EXPECT_EQ(card.take().status, Status::ok);
  }

  Sealing sealing(std::size_t length) {
    Sealing s = random_sealing(random, length);
    s.pad_length = least_padding(length);
    return s;
  }
  Answer answer(const spec::Descriptor& d, const Bytes& source) {
    card.submit(d, source);
    card.run();
    const Answer a = card.take();
    if (a.status != Status::ok) {
      EXPECT_TRUE(a.data.empty() && card.out.empty()) << "a failed job gives no octet";
      EXPECT_EQ(a.next_header, 0u);
      EXPECT_EQ(a.tos, 0u);
    }
    return a;
  }
  Status open(const Bytes& wire, std::uint64_t sequence, unsigned header_words = 5) {
    return answer(open_job(sequence, wire.size(), kOpenSlot, kGeneration, header_words), wire)
        .status;
  }
  /// Opens what a sender protected around `body`.
  Status open_body(const Bytes& body) {
    const Sealing s = sealing(0);
    return open(protect(tunnel, s, body), s.sequence);
  }
  Status seal(const Bytes& packet, const Sealing& s) {
    return answer(seal_job(s, packet.size(), kSealSlot, kGeneration), packet).status;
  }

  Random random;
  Tunnel tunnel;
  Card card;
};

TEST_F(Statuses, GoodPacketsPass) {
  const Bytes packet = random_ipv4(random, 100);
  const Sealing s = sealing(100);
  EXPECT_EQ(seal(packet, s), Status::ok);
  EXPECT_EQ(open(test::seal(tunnel, s, packet), s.sequence), Status::ok);
}

TEST_F(Statuses, AnyWrongOctetOfTheProtectedPartIsAnIcvMismatch) {
  const Bytes packet = random_ipv4(random, 93);
  const Sealing s = sealing(93);
  const Bytes wire = test::seal(tunnel, s, packet);
  for (std::size_t at = 28; at < wire.size(); ++at) {  // from the IV on
    Bytes tampered = wire;
    tampered[at] ^= static_cast<std::uint8_t>(1u << (random() % 8));
    EXPECT_EQ(open(tampered, s.sequence), Status::icv_mismatch) << "octet " << at;
  }
  for (std::size_t at = 20; at < 24; ++at) {
    Bytes tampered = wire;
    tampered[at] ^= 1;
    EXPECT_EQ(open(tampered, s.sequence), Status::spi_mismatch) << "octet " << at;
  }
  for (std::size_t at = 24; at < 28; ++at) {
    Bytes tampered = wire;
    tampered[at] ^= 1;
    EXPECT_EQ(open(tampered, s.sequence), Status::bad_header) << "octet " << at;
    const std::uint64_t as_sent = s.sequence ^ (std::uint64_t{1} << (8 * (27 - at)));
    EXPECT_EQ(open(tampered, as_sent), Status::icv_mismatch) << "octet " << at;
  }
}

TEST_F(Statuses, HighHalfOfTheNumberIsAuthenticatedWithEsnAlone) {
  for (bool esn : {false, true}) {
    tunnel.esn = esn;
    install();
    const Bytes packet = random_ipv4(random, 60);
    const Sealing s = sealing(60);
    const Status status =
        open(test::seal(tunnel, s, packet), s.sequence ^ (std::uint64_t{1} << 40));
    EXPECT_EQ(status, esn ? Status::icv_mismatch : Status::ok);
  }
}

TEST_F(Statuses, OuterHeader) {
  const Bytes packet = random_ipv4(random, 60);
  const Sealing s = sealing(60);
  const Bytes wire = test::seal(tunnel, s, packet);
  const auto with = [&](std::size_t at, std::uint8_t octet) {
    Bytes changed = wire;
    changed[at] = octet;
    return open(changed, s.sequence);
  };
  EXPECT_EQ(with(0, 0x65), Status::bad_header);
  EXPECT_EQ(with(0, 0x44), Status::bad_header);
  EXPECT_EQ(with(0, 0x46), Status::bad_header) << "disagrees with the descriptor";
  EXPECT_EQ(with(3, wire[3] + 1), Status::bad_header) << "longer than the source";
  EXPECT_EQ(with(9, 17), Status::bad_header);
  EXPECT_EQ(with(6, 0x20), Status::fragment);
  EXPECT_EQ(with(7, 1), Status::fragment);
  EXPECT_EQ(with(6, 0x40), Status::ok) << "DF";
  EXPECT_EQ(with(1, 0xff), Status::ok) << "TOS may change under way";
  EXPECT_EQ(with(8, 3), Status::ok) << "TTL may change under way";
  EXPECT_EQ(open(concat(wire, Bytes(7, 1)), s.sequence), Status::ok) << "link layer padding";
  EXPECT_EQ(open(Bytes(wire.begin(), wire.begin() + 19), s.sequence), Status::bad_header);
  EXPECT_EQ(open({}, s.sequence), Status::bad_header);
}

TEST_F(Statuses, OuterOptionsOfEveryLength) {
  for (unsigned options = 0; options <= 10; ++options) {
    for (std::size_t length : {20, 21, 28, 46, 100, 300}) {
      const Bytes packet = random_ipv4(random, length);
      const Sealing s = sealing(length);
      const Bytes wire = protect(tunnel, s, concat(packet, trailer(s.pad_length)), options);
      const Answer a =
          answer(open_job(s.sequence, wire.size(), kOpenSlot, kGeneration, 5 + options), wire);
      EXPECT_EQ(a.status, Status::ok) << options << " words of options, " << length << " octets";
      EXPECT_EQ(a.data, packet);
      EXPECT_EQ(a.tos, s.tos);
    }
  }
}

TEST_F(Statuses, ShortPackets) {
  for (unsigned options = 0; options <= 10; ++options) {
    const Sealing s = sealing(0);
    const Bytes wire = protect(tunnel, s, Bytes(28), options);
    const std::size_t header = 20 + 4 * options, least = header + 16 + 4 + tunnel.icv_length;
    for (std::size_t length = header; length < wire.size(); ++length) {
      Bytes cut(wire.begin(), wire.begin() + length);
      cut[2] = 0;
      cut[3] = static_cast<std::uint8_t>(length);
      const bool sound = length >= least && length % 4 == 0;
      EXPECT_EQ(open(cut, s.sequence, 5 + options),
                sound ? Status::icv_mismatch : Status::bad_length)
          << length << " octets behind " << options << " words of options";
    }
  }
}

TEST_F(Statuses, Padding) {
  const Bytes packet = random_ipv4(random, 70);
  for (unsigned pad = 0; pad < 256; ++pad) {
    if ((70 + pad + 2) % 4 != 0) continue;
    EXPECT_EQ(open_body(concat(packet, trailer(pad))), Status::ok) << pad;
    for (unsigned at : {0u, 1u, pad / 2, pad - 1}) {
      if (at >= pad) continue;
      Bytes body = concat(packet, trailer(pad));
      body[70 + at] ^= 1 + random() % 255;
      EXPECT_EQ(open_body(body), Status::bad_padding) << "octet " << at << " of " << pad;
    }
  }
  // The padding reaches into the packet, or beyond: pad length and body are all there is.
  EXPECT_EQ(open_body(trailer(70)), Status::bad_inner) << "no packet left";
  EXPECT_EQ(open_body(Bytes{1, 2, 3, 4, 5, 6, 7, 4}), Status::bad_padding);
  EXPECT_EQ(open_body(Bytes{0, 0, 3, 4}), Status::bad_padding);
  EXPECT_EQ(open_body(Bytes{1, 2, 2, 4}), Status::bad_inner);
  EXPECT_EQ(open_body(Bytes{9, 9, 255, 4}), Status::bad_padding);
}

TEST_F(Statuses, NextHeader) {
  const Bytes packet = random_ipv4(random, 50);
  for (unsigned next = 0; next < 256; ++next) {
    const Status expected = next == 4    ? Status::ok
                            : next == 59 ? Status::dummy
                            : next == 41 ? Status::bad_inner
                                         : Status::bad_next_header;
    EXPECT_EQ(open_body(concat(packet, trailer(0, next))), expected) << next;
  }
  EXPECT_EQ(open_body(concat(Bytes(6, 0xaa), trailer(0, 59))), Status::dummy) << "any content";
}

TEST_F(Statuses, InnerHeader) {
  const auto with = [&](std::size_t at, std::uint8_t octet, std::size_t tfc = 0) {
    Bytes packet = random_ipv4(random, 50);
    packet[at] = octet;
    return open_body(concat(packet, Bytes(tfc), trailer(0)));
  };
  EXPECT_EQ(with(0, 0x55), Status::bad_inner);
  EXPECT_EQ(with(0, 0x44), Status::bad_inner);
  EXPECT_EQ(with(0, 0x4c), Status::ok) << "options";
  EXPECT_EQ(with(0, 0x4d), Status::bad_inner) << "header of 52 octets in 50";
  EXPECT_EQ(with(3, 19), Status::bad_inner);
  EXPECT_EQ(with(3, 51), Status::bad_inner);
  EXPECT_EQ(with(3, 51, 4), Status::ok) << "TFC padding (RFC 4303 2.7)";
  EXPECT_EQ(with(2, 1), Status::bad_inner);
}

TEST_F(Statuses, TfcPaddingIsRemoved) {
  for (std::size_t tfc : {4, 64, 100, 1000}) {
    const Bytes packet = random_ipv4(random, 50);
    const Sealing s = sealing(0);
    const Bytes wire = protect(tunnel, s, concat(packet, random_bytes(random, tfc), trailer(0)));
    const Answer a = answer(open_job(s.sequence, wire.size(), kOpenSlot, kGeneration), wire);
    EXPECT_EQ(a.status, Status::ok);
    EXPECT_EQ(a.data, packet);
  }
}

TEST_F(Statuses, SealChecksThePacket) {
  const Bytes packet = random_ipv4(random, 61);
  Sealing s = sealing(61);
  const auto with = [&](std::size_t at, std::uint8_t octet) {
    Bytes changed = packet;
    changed[at] = octet;
    return seal(changed, s);
  };
  EXPECT_EQ(with(0, 0x35), Status::bad_header);
  EXPECT_EQ(with(0, 0x44), Status::bad_header);
  EXPECT_EQ(with(3, 60), Status::bad_header);
  EXPECT_EQ(with(3, 62), Status::bad_header);
  EXPECT_EQ(with(6, 0x20), Status::ok) << "a tunnel carries fragments (RFC 4303 3.3.4)";
  EXPECT_EQ(seal(Bytes(19), s), Status::bad_header);
  ++s.pad_length;
  EXPECT_EQ(seal(packet, s), Status::bad_length);
}

TEST_F(Statuses, SealingNothingMakesADummyPacket) {
  const Sealing s = sealing(0);
  const Answer sealed = answer(seal_job(s, 0, kSealSlot, kGeneration), {});
  EXPECT_EQ(sealed.status, Status::ok);
  EXPECT_EQ(sealed.data, protect(tunnel, s, trailer(s.pad_length, 59)));
  EXPECT_EQ(open(sealed.data, s.sequence), Status::dummy);
}

TEST_F(Statuses, Room) {
  const Bytes packet = random_ipv4(random, 61);
  const Sealing s = sealing(61);
  const Bytes wire = test::seal(tunnel, s, packet);
  for (bool enough : {false, true}) {
    const Status expected = enough ? Status::ok : Status::no_room;
    spec::Descriptor d = seal_job(s, packet.size(), kSealSlot, kGeneration);
    d.destination_length = static_cast<std::uint16_t>(wire.size() - !enough);
    EXPECT_EQ(answer(d, packet).status, expected);
    d = open_job(s.sequence, wire.size(), kOpenSlot, kGeneration);
    d.destination_length = static_cast<std::uint16_t>(packet.size() - !enough);
    EXPECT_EQ(answer(d, wire).status, expected);
  }
}

TEST_F(Statuses, Longest) {
  const std::size_t around = 36 + 2 + tunnel.icv_length;
  const std::size_t longest = 9216 - around;
  const Bytes packet = random_ipv4(random, longest), longer = random_ipv4(random, longest + 4);
  Sealing s = sealing(longest);
  ASSERT_EQ(s.pad_length, 0u);
  const Bytes wire = test::seal(tunnel, s, packet);
  const Answer sealed = answer(seal_job(s, longest, kSealSlot, kGeneration), packet);
  EXPECT_EQ(sealed.data, wire);
  EXPECT_EQ(answer(open_job(s.sequence, wire.size(), kOpenSlot, kGeneration), wire).data, packet);
  EXPECT_EQ(seal(longer, s), Status::too_long);
  EXPECT_EQ(seal(random_ipv4(random, 9217), s), Status::too_long);
  EXPECT_EQ(open(test::seal(tunnel, s, longer), s.sequence), Status::too_long);
}

TEST_F(Statuses, Descriptor) {
  const Bytes packet = random_ipv4(random, 61);
  const Sealing s = sealing(61);
  const auto with = [&](auto change) {
    spec::Descriptor d = seal_job(s, packet.size(), kSealSlot, kGeneration);
    change(d);
    return answer(d, packet).status;
  };
  EXPECT_EQ(with([](spec::Descriptor& d) { d.tfc_length = 4; }), Status::unsupported);
  EXPECT_EQ(with([](spec::Descriptor& d) { d.header_words = 5; }), Status::unsupported);
  EXPECT_EQ(with([](spec::Descriptor& d) { d.generation = 8; }), Status::sa_gone);
  EXPECT_EQ(with([](spec::Descriptor& d) { d.slot = 5; }), Status::sa_gone);
  EXPECT_EQ(with([](spec::Descriptor& d) { d.slot = 16384 + 4; }), Status::sa_gone);
  EXPECT_EQ(with([](spec::Descriptor& d) { d.slot = kOpenSlot; }), Status::sa_gone);
  spec::Descriptor d{};
  d.opcode = 6;
  EXPECT_EQ(answer(d, {}).status, Status::bad_descriptor);
  d = control_job(spec::Opcode::remove, 16384);
  EXPECT_EQ(answer(d, {}).status, Status::bad_descriptor);
  d = control_job(spec::Opcode::install, 16384);
  EXPECT_EQ(answer(d, Bytes(1024)).status, Status::bad_descriptor);
  EXPECT_EQ(seal(packet, s), Status::ok);
}

}  // namespace
}  // namespace espalier::test

// SPDX-License-Identifier: BSD-2-Clause-Patent
// The whole crypto stage, natively, against OpenSSL.
#include "crypto/gcm.h"

#include <gtest/gtest.h>

#include <algorithm>
#include <deque>
#include <optional>

#include "gcm_reference.h"

namespace espalier::test {
namespace {

/// A crypto stage with its streams; jobs go in through submit(), step() is a clock.
class Stage {
 public:
  /// Out of reset, key memories wiped.
  Stage() : gcm_(new Gcm{}) {
    for (int i = 0; i < 2 * kSlots; ++i) step();
  }

  void submit(const CryptoJob& job, const std::vector<Beat>& beats) {
    jobs.write(job);
    for (const Beat& beat : beats) in.write(beat);
  }
  unsigned install(unsigned slot, const Sa& sa) {
    submit(record_job(slot, ++ticket_ % 256), beats_of(expand(sa)));
    return ticket_ % 256;
  }
  unsigned remove(unsigned slot) {
    submit(record_job(slot, ++ticket_ % 256), beats_of(spec::SaRecord{}));
    return ticket_ % 256;
  }
  unsigned submit(unsigned slot, const Sa& sa, const Packet& packet) {
    submit(job_of(sa, packet, slot, ++ticket_ % 256), beats_of(packet.text));
    return ticket_ % 256;
  }

  void step() { gcm(*gcm_, jobs, in, out, verdicts); }

  /// Steps until nothing waits in front of the stage or can still come out; returns the steps.
  std::size_t run() {
    std::size_t steps = 0;
    while (!in.empty() || gcm_->gcm_frame.holding) {
      step();
      ++steps;
    }
    return steps;
  }

  /// The beats of the next packet that came out.
  std::vector<Beat> take_beats() {
    std::vector<Beat> beats;
    while (!out.empty() && (beats.empty() || !beats.back().last)) beats.push_back(out.read());
    return beats;
  }

  const Gcm& gcm_state() const { return *gcm_; }

  hls::stream<CryptoJob> jobs;
  hls::stream<Beat> in, out;
  hls::stream<CryptoVerdict> verdicts;

 private:
  std::unique_ptr<Gcm> gcm_;
  unsigned ticket_ = 0;
};

void expect_packet(Stage& stage, const Sa& sa, const Packet& packet, unsigned ticket) {
  const Expected expected = openssl_gcm(sa, packet);
  ASSERT_FALSE(stage.verdicts.empty());
  const CryptoVerdict verdict = stage.verdicts.read();
  const std::vector<Beat> beats = stage.take_beats();
  ASSERT_EQ(beats.size(), beats_of(packet.text).size());
  EXPECT_EQ(text_of(beats, packet.text.size()), expected.text);
  EXPECT_EQ(to_bytes<128>(verdict.tag), expected.tag);
  EXPECT_EQ(verdict.ticket, ticket);
}

void expect_record(Stage& stage, unsigned ticket) {
  ASSERT_FALSE(stage.verdicts.empty());
  const CryptoVerdict verdict = stage.verdicts.read();
  EXPECT_EQ(verdict.ticket, ticket);
  EXPECT_EQ(verdict.tag, Block(0));
}

TEST(Gcm, EveryLengthKeySizeDirectionAndNumber) {
  const unsigned seed = 3;
  SCOPED_TRACE(testing::Message() << "seed " << seed);
  Random random(seed);
  Stage stage;
  for (const KeySize size : {kAes128, kAes192, kAes256}) {
    const unsigned slot = 5 + size;
    const Sa sa = random_sa(random, size);
    const unsigned ticket = stage.install(slot, sa);
    stage.run();
    expect_record(stage, ticket);
    std::vector<std::size_t> lengths = {1424, 1504, 9040, 65532};
    for (std::size_t length = 4; length <= 340; length += 4) lengths.push_back(length);
    for (const std::size_t length : lengths) {
      for (const bool open : {false, true}) {
        for (const std::size_t aad : {8, 12}) {
          SCOPED_TRACE(testing::Message() << "AES-" << 128 + 64 * size << ", length " << length
                                          << ", open " << open << ", AAD " << aad);
          Packet packet = random_packet(random, length);
          packet.open = open;
          packet.aad = random_bytes(random, aad);
          const unsigned packet_ticket = stage.submit(slot, sa, packet);
          stage.run();
          expect_packet(stage, sa, packet, packet_ticket);
        }
      }
    }
  }
}

/// Random packets back to back over a few slots whose SAs come, change and go in between; the
/// stage's inputs run dry at random if `starve`.
void random_traffic(unsigned seed, bool starve) {
  SCOPED_TRACE(testing::Message() << "seed " << seed << ", starve " << starve);
  struct Sent {
    std::optional<Sa> sa;  // none: a record
    Packet packet;
    unsigned ticket;
  };
  constexpr unsigned slots[] = {0, 1, 77, kSlots - 1};
  Random random(seed);
  Stage stage;
  std::optional<Sa> held[4];
  std::deque<Sent> sent;
  for (int i = 0; i < 600; ++i) {
    const unsigned which = random() % 4;
    const unsigned what = random() % 16;
    if (!held[which] || what == 0) {
      held[which] = random_sa(random, static_cast<KeySize>(random() % 3));
      sent.push_back({{}, {}, stage.install(slots[which], *held[which])});
    } else if (what == 1) {
      held[which].reset();
      sent.push_back({{}, {}, stage.remove(slots[which])});
    } else {
      const Packet packet = random_packet(random, 4 + 4 * (random() % (random() % 2 ? 16 : 380)));
      sent.push_back({held[which], packet, stage.submit(slots[which], *held[which], packet)});
    }
  }
  if (starve) {
    // The same beats, offered at random moments through streams of our own.
    hls::stream<CryptoJob> jobs;
    hls::stream<Beat> in;
    while (!stage.jobs.empty()) jobs.write(stage.jobs.read());
    while (!stage.in.empty()) in.write(stage.in.read());
    while (!jobs.empty() || !in.empty()) {
      if (!jobs.empty() && random() % 4 == 0) stage.jobs.write(jobs.read());
      if (!in.empty() && random() % 2 == 0) stage.in.write(in.read());
      stage.step();
    }
  }
  stage.run();
  for (const Sent& s : sent) {
    if (s.sa) {
      ASSERT_NO_FATAL_FAILURE(expect_packet(stage, *s.sa, s.packet, s.ticket));
    } else {
      ASSERT_NO_FATAL_FAILURE(expect_record(stage, s.ticket));
    }
  }
  EXPECT_TRUE(stage.verdicts.empty());
  EXPECT_TRUE(stage.out.empty());
}

TEST(Gcm, BackToBackPacketsBetweenInstallsAndRemoves) {
  for (unsigned seed = 10; seed < 14; ++seed) random_traffic(seed, false);
}

TEST(Gcm, StarvedInputsChangeNothing) {
  for (unsigned seed = 20; seed < 24; ++seed) random_traffic(seed, true);
}

TEST(Gcm, PacketsFollowWithoutAGap) {
  const unsigned seed = 30;
  SCOPED_TRACE(testing::Message() << "seed " << seed);
  Random random(seed);
  Stage stage;
  const Sa sa = random_sa(random, kAes256);
  stage.install(1, sa);
  EXPECT_EQ(stage.run(), 32u) << "a record takes 32 clocks";
  std::size_t beats = 0;
  for (int i = 0; i < 500; ++i) {
    const Packet packet = random_packet(random, 4 + 4 * (random() % 100));
    beats += beats_of(packet.text).size();
    stage.submit(1, sa, packet);
  }
  EXPECT_EQ(stage.run(), beats);
  EXPECT_EQ(stage.out.size(), beats);
  EXPECT_EQ(stage.verdicts.size(), 501u) << "csim has no latency: all came out in their own clock";
}

TEST(Gcm, RemovalWipesTheSlotAndNoOther) {
  const unsigned seed = 31;
  SCOPED_TRACE(testing::Message() << "seed " << seed);
  Random random(seed);
  Stage stage;
  const Sa gone = random_sa(random, kAes256), kept = random_sa(random, kAes192);
  stage.install(8, gone);
  stage.install(9, kept);
  stage.run();
  const AesKeystreamState& aes = stage.gcm_state().aes_keystream;
  const GhashState& ghash = stage.gcm_state().ghash;
  for (int i = 0; i < kRoundKeys; ++i) EXPECT_NE(aes.round_key[i].read(8), Block(0)) << i;
  stage.remove(8);
  stage.run();
  for (int i = 0; i < kRoundKeys; ++i) EXPECT_EQ(aes.round_key[i].read(8), Block(0)) << i;
  EXPECT_EQ(ghash.powers.read(16), BeatData(0));
  EXPECT_EQ(ghash.powers.read(17), BeatData(0));
  EXPECT_EQ(stage.gcm_state().gcm_frame.keys, BeatData(0)) << "the keys' way in is wiped too";
  while (!stage.verdicts.empty()) stage.verdicts.read();
  const Packet packet = random_packet(random, 100);
  const unsigned ticket = stage.submit(9, kept, packet);
  stage.run();
  expect_packet(stage, kept, packet, ticket);
}

}  // namespace
}  // namespace espalier::test

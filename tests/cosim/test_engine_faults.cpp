// SPDX-License-Identifier: BSD-2-Clause-Patent
// Random packets over four queues of the card as it ships, in peace and under each fault: every
// accepted job is answered once and in order, as software answers it or with a status that lets it
// run again in software; of what must run again the card has written nothing that the frozen job
// does not seal (no number seals two texts, D2); and of a packet with a wrong ICV no plaintext is
// found anywhere in host memory.
#include <algorithm>
#include <array>
#include <deque>
#include <functional>
#include <memory>
#include <ostream>
#include <string>
#include <vector>

#include "../driver/one_job.hpp"
#include "../driver/packets.hpp"
#include "card_fixture.hpp"
#include "espalier/driver/software.hpp"

namespace espalier::driver::test {
namespace {

constexpr Slot kSeal{3}, kOpen{16383};
constexpr Generation kGeneration{7};
constexpr std::size_t kMarker = 32;    // octets of plaintext that are looked for
constexpr unsigned kWindow = 120;      // jobs in flight at most
constexpr std::uint8_t kBlank = 0xa5;  // what a destination holds before its job

/// A job, and what software says to it.
struct Case {
  Job job;
  Bytes source;
  Outcome expected;
  Bytes hidden;  // plaintext that must not appear; empty if it may
};

struct Fault {
  const char* name;
  sim::Faults faults;
  bool perfect;  // the card is expected to answer everything itself
  unsigned jobs = 250;
  unsigned resets = 0;  // of the card, that it costs; the fault ends with the last of them
};
void PrintTo(const Fault& fault, std::ostream* out) {
  *out << fault.name;
}

class EngineFaults : public ::testing::TestWithParam<Fault> {
 protected:
  EngineFaults() : software_(make_software()) {
    sa_[0] = make_sa(suite("aes256gcm16"), random_);
    sa_[0].direction = Direction::seal;
    sa_[1] = sa_[0];
    sa_[1].direction = Direction::open;
    EXPECT_EQ(install(*software_, kSeal, kGeneration, sa_[0]), Status::ok);
    EXPECT_EQ(install(*software_, kOpen, kGeneration, sa_[1]), Status::ok);
  }

  Case make_case() {
    Case c;
    const Bytes clear = make_packet(Family::ipv4, 60 + random_.below(1400), random_);
    c.job = seal_job(sa_[0], clear, random_);
    c.job.slot = kSeal;
    c.job.generation = kGeneration;
    c.source = clear;
    if (random_.below(2) != 0) {
      c.source = run(*software_, c.job, clear).packet;
      c.job = open_job(sa_[1], c.job);
      c.job.slot = kOpen;
      c.job.generation = kGeneration;
      if (random_.below(4) == 0) {
        c.source[28 + random_.below(c.source.size() - 28)] ^= 1u << random_.below(8);
        const auto middle = clear.begin() + static_cast<std::ptrdiff_t>(clear.size() / 2);
        c.hidden.assign(middle - kMarker / 2, middle + kMarker / 2);
      }
    }
    c.expected = run(*software_, c.job, c.source);
    return c;
  }

  /// Fills the slots, again after a reset that wiped them.
  void fill_slots(Device& card) {
    if (card.health() > Health::suspect) return;
    if (card.slot_state(kSeal) == SlotState::empty) card.install(kSeal, kGeneration, sa_[0]);
    if (card.slot_state(kOpen) == SlotState::empty) card.install(kOpen, kGeneration, sa_[1]);
  }
  static bool filled(const Device& card) {
    return card.slot_state(kSeal) == SlotState::ready && card.slot_state(kOpen) == SlotState::ready;
  }

  Random random_;
  std::unique_ptr<Device> software_;
  std::array<SaParameters, 2> sa_;
};

/// A case under way: its buffers in the card's memory.
struct Flight {
  Case what;
  std::span<std::uint8_t> memory;
  Segment in, out;
};

TEST_P(EngineFaults, NothingLostDoubledReorderedOrShown) {
  SCOPED_TRACE(random_.replay());
  sim::CardOptions options;
  options.memory_bytes = 32u << 20;
  CardUnderTest card(options);
  ASSERT_TRUE(card.device);
  const unsigned queues = card->capabilities().queues;
  ASSERT_EQ(queues, 4u);
  for (unsigned i = 0; i < 20000 && !filled(*card.device); ++i) {
    fill_slots(*card.device);
    card->tick(Time{0});
  }
  ASSERT_TRUE(filled(*card.device));
  sim::Faults faults = GetParam().faults;
  const std::uint64_t now = card.simulation->cycles();
  if (faults.hang_at != 0) faults.hang_at += now;
  if (faults.reset_at != 0) faults.reset_at += now;
  card.simulation->set_faults(faults);

  std::vector<std::deque<Flight>> flying(queues);
  unsigned submitted = 0, answered = 0, own = 0, again = 0, resets = 0;
  bool resetting = false;
  std::vector<Bytes> hidden;
  const auto absent = [&](const Bytes& plaintext) {
    const auto memory = card.simulation->memory();
    return std::search(memory.begin(), memory.end(),
                       std::boyer_moore_horspool_searcher(plaintext.begin(), plaintext.end())) ==
           memory.end();
  };
  const auto check = [&](unsigned q, const Completion& c) {
    ASSERT_FALSE(flying[q].empty()) << "answered twice";
    const Flight f = std::move(flying[q].front());
    flying[q].pop_front();
    ASSERT_EQ(c.cookie, f.what.job.cookie) << "order within a queue, once each";
    ++answered;
    const bool seal = f.what.job.direction == Direction::seal;
    const Bytes& expected = f.what.expected.packet;
    if (spec::info(c.status).retry || c.status == Status::sa_gone) {
      ++again;
      // It runs again in software; the card may have written some of it, but nothing else.
      if (seal) {
        for (std::size_t i = 0; i < f.out.length; ++i)
          ASSERT_TRUE(f.out.data[i] == kBlank ||
                      (i < expected.size() && f.out.data[i] == expected[i]))
              << "octet " << i << " sealed under an IV that seals another";
      }
    } else {
      ++own;
      ASSERT_STREQ(spec::info(c.status).name, spec::info(f.what.expected.status).name);
      if (c.status == Status::ok) ASSERT_EQ(Bytes(f.out.data, f.out.data + c.length), expected);
    }
    if (!f.what.hidden.empty()) {
      ASSERT_TRUE(absent(f.what.hidden)) << "plaintext of a wrong ICV in host memory";
      hidden.push_back(f.what.hidden);
    }
    card->release(f.memory);
  };

  for (unsigned idle = 0; answered < GetParam().jobs && idle < 30000; ++idle) {
    fill_slots(*card.device);
    for (unsigned k = 0; k < 3 && submitted < GetParam().jobs && submitted - answered < kWindow;
         ++k) {
      if (!filled(*card.device)) break;
      Flight f;
      f.what = make_case();
      f.what.job.cookie = submitted;
      f.memory = card->allocate(4096);
      ASSERT_FALSE(f.memory.empty());
      std::uint8_t* const from = f.memory.data() + random_.below(64);
      std::uint8_t* const to = f.memory.data() + 2048 + random_.below(64);
      std::copy(f.what.source.begin(), f.what.source.end(), from);
      std::fill(to, to + 1900, kBlank);
      f.in = {from, static_cast<std::uint32_t>(f.what.source.size())};
      f.out = {to, 1900};
      f.what.job.source = {&f.in, 1};
      f.what.job.destination = {&f.out, 1};
      const auto q = static_cast<unsigned>(random_.below(queues));
      if (!card->submit_one(QueueId{static_cast<std::uint8_t>(q)}, f.what.job)) {
        card->release(f.memory);
        break;
      }
      ++submitted;
      flying[q].push_back(std::move(f));
    }
    for (unsigned q = 0; q < queues; ++q) {
      std::array<Completion, 16> done;
      const std::size_t n = card->poll(QueueId{static_cast<std::uint8_t>(q)}, done);
      for (std::size_t i = 0; i < n; ++i) ASSERT_NO_FATAL_FAILURE(check(q, done[i]));
      if (n != 0) idle = 0;
    }
    card->tick(Time{0});
    const bool reset = card->health() == Health::quarantined;
    if (reset && !resetting && ++resets == GetParam().resets) card.simulation->set_faults({});
    resetting = reset;
  }
  EXPECT_EQ(answered, GetParam().jobs) << "accepted jobs were lost";
  EXPECT_EQ(card.simulation->activity().stray_accesses, 0u);
  EXPECT_LE(resets, GetParam().resets);
  // A reset costs what is in flight; beside that a job has one or two bursts and a completion, and
  // each fails at a rate of 0.1 at most.
  EXPECT_GE(own + resets * kWindow + GetParam().jobs / 4, GetParam().jobs)
      << "the card does what it can";
  EXPECT_GT(hidden.size(), 5u);
  if (GetParam().perfect) {
    EXPECT_EQ(again, 0u);
  } else {
    EXPECT_GT(again, 0u) << "the fault struck";
    EXPECT_EQ(resets, GetParam().resets);
  }
  for (unsigned i = 0; i < 3000; ++i) card->tick(Time{0});  // whatever is late has landed
  for (const Bytes& plaintext : hidden) ASSERT_TRUE(absent(plaintext));
}

INSTANTIATE_TEST_SUITE_P(
    Each, EngineFaults,
    ::testing::Values(
        Fault{"none", {}, true}, Fault{"stall", {.stall = 0.3}, true},
        Fault{"delay_and_reorder", {.delay = 0.2, .reorder = true}, true},
        Fault{"torn_and_reordered_writes", {.torn_writes = true, .reordered_writes = true}, true},
        Fault{"lost_doorbell", {.lost_doorbell = 0.3}, true},
        Fault{"axi_error", {.read_error = 0.05, .write_error = 0.05}, false},
        Fault{"flipped_completion", {.completion_flip = 0.1}, false},
        Fault{"hang", {.hang_at = 4000, .hang_cycles = 30000}, false, 400, 1},
        Fault{"reset_in_flight", {.reset_at = 4000}, false, 400, 1},
        Fault{"late_write", {.late_write = 0.03, .late_cycles = 40000}, false, 400, 2}),
    [](const auto& info) { return std::string(info.param.name); });

}  // namespace
}  // namespace espalier::driver::test

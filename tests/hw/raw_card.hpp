// SPDX-License-Identifier: BSD-2-Clause-Patent
// A bare host for tests of the shell: rings and descriptors written by hand, so that a test can do
// what a driver never would.
#pragma once

#include <array>
#include <cstdint>
#include <cstring>
#include <optional>
#include <span>
#include <vector>

#include "card/random.hpp"
#include "card/simulated_card.hpp"
#include "espalier/spec/spec.h"

namespace espalier::test {

/// CRC-32C of a completion, bit by bit.
inline std::uint32_t completion_crc(const spec::Completion& c) {
  std::array<std::uint8_t, 16> octets;
  std::memcpy(octets.data(), &c, 16);
  std::uint32_t crc = ~0u;
  for (unsigned i = 0; i < 16; ++i) {
    if (i >= 8 && i < 12) continue;
    crc ^= octets[i];
    for (int k = 0; k < 8; ++k) crc = (crc >> 1) ^ ((crc & 1) != 0 ? 0x82f63b78u : 0u);
  }
  return ~crc;
}

struct RawQueue {
  unsigned number;
  unsigned log2;
  std::uint64_t submission, completion;  // offsets in host memory
  std::uint16_t head = 0, tail = 0;      // producer of submissions, consumer of completions
  std::uint16_t epoch = 7;
};

class RawCard {
 public:
  static constexpr std::uint64_t kIo = sim::SimulatedCard::kIoBase;
  static constexpr std::uint64_t kPayload = 1u << 20;  // offset of payload memory

  explicit RawCard(const sim::CardOptions& options) : card(options) {}

  std::uint32_t read(std::uint32_t offset) { return card.read_register(offset); }
  void write(std::uint32_t offset, std::uint32_t value) { card.write_register(offset, value); }
  std::uint32_t read(const RawQueue& q, std::uint32_t offset) {
    return read(spec::queue_register(q.number, offset));
  }
  void write(const RawQueue& q, std::uint32_t offset, std::uint32_t value) {
    write(spec::queue_register(q.number, offset), value);
  }

  bool wait_ready(unsigned cycles = 100000) {
    for (unsigned i = 0; i < cycles; i += 64) {
      if (read(spec::reg::state) & spec::kStateReady) return true;
      card.run(64);
    }
    return false;
  }

  /// Rings of 2^log2 entries each way, window over all host memory.
  RawQueue open_queue(unsigned number, unsigned log2 = 8) {
    RawQueue q{number, log2, number * 0x40000ull, number * 0x40000ull + 0x20000, 0, 0, 7};
    program(q);
    return q;
  }
  void program(RawQueue& q) {
    std::memset(card.memory().data() + q.submission, 0, 64ull << q.log2);
    std::memset(card.memory().data() + q.completion, 0, 16ull << q.log2);
    q.head = q.tail = 0;
    write(q, spec::reg::submission_base_lo, static_cast<std::uint32_t>(kIo + q.submission));
    write(q, spec::reg::submission_base_hi, static_cast<std::uint32_t>((kIo + q.submission) >> 32));
    write(q, spec::reg::completion_base_lo, static_cast<std::uint32_t>(kIo + q.completion));
    write(q, spec::reg::completion_base_hi, static_cast<std::uint32_t>((kIo + q.completion) >> 32));
    write(q, spec::reg::submission_log2, q.log2);
    write(q, spec::reg::completion_log2, q.log2);
    const std::uint64_t limit = kIo + card.memory().size();
    write(q, spec::reg::window_base_lo, static_cast<std::uint32_t>(kIo));
    write(q, spec::reg::window_base_hi, static_cast<std::uint32_t>(kIo >> 32));
    write(q, spec::reg::window_limit_lo, static_cast<std::uint32_t>(limit));
    write(q, spec::reg::window_limit_hi, static_cast<std::uint32_t>(limit >> 32));
    write(q, spec::reg::epoch, q.epoch);
    write(q, spec::reg::enable, 1);
  }

  std::uint8_t* payload(std::uint64_t offset) { return card.memory().data() + kPayload + offset; }
  static std::uint64_t address(std::uint64_t offset) { return kIo + kPayload + offset; }

  spec::Descriptor seal(const RawQueue& q, std::uint64_t source, std::uint64_t destination,
                        unsigned length, std::uint16_t tag) {
    spec::Descriptor d{};
    d.source_address = address(source);
    d.destination_address = address(destination);
    d.source_length = static_cast<std::uint16_t>(length);
    d.destination_length = static_cast<std::uint16_t>(length + 64);
    d.tag = tag;
    d.epoch = q.epoch;
    d.opcode = static_cast<std::uint8_t>(spec::Opcode::seal);
    d.ttl = 64;
    return d;
  }

  /// Puts an entry into the ring with the phase of this pass; publish() shows it to the card.
  template <class Entry>
  void put(RawQueue& q, Entry entry) {
    static_assert(sizeof(Entry) == 64);
    if ((q.head >> q.log2 & 1) == 0) entry.flags |= spec::kFlagPhase;
    std::memcpy(card.memory().data() + q.submission + 64ull * (q.head & ((1u << q.log2) - 1)),
                &entry, 64);
    ++q.head;
  }
  void publish(const RawQueue& q) { write(q, spec::reg::doorbell, q.head); }
  void credit(const RawQueue& q) { write(q, spec::reg::credit, q.tail); }

  /// The next completion, if it is there; checks nothing but its phase.
  std::optional<spec::Completion> take(RawQueue& q) {
    spec::Completion c;
    std::memcpy(&c, card.memory().data() + q.completion + 16ull * (q.tail & ((1u << q.log2) - 1)),
                16);
    if ((c.phase & 1) == (q.tail >> q.log2 & 1)) return std::nullopt;
    ++q.tail;
    return c;
  }
  std::optional<spec::Completion> wait(RawQueue& q, unsigned cycles = 20000) {
    for (unsigned i = 0; i < cycles; i += 16) {
      if (auto c = take(q)) return c;
      card.run(16);
    }
    return std::nullopt;
  }

  sim::SimulatedCard card;
};

}  // namespace espalier::test

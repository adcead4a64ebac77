// SPDX-License-Identifier: BSD-2-Clause-Patent
// Random traffic against the copying engine: what goes in, what must come out, nothing else
// touched.
#pragma once

#include <gtest/gtest.h>

#include <algorithm>
#include <deque>
#include <string>

#include "raw_card.hpp"

namespace espalier::test {

struct TrafficOptions {
  unsigned jobs = 400;
  unsigned queues = 4;
  unsigned max_length = 2000;
  unsigned max_segments = 1;  // per direction
  bool aligned = false;
  std::uint64_t seed = 1;
};

struct TrafficResult {
  unsigned ok = 0, read_errors = 0, write_errors = 0, damaged_completions = 0, wrong_data = 0,
           missing = 0;
  std::uint64_t cycles = 0;
};

class Traffic {
 public:
  Traffic(RawCard& host, const TrafficOptions& options)
      : host_(host), options_(options), random_(options.seed) {
    for (unsigned q = 0; q < options.queues; ++q) queues_.push_back(host.open_queue(q));
    waiting_.resize(options.queues);
    for (unsigned i = 0; i < kPlaces; ++i) free_.push_back(i);
  }

  TrafficResult run() {
    const auto start = host_.card.cycles();
    unsigned submitted = 0, idle = 0;
    while ((submitted < options_.jobs || outstanding() != 0) && idle < 3000) {
      for (unsigned k = random_.below(6); k > 0 && submitted < options_.jobs && !free_.empty();
           --k) {
        const unsigned q = static_cast<unsigned>(random_.below(queues_.size()));
        if (waiting_[q].size() > 30) continue;
        submit(q);
        ++submitted;
        if (random_.below(2) != 0) host_.publish(queues_[q]);
      }
      host_.card.run(1 + random_.below(60));
      const unsigned before = outstanding();
      for (unsigned q = 0; q < queues_.size(); ++q) {
        host_.publish(queues_[q]);
        while (auto c = host_.take(queues_[q])) check(q, *c);
        host_.credit(queues_[q]);
      }
      idle = outstanding() < before ? 0 : idle + 1;
    }
    result_.missing = outstanding();
    result_.cycles = host_.card.cycles() - start;
    return result_;
  }

 private:
  static constexpr unsigned kPlaces = 100, kPlaceBytes = 48 << 10, kHalf = kPlaceBytes / 2;
  static constexpr std::uint8_t kGuard = 0xa5;
  struct Part {
    std::uint64_t at;
    unsigned length;
  };
  struct Waiting {
    std::uint16_t tag;
    unsigned place, length;
    bool fails;
    std::vector<Part> source, destination;
  };

  unsigned outstanding() const {
    unsigned n = 0;
    for (const auto& w : waiting_) n += static_cast<unsigned>(w.size());
    return n;
  }

  std::vector<Part> cut(std::uint64_t at, unsigned length) {
    const unsigned n = 1 + static_cast<unsigned>(random_.below(options_.max_segments));
    std::vector<Part> parts;
    for (unsigned i = 0; i < n; ++i) {
      at += options_.aligned ? 0 : random_.below(200);
      const unsigned take = i + 1 == n ? length : static_cast<unsigned>(random_.below(length + 1));
      parts.push_back({at, take});
      at += take;
      length -= take;
    }
    return parts;
  }

  void submit(unsigned q) {
    Waiting w{};
    w.place = free_.front();
    free_.pop_front();
    w.length = 1 + static_cast<unsigned>(random_.below(options_.max_length));
    w.tag = tag_++;
    w.fails = random_.below(16) == 0;
    const std::uint64_t base = std::uint64_t{w.place} * kPlaceBytes;
    w.source = cut(base, w.length);
    w.destination = cut(base + kHalf, w.length + static_cast<unsigned>(random_.below(80)));
    std::uint8_t* memory = host_.payload(base);
    std::memset(memory, kGuard, kPlaceBytes);
    for (const Part& p : w.source)
      for (unsigned i = 0; i < p.length; ++i)
        host_.payload(p.at)[i] = static_cast<std::uint8_t>(random_.next());

    RawQueue& queue = queues_[q];
    spec::Descriptor d = host_.seal(queue, w.source[0].at, w.destination[0].at, w.length, w.tag);
    unsigned room = 0;
    for (const Part& p : w.destination) room += p.length;
    d.destination_length = static_cast<std::uint16_t>(room);
    if (w.fails) d.ttl = 1;
    const bool plain = w.source.size() == 1 && w.destination.size() == 1 && random_.below(4) != 0;
    if (!plain) d.flags |= spec::kFlagContinued;
    if (plain || w.source.size() + w.destination.size() == 2)
      d.flags &= static_cast<std::uint8_t>(~spec::kFlagContinued);
    host_.put(queue, d);
    if (d.flags & spec::kFlagContinued) put_continuations(queue, w);
    waiting_[q].push_back(std::move(w));
  }

  void put_continuations(RawQueue& queue, const Waiting& w) {
    std::vector<Part> rest(w.source.begin() + 1, w.source.end());
    rest.insert(rest.end(), w.destination.begin() + 1, w.destination.end());
    for (std::size_t at = 0; at < rest.size(); at += spec::kSegmentsPerContinuation) {
      spec::Continuation c{};
      for (std::size_t k = 0; k < spec::kSegmentsPerContinuation && at + k < rest.size(); ++k) {
        c.address[k] = RawCard::address(rest[at + k].at);
        c.length[k] = static_cast<std::uint16_t>(rest[at + k].length);
      }
      if (at == 0) {
        c.length[5] = static_cast<std::uint16_t>(w.source[0].length);
        c.length[6] = static_cast<std::uint16_t>(w.destination[0].length);
      }
      c.tag = w.tag;
      c.opcode = static_cast<std::uint8_t>(spec::Opcode::continuation);
      c.sources = static_cast<std::uint8_t>(w.source.size());
      c.destinations = static_cast<std::uint8_t>(w.destination.size());
      host_.put(queue, c);
    }
  }

  std::vector<std::uint8_t> gather(const std::vector<Part>& parts, unsigned length) {
    std::vector<std::uint8_t> all;
    for (const Part& p : parts)
      for (unsigned i = 0; i < p.length && all.size() < length; ++i)
        all.push_back(host_.payload(p.at)[i]);
    return all;
  }

  void check(unsigned q, const spec::Completion& c) {
    ASSERT_FALSE(waiting_[q].empty()) << "a completion nobody waits for: lost order or duplicate";
    const Waiting w = waiting_[q].front();
    waiting_[q].pop_front();
    free_.push_back(w.place);
    if (c.crc != completion_crc(c)) {
      ++result_.damaged_completions;
      return;
    }
    ASSERT_EQ(c.tag, w.tag) << "order";
    ASSERT_EQ(c.queue, q);
    const auto status = spec::status_from_code(c.status);
    unsigned written = 0;
    switch (status) {
      case spec::Status::ok:
        ASSERT_FALSE(w.fails);
        ASSERT_EQ(c.length, w.length);
        written = w.length;
        ++result_.ok;
        break;
      case spec::Status::icv_mismatch:
        ASSERT_TRUE(w.fails);
        break;
      case spec::Status::read_error:
        ++result_.read_errors;
        break;
      case spec::Status::write_error:
        ++result_.write_errors;
        return;
      default:
        FAIL() << spec::info(status).name;
    }
    if (gather(w.destination, written) != gather(w.source, written)) ++result_.wrong_data;
    // Behind and between the destination's segments nothing was touched.
    std::vector<bool> mine(kHalf);
    unsigned left = written;
    const std::uint64_t half = std::uint64_t{w.place} * kPlaceBytes + kHalf;
    for (const Part& p : w.destination)
      for (unsigned i = 0; i < p.length && left > 0; ++i, --left) mine[p.at - half + i] = true;
    for (unsigned i = 0; i < kHalf; ++i) {
      ASSERT_TRUE(mine[i] || host_.payload(half)[i] == kGuard)
          << "octet " << i << " of the destination's surroundings was written";
    }
  }

  RawCard& host_;
  TrafficOptions options_;
  sim::Random random_;
  std::vector<RawQueue> queues_;
  std::vector<std::deque<Waiting>> waiting_;
  std::deque<unsigned> free_;
  std::uint16_t tag_ = 0;
  TrafficResult result_;
};

}  // namespace espalier::test

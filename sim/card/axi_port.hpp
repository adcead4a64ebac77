// SPDX-License-Identifier: BSD-2-Clause-Patent
// The host side of one AXI4 master port: host memory behind a link, with latency and faults.
//
// A cycle is: drive() sets what the card will see, then the model is evaluated, then sample() takes
// what was handed over at the clock edge.  Bursts are INCR of 64-byte beats within one 4 KiB page;
// anything else is a mistake of the card and thrown as std::logic_error.
#pragma once

#include <array>
#include <cstdint>
#include <deque>
#include <span>
#include <vector>

#include "card/link.hpp"
#include "card/options.hpp"
#include "card/random.hpp"

namespace espalier::sim {

inline constexpr unsigned kBeat = 64;

/// The signals of a port, as the card drives them and as the port answers; wide ones by pointer
/// into the model.
struct AxiSignals {
  struct Address {
    bool valid;
    std::uint64_t addr;
    std::uint8_t id, len;
  };
  Address ar{}, aw{};  // from the card
  bool w_valid = false, w_last = false;
  std::uint64_t w_strb = 0;
  const std::uint32_t* w_data = nullptr;

  bool ar_ready = false, aw_ready = false, w_ready = false;  // to the card
  bool r_valid = false, r_last = false, b_valid = false;
  std::uint8_t r_id = 0, r_resp = 0, b_resp = 0, b_id = 0;
  std::array<std::uint32_t, 16> r_data{};
};

class AxiPort {
 public:
  enum class Kind { ring, data };
  /// `memory` is what the card sees from IO address `base` on.
  AxiPort(Kind kind, std::span<std::uint8_t> memory, std::uint64_t base, Link& link,
          const Faults& faults, std::uint64_t seed);

  void drive(AxiSignals& s, std::uint64_t now);
  void sample(const AxiSignals& s, std::uint64_t now);
  void set_faults(const Faults& faults) { faults_ = faults; }

  unsigned reads_in_flight() const { return static_cast<unsigned>(reads_.size()); }
  unsigned writes_in_flight() const {
    return static_cast<unsigned>(writes_.size() + landing_.size());
  }
  std::uint64_t stray_accesses() const { return stray_; }  ///< Outside host memory.

 private:
  struct Read {
    std::uint64_t addr, due;
    unsigned beats, given = 0;
    std::uint8_t id;
    bool error;
  };
  struct Piece {
    std::uint64_t addr;
    std::uint64_t strb;
    std::array<std::uint8_t, kBeat> data;
  };
  struct Early {
    Piece piece;
    bool last;
  };
  struct Write {
    std::uint64_t addr;
    unsigned beats;
    std::uint8_t id;
    std::uint64_t due = 0;   // of the response
    std::uint64_t land = 0;  // of the data
    bool error = false, landed = false;
    std::vector<Piece> pieces;
  };

  bool inside(std::uint64_t addr, std::uint64_t bytes) const;
  void accept_read(const AxiSignals::Address& a, std::uint64_t now);
  void accept_write_beat(const AxiSignals& s);
  void match_writes(std::uint64_t now);
  void finish_write(Write& write, std::uint64_t now);
  void land(std::uint64_t now);
  void put(const Piece& piece);
  void choose_read(std::uint64_t now);
  bool hung(std::uint64_t now) const;
  unsigned write_cost(const Write& write) const;

  Kind kind_;
  std::span<std::uint8_t> memory_;
  std::uint64_t base_;
  Link& link_;
  Faults faults_;
  Random random_;
  std::deque<Read> reads_;
  std::deque<Write> writes_;                          // announced, data not complete
  std::deque<Write> landing_;                         // data complete, waiting for response
  std::deque<std::pair<std::uint64_t, Piece>> torn_;  // pieces on their way, with their time
  std::deque<Early> early_;                           // data beats without their address
  std::size_t reading_ = 0;                           // index in reads_ of the burst on R
  bool have_reading_ = false;
  std::uint64_t stray_ = 0;
};

}  // namespace espalier::sim

// SPDX-License-Identifier: BSD-2-Clause-Patent
#include "card/axi_port.hpp"

#include <algorithm>
#include <bit>
#include <cstring>
#include <stdexcept>

namespace espalier::sim {

namespace {
constexpr std::size_t kMaxReads = 512;  // bursts the host takes before it is full
constexpr std::size_t kMaxWrites = 512;
constexpr std::uint8_t kSlaveError = 2, kDecodeError = 3;

unsigned pieces_of(unsigned bytes, unsigned limit) {
  return (bytes + limit - 1) / limit;
}
}  // namespace

LinkLoad LinkProfile::load_of(unsigned source_bytes, unsigned result_bytes) const {
  if (bytes_per_cycle == 0) {
    return {static_cast<double>(pieces_of(result_bytes, kBeat)),
            static_cast<double>(pieces_of(source_bytes, kBeat))};
  }
  const unsigned read = pieces_of(source_bytes, kBeat) * kBeat;
  const double down = read + pieces_of(read, max_payload) * completion_overhead + 64 +
                      64.0 * completion_overhead / max_payload;
  const double up = result_bytes + pieces_of(result_bytes, max_payload) * write_overhead +
                    pieces_of(read, max_read_request) * request_overhead +
                    64.0 * request_overhead / max_read_request + (64.0 + write_overhead) / 4;
  return {up / bytes_per_cycle, down / bytes_per_cycle};
}

AxiPort::AxiPort(Kind kind, std::span<std::uint8_t> memory, std::uint64_t base, Link& link,
                 const Faults& faults, std::uint64_t seed)
    : kind_(kind), memory_(memory), base_(base), link_(link), faults_(faults), random_(seed) {}

bool AxiPort::inside(std::uint64_t addr, std::uint64_t bytes) const {
  return addr >= base_ && addr - base_ <= memory_.size() &&
         memory_.size() - (addr - base_) >= bytes;
}

bool AxiPort::hung(std::uint64_t now) const {
  return faults_.hang_at != 0 && now >= faults_.hang_at &&
         now - faults_.hang_at < faults_.hang_cycles;
}

/// Decides which burst gives its next beat.  Within an ID the order of requests holds.
void AxiPort::choose_read(std::uint64_t now) {
  have_reading_ = false;
  if (reads_.empty() || !link_.down_free()) return;
  if (!faults_.reorder) {
    reading_ = 0;
    have_reading_ = reads_.front().due <= now;
    return;
  }
  const std::size_t start = random_.below(reads_.size());
  for (std::size_t k = 0; k < reads_.size() && k < 8; ++k) {
    const std::size_t i = (start + k) % reads_.size();
    if (reads_[i].due > now) continue;
    const bool oldest =
        std::none_of(reads_.begin(), reads_.begin() + static_cast<std::ptrdiff_t>(i),
                     [&](const Read& r) { return r.id == reads_[i].id; });
    if (!oldest) continue;
    reading_ = i;
    have_reading_ = true;
    return;
  }
}

void AxiPort::drive(AxiSignals& s, std::uint64_t now) {
  const bool hang = hung(now);
  s.ar_ready =
      !hang && reads_.size() < kMaxReads && link_.up_free() && !random_.chance(faults_.stall);
  s.aw_ready =
      !hang && writes_.size() + landing_.size() < kMaxWrites && !random_.chance(faults_.stall);
  s.w_ready = !hang && link_.up_free() && !random_.chance(faults_.stall);

  choose_read(now);
  s.r_valid = !hang && have_reading_ && !random_.chance(faults_.stall);
  if (s.r_valid) {
    const Read& r = reads_[reading_];
    const std::uint64_t addr = r.addr + std::uint64_t{r.given} * kBeat;
    s.r_id = r.id;
    s.r_last = r.given + 1 == r.beats;
    if (inside(addr, kBeat)) {
      s.r_resp = r.error ? kSlaveError : 0;
      std::memcpy(s.r_data.data(), memory_.data() + (addr - base_), kBeat);
    } else {
      s.r_resp = kDecodeError;
      s.r_data.fill(0xdeadbeef);
    }
  }

  land(now);
  // Responses in order: all writes of a port carry one ID.
  s.b_valid = !hang && !landing_.empty() && landing_.front().due <= now &&
              landing_.front().landed && !random_.chance(faults_.stall);
  if (s.b_valid) {
    s.b_resp = landing_.front().error ? kSlaveError : 0;
    s.b_id = landing_.front().id;
  }
}

void AxiPort::sample(const AxiSignals& s, std::uint64_t now) {
  if (s.r_valid) {  // the card never refuses
    Read& r = reads_[reading_];
    const LinkProfile& p = link_.profile();
    const bool starts_tlp =
        r.given == 0 || (r.addr / kBeat + r.given) % (p.max_payload / kBeat) == 0;
    link_.send_down(kBeat + (starts_tlp ? p.completion_overhead : 0));
    if (++r.given == r.beats) reads_.erase(reads_.begin() + static_cast<std::ptrdiff_t>(reading_));
  }
  if (s.b_valid) landing_.pop_front();
  if (s.ar.valid && s.ar_ready) accept_read(s.ar, now);
  if (s.aw.valid && s.aw_ready) {
    const unsigned beats = s.aw.len + 1u;
    if (s.aw.addr % kBeat != 0 || s.aw.addr % 4096 + beats * kBeat > 4096)
      throw std::logic_error("the card issued a write burst that is unaligned or crosses 4 KiB");
    Write w{};
    w.addr = s.aw.addr;
    w.beats = beats;
    w.id = s.aw.id;
    writes_.push_back(std::move(w));
  }
  if (s.w_valid && s.w_ready) accept_write_beat(s);
  match_writes(now);
}

void AxiPort::accept_read(const AxiSignals::Address& a, std::uint64_t now) {
  const unsigned beats = a.len + 1u;
  if (a.addr % kBeat != 0 || a.addr % 4096 + beats * kBeat > 4096)
    throw std::logic_error("the card issued a read burst that is unaligned or crosses 4 KiB");
  if (!inside(a.addr, beats * kBeat)) ++stray_;
  Read r{a.addr, now + link_.profile().latency, beats, 0, a.id, false};
  if (random_.chance(faults_.delay)) r.due += random_.below(faults_.delay_cycles) + 1;
  r.error = kind_ == Kind::data && random_.chance(faults_.read_error);
  link_.send_up(pieces_of(beats * kBeat, link_.profile().max_read_request) *
                link_.profile().request_overhead);
  reads_.push_back(r);
}

void AxiPort::accept_write_beat(const AxiSignals& s) {
  Early beat;
  beat.last = s.w_last;
  beat.piece.addr = 0;
  beat.piece.strb = s.w_strb;
  std::memcpy(beat.piece.data.data(), s.w_data, kBeat);
  link_.send_up(static_cast<unsigned>(std::popcount(s.w_strb)));
  early_.push_back(beat);
}

/// Gives beats to announced bursts; either may come first.
void AxiPort::match_writes(std::uint64_t now) {
  while (!writes_.empty() && !early_.empty()) {
    Write& w = writes_.front();
    Early& beat = early_.front();
    beat.piece.addr = w.addr + w.pieces.size() * kBeat;
    w.pieces.push_back(beat.piece);
    const bool whole = w.pieces.size() == w.beats;
    if (beat.last != whole) throw std::logic_error("the card set WLAST on the wrong beat");
    early_.pop_front();
    if (!whole) continue;
    finish_write(w, now);
    landing_.push_back(std::move(w));
    writes_.pop_front();
  }
}

unsigned AxiPort::write_cost(const Write& write) const {
  unsigned tlps = 0;
  std::uint64_t last = ~0ull;
  for (const Piece& p : write.pieces) {
    if (p.strb == 0) continue;
    const std::uint64_t tlp = p.addr / link_.profile().max_payload;
    tlps += tlp != last;
    last = tlp;
  }
  return tlps * link_.profile().write_overhead;
}

/// The burst's data are complete: decides when and how they land.
void AxiPort::finish_write(Write& w, std::uint64_t now) {
  link_.send_up(write_cost(w));
  const unsigned latency = link_.profile().latency;
  w.land = now + latency / 2;
  if (faults_.reordered_writes) w.land += random_.below(latency);
  if (kind_ == Kind::data && random_.chance(faults_.late_write)) w.land += faults_.late_cycles;
  if (random_.chance(faults_.delay)) w.land += random_.below(faults_.delay_cycles) + 1;
  w.due = std::max(now + latency, w.land + 1);
  w.error = kind_ == Kind::data && random_.chance(faults_.write_error);
  const double flip = kind_ == Kind::ring ? faults_.completion_flip : faults_.payload_flip;
  if (random_.chance(flip)) {
    Piece& p = w.pieces[random_.below(w.pieces.size())];
    if (p.strb != 0) {
      unsigned byte;
      do byte = static_cast<unsigned>(random_.below(kBeat));
      while ((p.strb >> byte & 1) == 0);
      p.data[byte] ^= static_cast<std::uint8_t>(1u << random_.below(8));
    }
  }
  if (faults_.torn_writes) {
    for (const Piece& p : w.pieces) {
      for (unsigned word = 0; word < kBeat / 8; ++word) {
        Piece part = p;
        part.strb &= 0xffull << (8 * word);
        if (part.strb != 0 && !w.error)
          torn_.emplace_back(w.land - random_.below(latency / 2), part);
      }
    }
    w.pieces.clear();
  }
}

void AxiPort::put(const Piece& p) {
  if (p.strb == 0) return;
  if (!inside(p.addr, kBeat)) {
    ++stray_;
    return;
  }
  std::uint8_t* to = memory_.data() + (p.addr - base_);
  if (p.strb == ~0ull) {
    std::memcpy(to, p.data.data(), kBeat);
  } else {
    for (unsigned i = 0; i < kBeat; ++i)
      if (p.strb >> i & 1) to[i] = p.data[i];
  }
}

void AxiPort::land(std::uint64_t now) {
  if (!torn_.empty()) {
    std::erase_if(torn_, [&](const auto& piece) {
      if (piece.first > now) return false;
      put(piece.second);
      return true;
    });
  }
  for (Write& w : landing_) {
    if (!faults_.reordered_writes && w.land > now) break;
    if (w.landed || w.land > now) continue;
    if (!w.error)
      for (const Piece& p : w.pieces) put(p);
    w.pieces.clear();
    w.landed = true;
  }
}

}  // namespace espalier::sim

// SPDX-License-Identifier: BSD-2-Clause-Patent
#include "backend/timing.hpp"

#include <algorithm>

namespace espalier::backend {

using hwir::Node;
using hwir::NodeId;
using hwir::Op;
using hwir::Seg;
using hwir::Value;

namespace {

constexpr int kMultiplierLevels = 4;  ///< a DSP or its LUTs: a stage of its own
constexpr unsigned kShortAdder =
    3;  ///< up to this many bits an adder is logic, beyond a carry chain

/// Adds an input unless it is there; false if it doesn't fit.
bool addInput(Arrival& lut, uint32_t id) {
  const auto end = lut.input.begin() + lut.inputs;
  if (std::find(lut.input.begin(), end, id) != end) return true;
  if (lut.inputs == kLutInputs) return false;
  lut.input[lut.inputs++] = id;
  return true;
}

/// Merges `from` into `lut`, a LUT of level `lut.level`: as one of its inputs, or, if `from` comes
/// out of a LUT of the same level, by taking over that LUT's inputs.
bool absorb(Arrival& lut, const Arrival& from) {
  if (from.isConstant()) return true;
  if (from.level < lut.level) return addInput(lut, from.id);
  if (from.opaque) return false;
  for (unsigned i = 0; i < from.inputs; i++) {
    if (!addInput(lut, from.input[i])) return false;
  }
  return true;
}

}  // namespace

Timing::Timing(const hwir::Module& module, const Stages& stages) : m_(module), stages_(stages) {
  uint32_t bits = 1;  // bit 0 is the constant
  for (const Node& n : m_.nodes) {
    base_.push_back(bits);
    bits += n.width;
  }
  arrivals_.resize(bits);
  next_id_ = bits;
}

Arrival Timing::seen(const Seg& seg, unsigned bit, int stage) const {
  if (seg.isConstant()) return {};
  const uint32_t at = base_[seg.node] + seg.lo + bit;
  if (stages_[seg.node] == stage) return arrivals_[at];
  Arrival reg;  // from an earlier stage: out of a register
  reg.inputs = 1;
  reg.id = reg.input[0] = at;
  return reg;
}

std::vector<Arrival> Timing::seen(const Value& value, int stage) const {
  std::vector<Arrival> r;
  r.reserve(value.width());
  for (const Seg& seg : value.segs()) {
    for (unsigned i = 0; i < seg.width; i++) r.push_back(seen(seg, i, stage));
  }
  return r;
}

int Timing::level(NodeId id) const {
  int r = 0;
  for (unsigned i = 0; i < m_.nodes[id].width; i++) {
    r = std::max<int>(r, arrivals_[base_[id] + i].level);
  }
  return r;
}

int Timing::level(const Value& value, int stage) const {
  return cost(value, stage).first;
}

std::pair<int, int> Timing::cost(const Value& value, int stage) const {
  std::pair<int, int> worst{0, 0};
  for (const Seg& seg : value.segs()) {
    for (unsigned i = 0; i < seg.width; i++) {
      const Arrival a = seen(seg, i, stage);
      worst = std::max(worst, std::pair<int, int>(a.level, a.level ? a.inputs : 1));
    }
  }
  return worst;
}

/// Any function of the given bits, as one LUT on top of theirs.
Arrival Timing::merge(std::vector<Arrival> from, uint32_t id) const {
  std::erase_if(from, [](const Arrival& a) { return a.isConstant(); });
  if (from.empty()) return {};
  if (from.size() == 1) return from[0];
  int level = 0;
  for (const Arrival& a : from) level = std::max<int>(level, a.level);
  for (int at = std::max(level, 1); at <= level + 1; at++) {
    Arrival lut;
    lut.level = static_cast<uint8_t>(at);
    lut.id = id;
    if (std::all_of(from.begin(), from.end(), [&](const Arrival& a) { return absorb(lut, a); })) {
      return lut;
    }
  }
  return opaque(level + 2, id);
}

/// An associative function (AND, OR, XOR) of many bits: LUTs filled level by level.
Arrival Timing::reduce(std::vector<Arrival> from, uint32_t id) {
  std::erase_if(from, [](const Arrival& a) { return a.isConstant(); });
  if (from.empty()) return {};
  int level = 255;
  for (const Arrival& a : from) level = std::min<int>(level, a.level);
  for (level = std::max(level, 1); from.size() > 1; level++) {
    std::vector<Arrival> luts, later;
    std::sort(from.begin(), from.end(), [](const Arrival& a, const Arrival& b) {
      return std::pair(b.level, a.id) < std::pair(a.level, b.id);
    });
    for (const Arrival& a : from) {
      if (a.level > level || (a.level == level && a.opaque)) {
        later.push_back(a);
        continue;
      }
      const auto fits = [&](Arrival& lut) {
        Arrival trial = lut;
        if (!absorb(trial, a)) return false;
        lut = trial;
        return true;
      };
      if (std::any_of(luts.begin(), luts.end(), fits)) continue;
      Arrival lut;
      lut.level = static_cast<uint8_t>(level);
      lut.id = next_id_++;
      absorb(lut, a);
      luts.push_back(lut);
    }
    // A LUT with a single input is just that input, one level earlier.
    from = std::move(later);
    from.insert(from.end(), luts.begin(), luts.end());
  }
  from[0].id = id;
  return from[0];
}

Arrival Timing::opaque(int level, uint32_t id) const {
  Arrival r;
  r.level = static_cast<uint8_t>(level);
  r.opaque = true;
  r.inputs = 1;
  r.id = r.input[0] = id;
  return r;
}

/// One bit of a variable shift: a mux of the positions it may come from.
Arrival Timing::shifted(const std::vector<Arrival>& data, const Node& n,
                        const std::vector<Arrival>& amount, unsigned bit, uint32_t id) const {
  std::vector<unsigned> select;
  for (unsigned i = 0; i < amount.size(); i++) {
    if (!amount[i].isConstant()) select.push_back(i);
  }
  std::vector<Arrival> from;
  for (uint64_t k = 0; k < uint64_t{1} << select.size(); k++) {
    uint64_t distance = 0;  // the builder leaves only zeros between the variable bits
    for (unsigned i = 0; i < select.size(); i++) distance |= (k >> i & 1) << select[i];
    const uint64_t source = n.op == Op::kShl ? bit - distance : bit + distance;
    if (source < data.size() && !data[source].isConstant()) from.push_back(data[source]);
  }
  for (unsigned i : select) from.push_back(amount[i]);
  if (from.size() <= kLutInputs) return merge(from, id);
  int level = 0;
  for (const Arrival& a : from) level = std::max<int>(level, a.level);
  return opaque(level + (select.size() > 2 ? 2 : 1), id);
}

void Timing::compute(NodeId id) {
  computeBits(m_.nodes[id], base_[id], stages_[id]);
}

void Timing::computeBits(const Node& n, uint32_t base, int stage) {
  std::vector<std::vector<Arrival>> in;
  for (const Value& v : n.operands) in.push_back(seen(v, stage));
  int level = 0;
  for (const auto& bits : in) {
    for (const Arrival& a : bits) level = std::max<int>(level, a.level);
  }
  const auto set = [&](unsigned bit, const Arrival& a) { arrivals_[base + bit] = a; };
  switch (n.op) {
    case Op::kRegister:
    case Op::kEmpty:
    case Op::kStreamRead:
    case Op::kMemRead:
      for (unsigned i = 0; i < n.width; i++) {
        Arrival reg;
        reg.inputs = 1;
        reg.id = reg.input[0] = base + i;
        set(i, reg);
      }
      return;
    case Op::kNot:
      for (unsigned i = 0; i < n.width; i++) set(i, in[0][i]);
      return;
    case Op::kAnd:
    case Op::kOr:
    case Op::kXor:
    case Op::kMux:
      for (unsigned i = 0; i < n.width; i++) {
        std::vector<Arrival> from;
        for (const auto& bits : in) from.push_back(bits.size() == n.width ? bits[i] : bits[0]);
        const bool many = from.size() > 2 && n.op != Op::kMux;
        set(i, many ? reduce(std::move(from), base + i) : merge(std::move(from), base + i));
      }
      return;
    case Op::kAdd:
    case Op::kSub: {
      std::vector<Arrival> below;
      int deepest = 0;
      for (unsigned i = 0; i < n.width; i++) {
        for (const auto& bits : in) {
          deepest = std::max<int>(deepest, bits[i].level);
          below.push_back(bits[i]);
        }
        const bool chain = n.width > kShortAdder;
        set(i, chain ? opaque(deepest + 1, base + i) : merge(below, base + i));
      }
      return;
    }
    case Op::kMul:
      for (unsigned i = 0; i < n.width; i++) set(i, opaque(level + kMultiplierLevels, base + i));
      return;
    case Op::kEq: {
      std::vector<Arrival> pairs;
      for (unsigned i = 0; i < in[0].size(); i++) {
        pairs.push_back(merge({in[0][i], in[1][i]}, next_id_));
        next_id_++;
      }
      set(0, reduce(std::move(pairs), base));
      return;
    }
    case Op::kUlt: {
      std::vector<Arrival> from;
      for (const auto& bits : in) from.insert(from.end(), bits.begin(), bits.end());
      if (in[0].size() <= kShortAdder) {
        set(0, merge(from, base));
        return;
      }
      Arrival carry = opaque(level + 2, base);  // the chain, and a LUT that takes its last carry
      carry.opaque = false;
      set(0, carry);
      return;
    }
    case Op::kShl:
    case Op::kLshr:
      for (unsigned i = 0; i < n.width; i++) set(i, shifted(in[0], n, in[1], i, base + i));
      return;
    case Op::kRom: {
      std::vector<Arrival> from = in[0];
      std::erase_if(from, [](const Arrival& a) { return a.isConstant(); });
      const int wide = static_cast<int>(from.size());
      const int extra = wide <= 8 ? 2 : 2 + (wide - 7) / 2;
      for (unsigned i = 0; i < n.width; i++) {
        set(i, wide <= 6 ? merge(from, base + i) : opaque(level + extra, base + i));
      }
      return;
    }
  }
}

}  // namespace espalier::backend

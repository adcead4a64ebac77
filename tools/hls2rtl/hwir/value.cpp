// SPDX-License-Identifier: BSD-2-Clause-Patent
#include <algorithm>
#include <cassert>

#include "hwir/hwir.hpp"

namespace espalier::hwir {

Value::Value(Bits constant) {
  Seg seg;
  seg.width = constant.width();
  seg.bits = std::move(constant);
  push(seg);
}

Value::Value(NodeId node, unsigned lo, unsigned width) {
  push(Seg{node, lo, width, {}});
}

void Value::push(const Seg& seg) {
  if (seg.width == 0) return;
  width_ += seg.width;
  if (!segs_.empty()) {
    Seg& last = segs_.back();
    if (last.isConstant() && seg.isConstant()) {
      last.bits = last.bits.append(seg.bits);
      last.width += seg.width;
      return;
    }
    if (!seg.isConstant() && last.node == seg.node && last.lo + last.width == seg.lo) {
      last.width += seg.width;
      return;
    }
  }
  segs_.push_back(seg);
}

Value Value::slice(unsigned lo, unsigned width) const {
  assert(lo + width <= width_);
  Value r;
  unsigned at = 0;
  for (const Seg& seg : segs_) {
    const unsigned from = std::max(lo, at);
    const unsigned to = std::min(lo + width, at + seg.width);
    if (from < to) {
      Seg part{seg.node, seg.lo + from - at, to - from, {}};
      if (seg.isConstant()) {
        part.lo = 0;
        part.bits = seg.bits.slice(from - at, to - from);
      }
      r.push(part);
    }
    at += seg.width;
    if (at >= lo + width) break;
  }
  return r;
}

Value Value::append(const Value& high) const {
  Value r = *this;
  for (const Seg& seg : high.segs_) r.push(seg);
  return r;
}

Value Value::zext(unsigned width) const {
  assert(width >= width_);
  return append(Value(Bits(width - width_)));
}

Value Value::sext(unsigned width) const {
  assert(width >= width_ && width_ > 0);
  Value r = *this;
  const Value sign = bit(width_ - 1);
  while (r.width() < width) r = r.append(sign);
  return r;
}

Value Value::shlConst(unsigned amount) const {
  if (amount >= width_) return Value(Bits(width_));
  return Value(Bits(amount)).append(slice(0, width_ - amount));
}

Value Value::lshrConst(unsigned amount) const {
  if (amount >= width_) return Value(Bits(width_));
  return slice(amount, width_ - amount).zext(width_);
}

size_t Value::hash() const {
  size_t h = width_;
  for (const Seg& seg : segs_) {
    const size_t part = seg.isConstant() ? seg.bits.hash() : seg.node * 0x100000001b3U + seg.lo;
    h = (h ^ part) * 0x9e3779b97f4a7c15U + seg.width;
  }
  return h;
}

}  // namespace espalier::hwir

// SPDX-License-Identifier: BSD-2-Clause-Patent
#include "frontend/arithmetic.hpp"

#include <llvm/IR/Constants.h>
#include <llvm/IR/Instructions.h>
#include <llvm/IR/IntrinsicInst.h>

namespace espalier::frontend {

using llvm::Instruction;

namespace {

unsigned log2Of(const llvm::Value* v) {
  return llvm::cast<llvm::ConstantInt>(v)->getValue().logBase2();
}

/// The pieces of `size` bits in reverse order.
hwir::Value reversed(const hwir::Value& a, unsigned size) {
  hwir::Value r;
  for (unsigned lo = a.width(); lo > 0; lo -= size) r = r.append(a.slice(lo - size, size));
  return r;
}

}  // namespace

std::optional<hwir::Value> Arithmetic::translate(const Instruction& i,
                                                 const std::vector<Value>& v) {
  const unsigned width = i.getType()->isIntegerTy() ? i.getType()->getIntegerBitWidth() : 0;
  switch (i.getOpcode()) {
    case Instruction::And:
      return b_.andOf(v[0], v[1]);
    case Instruction::Or:
      return b_.orOf(v[0], v[1]);
    case Instruction::Xor:
      return b_.xorOf(v[0], v[1]);
    case Instruction::Add:
      return b_.add(v[0], v[1]);
    case Instruction::Sub:
      return b_.sub(v[0], v[1]);
    case Instruction::Mul:
      return b_.mul(v[0], v[1]);
    case Instruction::Shl:
      return b_.shl(v[0], v[1]);
    case Instruction::LShr:
      return b_.lshr(v[0], v[1]);
    case Instruction::AShr:
      return b_.ashr(v[0], v[1]);
    case Instruction::UDiv:  // the subset checker lets only powers of two through
      return v[0].lshrConst(log2Of(i.getOperand(1)));
    case Instruction::URem:
      return v[0].slice(0, log2Of(i.getOperand(1))).zext(width);
    case Instruction::Trunc:
      return v[0].slice(0, width);
    case Instruction::ZExt:
      return v[0].zext(width);
    case Instruction::SExt:
      return v[0].sext(width);
    case Instruction::Freeze:
      return v[0];
    case Instruction::ICmp:
      if (v[0].width() == 0) return std::nullopt;
      return compare(llvm::cast<llvm::ICmpInst>(i), v[0], v[1]);
    case Instruction::Call:
      if (const auto* call = llvm::dyn_cast<llvm::IntrinsicInst>(&i)) return intrinsic(*call, v);
      return std::nullopt;
    default:
      return std::nullopt;
  }
}

hwir::Value Arithmetic::compare(const llvm::ICmpInst& compare, const Value& a, const Value& b) {
  switch (compare.getPredicate()) {
    case llvm::CmpInst::ICMP_EQ:
      return b_.eq(a, b);
    case llvm::CmpInst::ICMP_NE:
      return b_.ne(a, b);
    case llvm::CmpInst::ICMP_ULT:
      return b_.ult(a, b);
    case llvm::CmpInst::ICMP_UGT:
      return b_.ult(b, a);
    case llvm::CmpInst::ICMP_ULE:
      return b_.notOf(b_.ult(b, a));
    case llvm::CmpInst::ICMP_UGE:
      return b_.notOf(b_.ult(a, b));
    case llvm::CmpInst::ICMP_SLT:
      return b_.slt(a, b);
    case llvm::CmpInst::ICMP_SGT:
      return b_.slt(b, a);
    case llvm::CmpInst::ICMP_SLE:
      return b_.notOf(b_.slt(b, a));
    default:
      return b_.notOf(b_.slt(a, b));
  }
}

std::optional<hwir::Value> Arithmetic::intrinsic(const llvm::IntrinsicInst& call,
                                                 const std::vector<Value>& v) {
  namespace I = llvm::Intrinsic;
  switch (call.getIntrinsicID()) {
    case I::bswap:
      return reversed(v[0], 8);
    case I::bitreverse:
      return reversed(v[0], 1);
    case I::fshl:
      return funnel(v[0], v[1], v[2], true);
    case I::fshr:
      return funnel(v[0], v[1], v[2], false);
    case I::umin:
      return b_.mux(b_.ult(v[0], v[1]), v[0], v[1]);
    case I::umax:
      return b_.mux(b_.ult(v[0], v[1]), v[1], v[0]);
    case I::smin:
      return b_.mux(b_.slt(v[0], v[1]), v[0], v[1]);
    case I::smax:
      return b_.mux(b_.slt(v[0], v[1]), v[1], v[0]);
    case I::abs: {
      const Value zero = Value::constant(v[0].width(), 0);
      return b_.mux(v[0].bit(v[0].width() - 1), b_.sub(zero, v[0]), v[0]);
    }
    case I::usub_sat:
      return b_.mux(b_.ult(v[0], v[1]), Value::constant(v[0].width(), 0), b_.sub(v[0], v[1]));
    case I::uadd_sat: {
      const Value sum = b_.add(v[0].zext(v[0].width() + 1), v[1].zext(v[0].width() + 1));
      const Value top = Value(hwir::Bits::ones(v[0].width()));
      return b_.mux(sum.bit(v[0].width()), top, sum.slice(0, v[0].width()));
    }
    case I::ctpop:
      return countOnes(v[0]);
    case I::cttz:
      return trailingZeros(v[0]);
    case I::ctlz:
      return trailingZeros(reversed(v[0], 1));
    default:
      return std::nullopt;
  }
}

/// {high, low} shifted by amount modulo the width; the upper or the lower half of it.
std::optional<hwir::Value> Arithmetic::funnel(const Value& high, const Value& low,
                                              const Value& amount, bool left) {
  const unsigned w = high.width();
  const Value both = low.append(high);
  if (amount.isConstant()) {
    const unsigned n = unsigned(amount.bits().low64() % w);
    return both.slice(left ? w - n : n, w);
  }
  if (w & (w - 1)) return std::nullopt;  // modulo by something else than a power of two
  const Value n = amount.slice(0, hwir::addrWidth(w));
  return left ? b_.shl(both, n).slice(w, w) : b_.lshr(both, n).slice(0, w);
}

/// A tree of adders that widen by a bit a level.
hwir::Value Arithmetic::countOnes(const Value& a) {
  std::vector<Value> terms;
  for (unsigned i = 0; i < a.width(); ++i) terms.push_back(a.bit(i));
  while (terms.size() > 1) {
    std::vector<Value> sums;
    for (size_t i = 0; i < terms.size(); i += 2) {
      const unsigned w = terms[i].width() + 1;
      sums.push_back(i + 1 < terms.size() ? b_.add(terms[i].zext(w), terms[i + 1].zext(w))
                                          : terms[i].zext(w));
    }
    terms = std::move(sums);
  }
  return terms[0].width() < a.width() ? terms[0].zext(a.width()) : terms[0].slice(0, a.width());
}

/// Index of the lowest one; the width if there is none.
hwir::Value Arithmetic::trailingZeros(const Value& a) {
  const unsigned w = a.width();
  Value r = Value::constant(w, w);
  for (unsigned i = w; i-- > 0;) r = b_.mux(a.bit(i), Value::constant(w, i), r);
  return r;
}

}  // namespace espalier::frontend

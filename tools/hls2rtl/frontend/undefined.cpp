// SPDX-License-Identifier: BSD-2-Clause-Patent
#include "frontend/undefined.hpp"

#include <llvm/IR/Constants.h>
#include <llvm/IR/Function.h>
#include <llvm/IR/Instructions.h>
#include <llvm/IR/IntrinsicInst.h>

#include <set>

#include "frontend/address.hpp"
#include "frontend/diagnostics.hpp"
#include "frontend/normalise.hpp"
#include "frontend/prove.hpp"

namespace espalier::frontend {

using llvm::Instruction;

namespace {

const llvm::CallInst* asMarker(const llvm::Value* v) {
  const auto* call = llvm::dyn_cast<llvm::CallInst>(v);
  const llvm::Function* callee = call ? call->getCalledFunction() : nullptr;
  return callee && callee->getName().starts_with(kUndefined) ? call : nullptr;
}

unsigned widthOf(const llvm::Value* v) {
  return v->getType()->isIntegerTy() ? v->getType()->getIntegerBitWidth() : 1;
}

}  // namespace

Undefined::Undefined(const std::vector<Parameter>& parameters, hwir::Builder& builder,
                     Control& control, Translation value)
    : parameters_(parameters), b_(builder), control_(control), value_(std::move(value)) {}

hwir::Value Undefined::mask(const llvm::Value* v) {
  const auto known = masks_.find(v);
  return known != masks_.end() ? known->second : Value::constant(widthOf(v), 0);
}

/// 1 bit: some bit of the mask is set.
hwir::Value Undefined::any(const Value& mask) {
  Value rest;  // the bits that aren't constant
  for (const hwir::Seg& s : mask.segs()) {
    if (!s.isConstant()) {
      rest.push(s);
    } else if (!s.bits.isZero()) {
      return Value::constant(1, 1);
    }
  }
  if (rest.width() == 0) return Value::constant(1, 0);
  return b_.ne(rest, Value::constant(rest.width(), 0));
}

hwir::Value Undefined::all(const Value& any, unsigned width) {
  return any.sext(width);
}

void Undefined::follow(Instruction& i) {
  if (auto* store = llvm::dyn_cast<llvm::StoreInst>(&i)) {
    demandAddress(i, store->getPointerOperand());
    return demand(i, store->getValueOperand(), nameOf(i, store->getPointerOperand()));
  }
  if (auto* load = llvm::dyn_cast<llvm::LoadInst>(&i)) {
    return demandAddress(i, load->getPointerOperand());
  }
  if (auto* branch = llvm::dyn_cast<llvm::BranchInst>(&i)) {
    if (branch->isConditional()) demand(i, branch->getCondition(), "a decision");
    return;
  }
  if (auto* choice = llvm::dyn_cast<llvm::SwitchInst>(&i)) {
    return demand(i, choice->getCondition(), "a decision");
  }
  if (i.getType()->isIntegerTy()) masks_[&i] = computed(i);
}

hwir::Value Undefined::computed(Instruction& i) {
  const unsigned width = widthOf(&i);
  if (asMarker(&i)) return Value(hwir::Bits::ones(width));
  switch (i.getOpcode()) {
    case Instruction::And:
    case Instruction::Or:
    case Instruction::Xor:
      return bitwise(i);
    case Instruction::Shl:
    case Instruction::LShr:
    case Instruction::AShr:
      return shifted(i);
    case Instruction::Trunc:
      return mask(i.getOperand(0)).slice(0, width);
    case Instruction::ZExt:
      return mask(i.getOperand(0)).zext(width);
    case Instruction::SExt:
      return mask(i.getOperand(0)).sext(width);
    case Instruction::Freeze:
      return mask(i.getOperand(0));
    case Instruction::Select:
      return chosen(i);
    case Instruction::PHI:
      return merged(llvm::cast<llvm::PHINode>(i));
    default:
      break;
  }
  Value one = Value::constant(1, 0);
  for (const llvm::Use& operand : i.operands()) {
    if (operand->getType()->isIntegerTy()) one = b_.orOf(one, any(mask(operand)));
  }
  return all(one, width);
}

hwir::Value Undefined::bitwise(Instruction& i) {
  const Value ma = mask(i.getOperand(0)), mb = mask(i.getOperand(1));
  if (ma.isZero() && mb.isZero()) return ma;
  if (i.getOpcode() == Instruction::Xor) return b_.orOf(ma, mb);
  // A defined 0 settles an AND, a defined 1 an OR.
  const auto passes = [&](unsigned operand, const Value& m) {
    const Value v = value_(i.getOperand(operand));
    return b_.orOf(i.getOpcode() == Instruction::And ? v : b_.notOf(v), m);
  };
  return b_.orOf(b_.andOf(ma, passes(1, mb)), b_.andOf(mb, passes(0, ma)));
}

hwir::Value Undefined::shifted(Instruction& i) {
  const Value m = mask(i.getOperand(0));
  const Value by = any(mask(i.getOperand(1)));
  const Value amount = value_(i.getOperand(1));
  const Value moved = i.getOpcode() == Instruction::Shl    ? b_.shl(m, amount)
                      : i.getOpcode() == Instruction::LShr ? b_.lshr(m, amount)
                                                           : b_.ashr(m, amount);
  return b_.orOf(moved, all(by, m.width()));
}

hwir::Value Undefined::chosen(Instruction& i) {
  const Value by = any(mask(i.getOperand(0)));
  const Value m = b_.mux(value_(i.getOperand(0)), mask(i.getOperand(1)), mask(i.getOperand(2)));
  return b_.orOf(m, all(by, m.width()));
}

hwir::Value Undefined::merged(llvm::PHINode& node) {
  std::vector<std::pair<Value, Value>> arms;
  for (unsigned k = 0; k < node.getNumIncomingValues(); ++k) {
    arms.emplace_back(control_.edge(node.getIncomingBlock(k), node.getParent()),
                      mask(node.getIncomingValue(k)));
  }
  return b_.phi(arms);
}

void Undefined::demandAddress(Instruction& at, llvm::Value* pointer) {
  for (const auto& [index, scale] : addressOf(pointer, at.getDataLayout()).indices) {
    demand(at, index, nameOf(at, pointer));
  }
}

void Undefined::demand(Instruction& at, const llvm::Value* v, const std::string& where) {
  const Value bad = any(mask(v));
  if (bad.isZero()) return;
  const Value reached = b_.andOf(control_.reached(at.getParent()), bad);
  if (Prover(b_.module()).isNever(reached)) return;
  const llvm::CallInst* from = origin(v);
  fail(from ? userLoc(*from) : userLoc(at), "an undefined value reaches " + where,
       "give the variable that is declared here a value on every path");
}

std::string Undefined::nameOf(Instruction& at, llvm::Value* pointer) const {
  const Address a = addressOf(pointer, at.getDataLayout());
  const auto* argument = llvm::dyn_cast<llvm::Argument>(a.base);
  if (!argument) return "a constant table";
  const Layout& layout = parameters_[argument->getArgNo()].layout;
  if (const StreamMember* s = layout.streamAt(a.constant)) return "stream '" + s->name + "'";
  if (const MemoryMember* m = layout.memoryAt(a.constant)) return "memory '" + m->name + "'";
  const Leaf* leaf = layout.leafAt(a.constant);
  return "register '" + (leaf ? leaf->name : std::string("?")) + "'";
}

/// The variable's birth that an undefined value comes from.
const llvm::CallInst* Undefined::origin(const llvm::Value* v) const {
  std::set<const llvm::Value*> seen;
  std::vector<const llvm::Value*> todo{v};
  while (!todo.empty()) {
    const llvm::Value* x = todo.back();
    todo.pop_back();
    const auto m = masks_.find(x);
    if (!seen.insert(x).second || m == masks_.end() || m->second.isZero()) continue;
    if (const llvm::CallInst* marker = asMarker(x)) return marker;
    const auto& operands = llvm::cast<Instruction>(x)->operands();
    todo.insert(todo.end(), operands.begin(), operands.end());
  }
  return nullptr;
}

}  // namespace espalier::frontend

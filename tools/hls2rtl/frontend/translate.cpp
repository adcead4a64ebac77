// SPDX-License-Identifier: BSD-2-Clause-Patent
#include "frontend/translate.hpp"

#include <llvm/ADT/PostOrderIterator.h>
#include <llvm/Analysis/ConstantFolding.h>
#include <llvm/IR/Constants.h>
#include <llvm/IR/DataLayout.h>
#include <llvm/IR/Function.h>
#include <llvm/IR/Instructions.h>
#include <llvm/IR/IntrinsicInst.h>
#include <llvm/IR/Module.h>
#include <llvm/Support/raw_ostream.h>

#include <map>
#include <optional>

#include "frontend/address.hpp"
#include "frontend/arithmetic.hpp"
#include "frontend/control.hpp"
#include "frontend/diagnostics.hpp"
#include "frontend/normalise.hpp"
#include "frontend/ports.hpp"
#include "frontend/rom.hpp"
#include "frontend/undefined.hpp"
#include "hwir/builder.hpp"

namespace espalier::frontend {

namespace {

using namespace llvm;
using HwValue = hwir::Value;

/// Walks the step in program order; every LLVM value becomes a HwIR value of the same width.
class Translator {
 public:
  Translator(Function& step, const std::vector<Parameter>& parameters, const std::string& name)
      : step_(step),
        dl_(step.getDataLayout()),
        builder_(name, functionLoc(step)),
        control_(step, builder_, [this](const llvm::Value* v) { return value(v); }),
        ports_(step, parameters, builder_),
        arithmetic_(builder_) {}

  hwir::Module run() {
    walk([](Instruction&) {});
    ports_.check();
    return builder_.finish();
  }

  void checkUndefined(const std::vector<Parameter>& parameters) {
    Undefined undefined(parameters, builder_, control_,
                        [this](const llvm::Value* v) { return value(v); });
    walk([&](Instruction& i) { undefined.follow(i); });
  }

 private:
  template <class Also>
  void walk(const Also& also) {
    for (BasicBlock* block : ReversePostOrderTraversal<Function*>(&step_)) {
      for (Instruction& i : *block) {
        builder_.setLoc(userLoc(i));
        translate(i);
        also(i);
      }
    }
  }

  unsigned widthOf(const llvm::Value& v) {
    if (!v.getType()->isIntegerTy()) unsupported(v, "a value that is no integer");
    return v.getType()->getIntegerBitWidth();
  }

  [[noreturn]] void unsupported(const llvm::Value& v, const std::string& what) {
    std::string text;
    raw_string_ostream(text) << v;
    const auto* i = dyn_cast<Instruction>(&v);
    fail(i ? userLoc(*i) : functionLoc(step_), what + " (" + StringRef(text).trim().str() + ")",
         "write it with ap_uint operations, arrays and conditions");
  }

  HwValue value(const llvm::Value* v) {
    if (const auto* c = dyn_cast<ConstantInt>(v)) return constant(c->getValue());
    if (isa<UndefValue>(v)) return HwValue::constant(widthOf(*v), 0);
    if (const auto known = values_.find(v); known != values_.end()) return known->second;
    if (const auto* c = dyn_cast<Constant>(v)) {
      if (const auto* folded = dyn_cast_or_null<ConstantInt>(ConstantFoldConstant(c, dl_))) {
        return constant(folded->getValue());
      }
    }
    unsupported(*v, "a value the translator has no hardware for");
  }

  static HwValue constant(const APInt& v) {
    return HwValue(hwir::Bits::fromWords(v.getBitWidth(), {v.getRawData(), v.getNumWords()}));
  }

  void translate(Instruction& i) {
    switch (i.getOpcode()) {
      case Instruction::Load:
        values_[&i] = load(cast<LoadInst>(i));
        return;
      case Instruction::Store:
        return store(cast<StoreInst>(i));
      case Instruction::PHI:
        if (i.getType()->isPointerTy()) return;  // likewise
        values_[&i] = phi(cast<PHINode>(i));
        return;
      case Instruction::GetElementPtr:  // seen through by its loads and stores
      case Instruction::Br:
      case Instruction::Switch:
      case Instruction::Ret:
      case Instruction::Unreachable:
        return;
      case Instruction::Select:
        if (i.getType()->isPointerTy()) return;
        values_[&i] = select(cast<SelectInst>(i));
        return;
      default:
        break;
    }
    if (isa<IntrinsicInst>(i) && i.getType()->isVoidTy()) return;  // markers and assumptions
    std::vector<HwValue> operands;
    const auto* call = dyn_cast<CallBase>(&i);
    const Function* callee = call ? call->getCalledFunction() : nullptr;
    if (callee && callee->getName().starts_with(kUndefined)) {
      values_[&i] = HwValue::constant(widthOf(i), 0);
      return;
    }
    for (const Use& use : call ? call->args() : make_range(i.op_begin(), i.op_end())) {
      operands.push_back(value(use));
    }
    std::optional<HwValue> result = arithmetic_.translate(i, operands);
    if (!result) unsupported(i, "an operation the translator has no hardware for");
    values_[&i] = *result;
  }

  HwValue select(const SelectInst& s) {
    if (isa<UndefValue>(s.getTrueValue())) return value(s.getFalseValue());
    if (isa<UndefValue>(s.getFalseValue())) return value(s.getTrueValue());
    return builder_.mux(value(s.getCondition()), value(s.getTrueValue()), value(s.getFalseValue()));
  }

  HwValue phi(const PHINode& node) {
    std::vector<std::pair<HwValue, HwValue>> arms;
    for (unsigned k = 0; k < node.getNumIncomingValues(); ++k) {
      const llvm::Value* from = node.getIncomingValue(k);
      if (isa<UndefValue>(from)) continue;
      auto* block = const_cast<BasicBlock*>(node.getIncomingBlock(k));
      arms.emplace_back(control_.edge(block, const_cast<BasicBlock*>(node.getParent())),
                        value(from));
    }
    if (arms.empty()) return HwValue::constant(widthOf(node), 0);
    return builder_.phi(arms);
  }

  HwValue load(LoadInst& l) {
    const Address a = addressOf(l.getPointerOperand(), dl_);
    const unsigned width = widthOf(l);
    if (!isa<Argument>(a.base)) return loadConstant(l, a);
    const auto* argument = cast<Argument>(a.base);
    const Access access{&l, control_.reached(l.getParent()), argument->getArgNo(), a.constant,
                        index(a, l)};
    HwValue r = ports_.load(access);
    return r.width() < width ? r.zext(width) : r.slice(0, width);
  }

  /// A constant, also by a reference that is bound to one constant or another.
  HwValue loadConstant(LoadInst& l, Address a) {
    if (auto* table = dyn_cast<GlobalVariable>(a.base)) {
      return readRom(builder_, *table, a, l, [this](const llvm::Value* v) { return value(v); });
    }
    const auto at = [&](llvm::Value* pointer) {
      Address inner = addressOf(pointer, dl_);
      inner.constant += a.constant;
      inner.indices.insert(inner.indices.end(), a.indices.begin(), a.indices.end());
      return loadConstant(l, inner);
    };
    if (auto* s = dyn_cast<SelectInst>(a.base)) {
      return builder_.mux(value(s->getCondition()), at(s->getTrueValue()), at(s->getFalseValue()));
    }
    if (auto* node = dyn_cast<PHINode>(a.base)) {
      std::vector<std::pair<HwValue, HwValue>> arms;
      for (unsigned k = 0; k < node->getNumIncomingValues(); ++k) {
        arms.emplace_back(control_.edge(node->getIncomingBlock(k), node->getParent()),
                          at(node->getIncomingValue(k)));
      }
      return builder_.phi(arms);
    }
    unsupported(l, "a load through a pointer that varies");
  }

  void store(StoreInst& s) {
    const Address a = addressOf(s.getPointerOperand(), dl_);
    auto* argument = dyn_cast<Argument>(a.base);
    if (!argument) unsupported(s, "a store through a pointer that varies");
    const Access access{&s, control_.reached(s.getParent()), argument->getArgNo(), a.constant,
                        index(a, s)};
    ports_.store(access, value(s.getValueOperand()));
  }

  /// The variable part of an address, in units of `stride`, for the memory that lies there.
  std::optional<Index> index(const Address& a, const Instruction& at) {
    if (a.indices.empty()) return std::nullopt;
    if (a.indices.size() > 1) failChosenMemory(at);
    return Index{value(a.indices[0].first), a.indices[0].second};
  }

  Function& step_;
  const DataLayout& dl_;
  hwir::Builder builder_;
  Control control_;
  Ports ports_;
  Arithmetic arithmetic_;
  std::map<const llvm::Value*, HwValue> values_;
};

}  // namespace

void checkUndefined(Function& step, const std::vector<Parameter>& parameters) {
  Translator(step, parameters, "undefined").checkUndefined(parameters);
}

hwir::Module translate(Function& step, const std::vector<Parameter>& parameters,
                       const std::string& module_name) {
  return Translator(step, parameters, module_name).run();
}

}  // namespace espalier::frontend

// SPDX-License-Identifier: BSD-2-Clause-Patent
#include "frontend/elements.hpp"

#include <llvm/Analysis/ValueTracking.h>
#include <llvm/IR/DataLayout.h>
#include <llvm/IR/IRBuilder.h>
#include <llvm/IR/Instructions.h>
#include <llvm/IR/IntrinsicInst.h>
#include <llvm/IR/Module.h>

#include <algorithm>
#include <map>

#include "frontend/address.hpp"
#include "frontend/diagnostics.hpp"

namespace espalier::frontend {

namespace {

using namespace llvm;

void describe(Type* type, uint64_t offset, const DataLayout& dl, Layout& out) {
  if (auto* s = dyn_cast<StructType>(type)) {
    const StructLayout* layout = dl.getStructLayout(s);
    for (unsigned i = 0; i < s->getNumElements(); ++i) {
      describe(s->getElementType(i), offset + layout->getElementOffset(i), dl, out);
    }
  } else if (auto* a = dyn_cast<ArrayType>(type)) {
    const uint64_t stride = dl.getTypeAllocSize(a->getElementType());
    out.arrays.push_back({offset, stride, a->getNumElements()});
    if (a->getElementType()->isIntegerTy(8) && a->getNumElements() > 8) {
      // _BitInt of more than 128 bits is laid out as bytes: one scalar, unless indexed as bytes.
      out.leaves.push_back({"", offset, stride * a->getNumElements(), {}});
      return;
    }
    for (uint64_t i = 0; i < a->getNumElements(); ++i) {
      describe(a->getElementType(), offset + i * stride, dl, out);
    }
  } else {
    out.leaves.push_back({"", offset, dl.getTypeStoreSize(type), {}});
  }
}

class Selector {
 public:
  Selector(Function& f, const AllocaInst* state, const Layout& layout)
      : function_(f), dl_(f.getDataLayout()), state_(state), state_layout_(layout) {}

  bool run() {
    std::vector<Instruction*> work;
    for (BasicBlock& block : function_) {
      for (Instruction& i : block) {
        if (isVariable(i)) work.push_back(&i);
      }
    }
    for (Instruction* i : work) {
      if (auto* copy = dyn_cast<MemTransferInst>(i))
        splitCopy(*copy);
      else if (auto* set = dyn_cast<MemSetInst>(i))
        splitSet(*set);
      else if (auto* load = dyn_cast<LoadInst>(i))
        selectLoad(*load);
      else
        selectStore(*cast<StoreInst>(i));
    }
    return !work.empty();
  }

 private:
  bool isVariable(Instruction& i) {
    if (auto* load = dyn_cast<LoadInst>(&i)) return variable(load->getPointerOperand());
    if (auto* store = dyn_cast<StoreInst>(&i)) return variable(store->getPointerOperand());
    if (auto* copy = dyn_cast<MemTransferInst>(&i)) {
      return variable(copy->getRawDest()) || variable(copy->getRawSource());
    }
    if (auto* set = dyn_cast<MemSetInst>(&i)) return variable(set->getRawDest());
    return false;
  }

  bool variable(Value* pointer) {
    const Address a = addressOf(pointer, dl_);
    return isa<AllocaInst>(a.base) && !a.indices.empty();
  }

  const Layout& layoutOf(Value* base) {
    if (base == state_) return state_layout_;
    Layout& layout = layouts_[base];
    if (layout.bytes == 0) {
      layout = frontend::layoutOf(cast<AllocaInst>(base)->getAllocatedType(), dl_);
    }
    return layout;
  }

  struct Element {
    Value* pointer;
    uint64_t number;
  };
  struct Choice {
    Value* index;  ///< i64, counts from the array's first element
    std::vector<Element> elements;
  };

  /// The elements the first variable index of `pointer` chooses from.
  Choice choose(IRBuilder<>& b, Value* pointer, Instruction& at) {
    Address a = addressOf(pointer, dl_);
    auto [index, scale] = a.indices.front();
    const Array* array = nullptr;
    for (const Array& candidate : layoutOf(a.base).arrays) {
      if (candidate.stride == scale && a.constant >= candidate.offset &&
          a.constant < candidate.offset + candidate.stride * candidate.count) {
        array = &candidate;
      }
    }
    if (!array) {
      fail(userLoc(at), "the element that is accessed here can't be told",
           "index the array itself, with one index per dimension");
    }
    Value* position = b.CreateZExtOrTrunc(index, b.getInt64Ty());
    const uint64_t first = (a.constant - array->offset) / scale;
    if (first) position = b.CreateAdd(position, b.getInt64(first));
    const KnownBits known = computeKnownBits(position, dl_);
    const uint64_t reach = known.getMaxValue().getLimitedValue(array->count - 1) + 1;
    Choice choice{position, {}};
    for (uint64_t n = 0; n < std::min(array->count, reach); ++n) {
      Value* p =
          b.CreateConstGEP1_64(b.getInt8Ty(), a.base, a.constant - first * scale + n * scale);
      for (size_t i = 1; i < a.indices.size(); ++i) {
        Value* rest = b.CreateZExtOrTrunc(a.indices[i].first, b.getInt64Ty());
        p = b.CreateGEP(ArrayType::get(b.getInt8Ty(), a.indices[i].second), p, rest);
      }
      choice.elements.push_back({p, n});
    }
    return choice;
  }

  Value* loadAt(IRBuilder<>& b, Value* pointer, LoadInst& at) {
    if (!variable(pointer)) return b.CreateLoad(at.getType(), pointer);
    const Choice choice = choose(b, pointer, at);
    std::vector<Value*> values;
    for (const Element& e : choice.elements) values.push_back(loadAt(b, e.pointer, at));
    // Halve by one index bit after the other; beyond the last element anything will do.
    for (unsigned bit = 0; values.size() > 1; ++bit) {
      Value* which = b.CreateTrunc(b.CreateLShr(choice.index, bit), b.getInt1Ty());
      std::vector<Value*> half;
      for (size_t i = 0; i < values.size(); i += 2) {
        half.push_back(i + 1 < values.size() ? b.CreateSelect(which, values[i + 1], values[i])
                                             : values[i]);
      }
      values = std::move(half);
    }
    return values[0];
  }

  void selectLoad(LoadInst& load) {
    IRBuilder<> b(&load);
    load.replaceAllUsesWith(loadAt(b, load.getPointerOperand(), load));
    load.eraseFromParent();
  }

  void storeAt(IRBuilder<>& b, Value* pointer, Value* value, Value* when, StoreInst& at) {
    if (!variable(pointer)) {
      Value* old = b.CreateLoad(value->getType(), pointer);
      b.CreateStore(b.CreateSelect(when, value, old), pointer);
      return;
    }
    const Choice choice = choose(b, pointer, at);
    for (const Element& e : choice.elements) {
      Value* here = b.CreateICmpEQ(choice.index, b.getInt64(e.number));
      storeAt(b, e.pointer, value, b.CreateAnd(when, here), at);
    }
  }

  void selectStore(StoreInst& store) {
    IRBuilder<> b(&store);
    storeAt(b, store.getPointerOperand(), store.getValueOperand(), b.getTrue(), store);
    store.eraseFromParent();
  }

  /// Scalars of `bytes` bytes at `pointer`, as offsets from it.
  std::vector<Leaf> leavesUnder(Value* pointer, uint64_t bytes) {
    const Address a = addressOf(pointer, dl_);
    std::vector<Leaf> leaves;
    if (!isa<AllocaInst>(a.base)) return leaves;
    for (Leaf leaf : layoutOf(a.base).leaves) {
      if (leaf.offset < a.constant || leaf.offset + leaf.bytes > a.constant + bytes) continue;
      leaf.offset -= a.constant;
      leaves.push_back(leaf);
    }
    return leaves;
  }

  uint64_t lengthOf(MemIntrinsic& i) {
    const auto* n = dyn_cast<ConstantInt>(i.getLength());
    if (!n) fail(userLoc(i), "memory is copied in a length that varies", "copy element by element");
    return n->getZExtValue();
  }

  void splitCopy(MemTransferInst& copy) {
    IRBuilder<> b(&copy);
    Value* from = copy.getRawSource();
    Value* to = copy.getRawDest();
    const uint64_t bytes = lengthOf(copy);
    std::vector<Leaf> leaves = leavesUnder(variable(from) ? from : to, bytes);
    if (leaves.empty()) leaves.push_back({"", 0, bytes, {}});
    for (const Leaf& leaf : leaves) {
      Type* type = b.getIntNTy(unsigned(8 * leaf.bytes));
      Value* p = b.CreateConstGEP1_64(b.getInt8Ty(), from, leaf.offset);
      Value* q = b.CreateConstGEP1_64(b.getInt8Ty(), to, leaf.offset);
      LoadInst* load = b.CreateLoad(type, p);
      StoreInst* store = b.CreateStore(load, q);
      if (variable(q)) selectStore(*store);
      if (variable(p)) selectLoad(*load);
    }
    copy.eraseFromParent();
  }

  void splitSet(MemSetInst& set) {
    IRBuilder<> b(&set);
    const auto* byte = dyn_cast<ConstantInt>(set.getValue());
    if (!byte)
      fail(userLoc(set), "memory is filled with a byte that varies", "assign the elements");
    for (const Leaf& leaf : leavesUnder(set.getRawDest(), lengthOf(set))) {
      Type* type = b.getIntNTy(unsigned(8 * leaf.bytes));
      Value* q = b.CreateConstGEP1_64(b.getInt8Ty(), set.getRawDest(), leaf.offset);
      const APInt fill = APInt::getSplat(unsigned(8 * leaf.bytes), byte->getValue());
      selectStore(*b.CreateStore(ConstantInt::get(type, fill), q));
    }
    set.eraseFromParent();
  }

  Function& function_;
  const DataLayout& dl_;
  const AllocaInst* state_;
  const Layout& state_layout_;
  std::map<Value*, Layout> layouts_;
};

}  // namespace

Layout layoutOf(Type* type, const DataLayout& dl) {
  Layout layout;
  layout.bytes = dl.getTypeAllocSize(type);
  describe(type, 0, dl, layout);
  return layout;
}

bool selectElements(Function& function, const AllocaInst* state, const Layout& layout) {
  return Selector(function, state, layout).run();
}

}  // namespace espalier::frontend

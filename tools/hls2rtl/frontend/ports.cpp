// SPDX-License-Identifier: BSD-2-Clause-Patent
#include "frontend/ports.hpp"

#include <llvm/ADT/DepthFirstIterator.h>
#include <llvm/IR/CFG.h>
#include <llvm/IR/DataLayout.h>
#include <llvm/IR/Function.h>
#include <llvm/IR/InstIterator.h>
#include <llvm/IR/Instructions.h>

#include <algorithm>

#include "frontend/address.hpp"
#include "frontend/diagnostics.hpp"
#include "frontend/prove.hpp"

namespace espalier::frontend {

using hwir::Value;

namespace {

/// Whether some path runs through `first` and then through `second`.
bool follows(const llvm::Instruction* first, const llvm::Instruction* second) {
  if (first->getParent() == second->getParent()) return first->comesBefore(second);
  const auto below = llvm::depth_first(first->getParent());
  return std::find(below.begin(), below.end(), second->getParent()) != below.end();
}

}  // namespace

Ports::Ports(llvm::Function& step, const std::vector<Parameter>& parameters, hwir::Builder& builder)
    : builder_(builder) {
  const auto isState = [](const Parameter& p) { return !p.is_stream; };
  const bool several = std::count_if(parameters.begin(), parameters.end(), isState) > 1;
  for (unsigned i = 0; i < parameters.size(); ++i) {
    const Parameter& p = parameters[i];
    arguments_.push_back({&p, std::nullopt, {}, {}});
    if (p.is_stream) {
      declareStream(step, i);
    } else {
      declareState(arguments_.back(), several ? p.name + "_" : "");
    }
  }
}

void Ports::findDirection(llvm::Function& step, unsigned argument, Stream& stream) {
  for (llvm::Instruction& i : llvm::instructions(step)) {
    llvm::Value* pointer = llvm::getLoadStorePointerOperand(&i);
    if (!pointer) continue;
    const Address a = addressOf(pointer, step.getDataLayout());
    if (a.base != step.getArg(argument)) continue;
    (llvm::isa<llvm::StoreInst>(i) ? stream.written : stream.read) = true;
  }
}

void Ports::declareStream(llvm::Function& step, unsigned argument) {
  Argument& a = arguments_[argument];
  const StreamMember& member = a.parameter->layout.streams[0];
  Stream s{&member, false, false, {}, {}, {}};
  findDirection(step, argument, s);
  if (s.read == s.written) {
    fail(member.loc,
         "stream '" + member.name + "' is " + (s.read ? "both read and written" : "never used"),
         s.read ? "use one stream for each direction" : "take it out of the parameters");
  }
  if (s.read) {
    s.input = builder_.addInput(member.name, member.width, member.loc);
    s.port.what = "stream '" + member.name + "' is read";
    s.port.way_out = "read once into a variable, or read in branches that exclude each other";
    s.port.forbidden = builder_.empty(s.input);
  } else {
    s.output = builder_.addOutput(member.name, member.width, member.loc);
    s.port.what = "stream '" + member.name + "' is written";
    s.port.way_out = "collect what is to be sent in a variable and write once";
  }
  a.stream = std::move(s);
}

void Ports::declareState(Argument& a, const std::string& prefix) {
  for (const Leaf& leaf : a.parameter->layout.leaves) {
    a.registers[leaf.offset] =
        builder_.addRegister(prefix + leaf.name, unsigned(8 * leaf.bytes), leaf.loc);
  }
  for (const MemoryMember& m : a.parameter->layout.memories) {
    const hwir::MemoryId id =
        builder_.addMemory(prefix + m.name, m.width, m.depth, m.latency, m.hazard, m.loc);
    Port reads{"memory '" + m.name + "' is read",
               "it has one read port: read once, or in branches that exclude each other",
               {},
               {}};
    Port writes{"memory '" + m.name + "' is written",
                "it has one write port: write once, or in branches that exclude each other",
                {},
                {}};
    a.memories.push_back({&m, id, std::move(reads), std::move(writes)});
  }
}

Value Ports::load(const Access& access) {
  Argument& a = arguments_[access.argument];
  if (a.stream) {
    Stream& s = *a.stream;
    if (access.offset < s.member->in_at) return builder_.empty(s.input);
    s.port.accesses.push_back(access);
    return builder_.read(s.input, access.when);
  }
  if (const auto r = a.registers.find(access.offset); r != a.registers.end() && !access.index) {
    return builder_.reg(r->second);
  }
  Memory& m = memoryOf(a, access);
  m.reads.accesses.push_back(access);
  return builder_.memRead(m.id, access.when, entry(m, access));
}

void Ports::store(const Access& access, const Value& data) {
  Argument& a = arguments_[access.argument];
  if (a.stream) {
    Stream& s = *a.stream;
    s.port.accesses.push_back(access);
    return builder_.write(s.output, access.when, data.slice(0, s.member->width));
  }
  if (const auto r = a.registers.find(access.offset); r != a.registers.end() && !access.index) {
    return builder_.setNext(r->second, data);
  }
  Memory& m = memoryOf(a, access);
  m.writes.accesses.push_back(access);
  builder_.memWrite(m.id, access.when, entry(m, access), data.slice(0, m.member->width));
}

Ports::Memory& Ports::memoryOf(Argument& a, const Access& access) {
  for (Memory& m : a.memories) {
    const uint64_t begin = m.member->offset;
    if (access.offset >= begin && access.offset < begin + m.member->bytes()) return m;
  }
  fail(userLoc(*access.at), "an access of the state that can't be told apart",
       "name the member, or index one array with one index per dimension");
}

void failChosenMemory(const llvm::Instruction& at) {
  fail(userLoc(at), "a memory is chosen by a variable index",
       "select between the memories with `if`, each read under its own condition");
}

Value Ports::entry(const Memory& m, const Access& access) {
  const unsigned bits = hwir::addrWidth(m.member->depth);
  const uint64_t first = (access.offset - m.member->offset) / m.member->stride;
  Value at = Value::constant(bits, first);
  if (!access.index) return at;
  if (access.index->scale != m.member->stride) failChosenMemory(*access.at);
  const Value v = access.index->value;
  return builder_.add(v.width() < bits ? v.zext(bits) : v.slice(0, bits), at);
}

void Ports::checkPort(const Port& port) {
  Prover prover(builder_.module());
  const auto& all = port.accesses;
  for (size_t i = 0; i < all.size(); ++i) {
    if (port.forbidden && !prover.isNever(builder_.andOf(all[i].when, *port.forbidden))) {
      fail(userLoc(*all[i].at), port.what + " without a guard", "read under if (!...empty())");
    }
    for (size_t j = 0; j < i; ++j) {
      if (prover.isNever(builder_.andOf(all[i].when, all[j].when))) continue;
      fail(userLoc(*all[i].at),
           port.what + " a second time on one path (first in line " +
               std::to_string(userLoc(*all[j].at).line) + ")",
           port.way_out);
    }
  }
}

void Ports::check() {
  for (Argument& a : arguments_) {
    if (a.stream) checkPort(a.stream->port);
    for (const Memory& m : a.memories) {
      checkPort(m.reads);
      checkPort(m.writes);
      Prover prover(builder_.module());
      for (const Access& w : m.writes.accesses) {
        for (const Access& r : m.reads.accesses) {
          if (!follows(w.at, r.at)) continue;
          if (prover.isNever(builder_.andOf(w.when, r.when))) continue;
          fail(userLoc(*r.at),
               "memory '" + m.member->name + "' is read after it was written (line " +
                   std::to_string(userLoc(*w.at).line) + ")",
               "read first: a step sees the memory as earlier steps left it");
        }
      }
    }
  }
}

}  // namespace espalier::frontend

// SPDX-License-Identifier: BSD-2-Clause-Patent
/// HwIR: one step function as a graph of word operations, independent of LLVM.
///
/// A step is one call of a stage's function.  It may read each register, look at and pop each input
/// stream, read each memory once, and ends by setting registers, pushing output streams and
/// writing memories.  HwIR says *what* a step computes; in which pipeline stage each node is
/// computed is the scheduler's business (backend/schedule.hpp).
///
/// A value is a list of segments, each a run of bits of one node or of a constant.  Slices,
/// concatenations, extensions and constant shifts are therefore no nodes and cost nothing.
#pragma once
#include <cstdint>
#include <string>
#include <vector>

#include "hwir/bits.hpp"

namespace espalier::hwir {

using NodeId = uint32_t;
inline constexpr NodeId kConstant = UINT32_MAX;  ///< the "node" of a constant segment

/// `width` bits of `node` from bit `lo` up, or the constant `bits`.
struct Seg {
  NodeId node = kConstant;
  unsigned lo = 0;
  unsigned width = 0;
  Bits bits;  ///< only if node == kConstant
  bool isConstant() const { return node == kConstant; }
  bool operator==(const Seg&) const = default;
};

/// A bit vector of known width, least significant segment first.  Adjacent segments that can be
/// joined always are, so equal values compare equal.
class Value {
 public:
  Value() = default;
  explicit Value(Bits constant);
  Value(NodeId node, unsigned lo, unsigned width);
  static Value constant(unsigned width, uint64_t value) { return Value(Bits(width, value)); }

  unsigned width() const { return width_; }
  const std::vector<Seg>& segs() const { return segs_; }
  /// One segment of constant bits.  The empty value is no constant.
  bool isConstant() const { return segs_.size() == 1 && segs_[0].isConstant(); }
  bool isZero() const { return isConstant() && segs_[0].bits.isZero(); }
  bool isOnes() const { return isConstant() && segs_[0].bits.isOnes(); }
  const Bits& bits() const { return segs_[0].bits; }  ///< only if isConstant()
  bool operator==(const Value&) const = default;

  /// Bits [lo, lo + width).
  Value slice(unsigned lo, unsigned width) const;
  Value bit(unsigned i) const { return slice(i, 1); }
  /// {high, *this}
  Value append(const Value& high) const;
  void push(const Seg& seg);
  Value zext(unsigned width) const;
  Value sext(unsigned width) const;
  Value shlConst(unsigned amount) const;   ///< same width, zeros in
  Value lshrConst(unsigned amount) const;  ///< same width, zeros in
  size_t hash() const;

 private:
  std::vector<Seg> segs_;
  unsigned width_ = 0;
};

enum class Op : uint8_t {
  // leaves
  kRegister,    ///< index: register, value at the start of the step
  kEmpty,       ///< index: input, 1 if the stream has no element
  kStreamRead,  ///< index: input, the element at the head (undefined if empty)
  kMemRead,     ///< index: memory, what the step's read returns (undefined if not enabled)
  // operations; all operands and the result have the node's width unless said otherwise
  kNot,
  kAnd,  ///< two or more operands
  kOr,   ///< two or more operands
  kXor,  ///< two or more operands
  kAdd,
  kSub,
  kMul,
  kEq,    ///< 1 bit; operands of one width
  kUlt,   ///< 1 bit; operands of one width
  kMux,   ///< operands: 1-bit condition, value if 1, value if 0
  kShl,   ///< operands: value, amount (any width)
  kLshr,  ///< operands: value, amount (any width)
  kRom,   ///< index: ROM; operand: address of the ROM's address width
};
const char* name(Op op);

/// A place in the source, as the user knows it.  Line 0: unknown.
struct SourceLoc {
  std::string file;
  unsigned line = 0;
  bool operator==(const SourceLoc&) const = default;
  std::string str() const;  ///< "file:line", or "?" if unknown
};
using LocId = uint32_t;  ///< index into Module::locs; 0 is the unknown place

struct Node {
  Op op;
  unsigned width = 0;
  std::vector<Value> operands;
  unsigned index = 0;  ///< which register, input, memory or ROM
  LocId loc = 0;
  std::string name;  ///< name of a source variable, or empty
};

/// An input stream: first-word-fall-through, popped by the step that reads it.
struct Input {
  std::string name;
  unsigned width = 0;
  Value pop;  ///< 1 bit: this step takes the element
  SourceLoc loc;
};

/// An output stream: `data` is pushed if `push` is 1.
struct Output {
  std::string name;
  unsigned width = 0;
  Value push;
  Value data;
  SourceLoc loc;
};

/// State that every step sees as the step before left it.  Zero after reset.
struct Register {
  std::string name;
  unsigned width = 0;
  Value next;
  SourceLoc loc;
};

/// What to do if a memory's write depends on its own read of the same step.
enum class Hazard : uint8_t {
  kForbid,   ///< an error
  kPromise,  ///< the source promises not to read an address while its write is in the pipeline
  kForward,  ///< writes still in the pipeline are forwarded to later reads
};

/// A memory with one read and one write port; contents are not reset (zero at power-up).  The read
/// of a step sees all writes of earlier steps and not the write of its own.
struct Memory {
  std::string name;
  unsigned width = 0;
  unsigned depth = 0;
  unsigned latency = 1;  ///< cycles from address to data, 1 and up
  Hazard hazard = Hazard::kForbid;
  Value read_enable;   ///< 1 bit
  Value read_addr;     ///< addrWidth() bits
  Value write_enable;  ///< 1 bit
  Value write_addr;    ///< addrWidth() bits
  Value write_data;
  SourceLoc loc;
  unsigned addrWidth() const;
};

/// A constant table of 2^addr_width words.
struct Rom {
  std::string name;
  unsigned addr_width = 0;
  unsigned width = 0;
  std::vector<Bits> words;
  bool operator==(const Rom&) const = default;
};

/// One step function.  Nodes are in topological order: operands come before their users.
struct Module {
  std::string name;
  SourceLoc loc;
  std::vector<SourceLoc> locs{SourceLoc{}};
  std::vector<Node> nodes;
  std::vector<Input> inputs;
  std::vector<Output> outputs;
  std::vector<Register> registers;
  std::vector<Memory> memories;
  std::vector<Rom> roms;
};

/// Number of bits of an address of `depth` words (at least 1).
unsigned addrWidth(unsigned depth);

/// Readable text, stable for equal modules (--dump-hwir).
std::string dump(const Module& module);
std::string dump(const Module& module, const Value& value);

}  // namespace espalier::hwir

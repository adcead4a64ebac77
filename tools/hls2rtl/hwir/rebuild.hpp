// SPDX-License-Identifier: BSD-2-Clause-Patent
#pragma once
#include <vector>

#include "hwir/builder.hpp"
#include "hwir/demand.hpp"

namespace espalier::hwir {

/// Builds a module again through the builder, so that what is known meanwhile simplifies it.
class Rebuild {
 public:
  /// Keeps only the register bits in `kept` (all others are constant zero) and only the node bits
  /// in `demand` (null: all).  The arguments must outlive this.
  Rebuild(const Module& old, const Masks& kept, const Demand* demand);
  virtual ~Rebuild() = default;

  void run();
  /// The next value of an old register, in its old width.
  Value next(size_t reg) const { return translate(old_.registers[reg].next); }
  Module take() { return b_.take(); }

 protected:
  /// What the data of a memory read becomes.
  virtual Value memoryData(unsigned memory, const Value& read) {
    (void)memory;
    return read;
  }
  Value translate(const Value& v) const;

  const Module& old_;
  Builder b_;

 private:
  void declare();
  void node(size_t id);
  Value registerValue(const Node& n);
  Value compute(const Node& n, unsigned lo, unsigned width);
  void effects();

  const Masks& kept_;
  const Demand* demand_;
  std::vector<RomId> roms_;
  std::vector<RegisterId> regs_;
  std::vector<Value> map_;
};

}  // namespace espalier::hwir

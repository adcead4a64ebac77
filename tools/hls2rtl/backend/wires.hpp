// SPDX-License-Identifier: BSD-2-Clause-Patent
/// How the emitter calls things: the wire or register that carries a value in each stage, and the
/// text of an expression over them.
#pragma once
#include <map>
#include <set>
#include <string>
#include <vector>

#include "backend/schedule.hpp"
#include "hwir/hwir.hpp"

namespace espalier::backend {

/// Bits of a node that travel together to the same last stage.
struct Piece {
  unsigned lo, width;
  int last;
};

class Wires {
 public:
  Wires(const hwir::Module& module, const Schedule& schedule);

  const std::string& node(hwir::NodeId id) const { return nodes_[id]; }
  const std::string& reg(unsigned r) const { return registers_[r]; }
  const std::string& memory(unsigned m) const { return memories_[m]; }
  const std::string& rom(unsigned r) const { return roms_[r]; }
  /// The wire of a memory's data.
  std::string memoryData(unsigned memory) const;

  /// What is carried on beyond the stage that computes the node.
  const std::vector<Piece>& pieces(hwir::NodeId id) const { return pieces_[id]; }
  /// The pipeline register that holds a piece in a later stage.
  std::string carried(hwir::NodeId id, const Piece& piece, int stage) const;

  /// A value as an operand in `stage`.
  std::string ref(const hwir::Value& value, int stage) const;
  /// The operation of a node in its stage.
  std::string expression(hwir::NodeId id) const;
  /// Whether the node is better written where it is used than on a wire of its own; if so,
  /// remembers that.  Ask in topological order.
  bool inlines(hwir::NodeId id, const std::string& expression);

 private:
  std::string fresh(const std::string& wanted);
  void nameAll();
  void countUses();
  void parts(const hwir::Seg& seg, int stage, std::vector<std::string>& r) const;
  std::string masked(const hwir::Value& v, int stage) const;
  bool wholeIn(hwir::NodeId id, int stage) const;

  const hwir::Module& m_;
  const Schedule& s_;
  std::vector<std::vector<Piece>> pieces_;
  std::vector<std::string> nodes_, registers_, memories_, roms_;
  std::set<std::string> taken_;
  std::vector<unsigned> uses_;
  std::map<hwir::NodeId, std::string> inlined_;
};

/// `[31:0] `, or nothing for one bit.
std::string range(unsigned width);
/// `32'h1f`
std::string constant(const hwir::Bits& bits);
/// `name[7:0]`, `name[3]`, or `name` if that is all of it.
std::string bitsOf(const std::string& name, unsigned whole, unsigned lo, unsigned width);

}  // namespace espalier::backend

// SPDX-License-Identifier: BSD-2-Clause-Patent
/// What depends on what within a step, for the scheduler.
///
/// Items are the nodes and, behind them, the effects.  Items that have to be in one stage form a
/// unit: a node on its own, or everything on a cycle through a register, a stream or a memory port.
#pragma once
#include <string>
#include <vector>

#include "hwir/hwir.hpp"

namespace espalier::backend {

using Item = uint32_t;

class Graph {
 public:
  explicit Graph(const hwir::Module& module);

  struct Edge {
    Item from;
    int latency;  ///< stages between the two, at least
  };
  struct Use {
    Item item;
    unsigned lo, width;  ///< of the node that is used
  };
  struct Unit {
    std::vector<Item> items;  ///< ascending: operands before users
    bool first = false;       ///< has to be in stage 0
    bool recurrence = false;  ///< goes through a register
  };

  size_t size() const { return operands_.size(); }
  bool isNode(Item i) const { return i < m.nodes.size(); }
  Item regWrite(unsigned r) const { return reg_base_ + r; }
  Item pop(unsigned input) const { return pop_base_ + input; }
  Item push(unsigned output) const { return push_base_ + output; }
  Item memPort(unsigned memory) const { return port_base_ + memory; }
  Item memWrite(unsigned memory) const { return write_base_ + memory; }
  std::string describe(Item i) const;

  const std::vector<const hwir::Value*>& operands(Item i) const { return operands_[i]; }
  const std::vector<Edge>& before(Item i) const { return before_[i]; }
  const std::vector<Edge>& after(Item i) const { return after_[i]; }  ///< Edge::from is the user
  const std::vector<Use>& uses(hwir::NodeId node) const { return uses_[node]; }
  /// In topological order.
  const std::vector<Unit>& units() const { return units_; }
  unsigned unitOf(Item i) const { return unit_of_[i]; }

  const hwir::Module& m;

 private:
  void collect();
  void fuse();
  void link(Item from, Item to, int latency);
  void findUnits();
  void pinFirst();
  [[noreturn]] void failLatePop(Item read) const;
  void finishUnit(const std::vector<Item>& items);

  Item reg_base_, pop_base_, push_base_, port_base_, write_base_;
  std::vector<std::vector<const hwir::Value*>> operands_;
  std::vector<std::vector<Edge>> before_, after_;
  std::vector<std::vector<Use>> uses_;
  std::vector<Unit> units_;
  std::vector<unsigned> unit_of_;
};

}  // namespace espalier::backend

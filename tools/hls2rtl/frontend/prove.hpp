// SPDX-License-Identifier: BSD-2-Clause-Patent
/// Decides whether a condition can ever hold, whatever the inputs and the state.
#pragma once
#include <cstdint>
#include <map>
#include <tuple>
#include <utility>
#include <vector>

#include "hwir/hwir.hpp"

namespace espalier::frontend {

/// Builds a binary decision diagram of single bits.  Its variables are the bits of state, ports,
/// memories and products, and of other arithmetic whose diagram grows too large: at first of all
/// arithmetic, because conditions that exclude each other mostly do so whatever was computed; then
/// of ever less.  What is never true for any value of these is proved so; anything else "may
/// happen".
class Prover {
 public:
  explicit Prover(const hwir::Module& module);
  /// `condition` is 1 bit wide.
  bool isNever(const hwir::Value& condition);

 private:
  using Ref = uint32_t;  ///< a diagram node; 0 is false, 1 is true
  struct Node {
    uint32_t variable;
    Ref low, high;
  };

  void forget();
  Ref bit(const hwir::Value& v, unsigned i);
  Ref nodeBit(hwir::NodeId id, unsigned i);
  Ref compute(hwir::NodeId id, unsigned i);
  Ref arithmetic(hwir::NodeId id, unsigned i);
  Ref equal(const hwir::Node& n);
  Ref sum(const hwir::Node& n, hwir::NodeId id, unsigned i);
  Ref shifted(const hwir::Node& n, unsigned i, int position, uint64_t distance);
  Ref word(const hwir::Node& n, unsigned i, int position, uint64_t address);
  Ref carry(hwir::NodeId id, unsigned i);
  Ref variable();
  Ref negated(Ref r) { return ite(r, 0, 1); }
  Ref ite(Ref c, Ref t, Ref e);
  Ref make(uint32_t variable, Ref low, Ref high);

  const hwir::Module& module_;
  std::vector<Node> nodes_;
  std::map<std::tuple<uint32_t, Ref, Ref>, Ref> unique_;
  std::map<std::tuple<Ref, Ref, Ref>, Ref> ite_;
  std::map<std::pair<hwir::NodeId, unsigned>, Ref> bits_, carries_;
  size_t limit_ = 0;       ///< of nodes
  size_t arithmetic_ = 0;  ///< nodes that a bit of one operation may take
  uint32_t variables_ = 0;
};

}  // namespace espalier::frontend

// SPDX-License-Identifier: BSD-2-Clause-Patent
/// Runs one stage as native C++, as HwIR and as Verilated RTL, step by step together.
///
/// A step of a stage fires in every clock in which all its outputs have room (dialect: free-running
/// pipeline, docs/hls2rtl.md).  So in just those clocks the native function and the interpreter are
/// called too, with the very elements visible that the RTL sees.  Then all three must pop the same
/// streams in the same clock and write the same elements in the same order on each stream: also for
/// a step that does this or that depending on which input happens to have something.
#pragma once
#include <deque>
#include <optional>
#include <random>
#include <string>
#include <vector>

#include "hwir/interpreter.hpp"
#include "native_api.hpp"
#include "rtl_api.hpp"

namespace espalier::stagecheck {

using Random = std::mt19937_64;

/// A fair coin, a stop or a flood, for some dozens of clocks each.
class Stalls {
 public:
  explicit Stalls(uint64_t seed) : random_(seed) {}
  /// Whether the stream moves this clock.
  bool flows();

 private:
  Random random_;
  unsigned left_ = 0, of_eight_ = 8;
};

/// A stream of a stage in all executions: positions there.
struct Stream {
  explicit Stream(uint64_t seed) : stalls(seed) {}
  std::string name;
  bool input = false;
  unsigned width = 0;
  unsigned native = 0;           ///< parameter
  unsigned hwir = 0;             ///< among the module's inputs or outputs
  const RtlPort* rtl = nullptr;  ///< nullptr: not Verilated
  Stalls stalls;
  // input: what is to come, and whether its head is visible to the stage
  std::deque<Words> coming;
  bool visible = false;
  // output: what the native function wrote and the RTL has not yet
  std::deque<Words> expected;
  bool room = true;
  uint64_t moved = 0;  ///< elements
};

class Lockstep {
 public:
  /// `rtl` may be null.  Throws std::runtime_error if the executions do not have the same streams.
  Lockstep(const NativeStage& stage, const hwir::Module& module, Rtl* rtl, uint64_t seed);

  /// Gives the inputs `count` random elements each.
  void fill(unsigned count);

  /// One clock, in three parts around Rtl::settle() and Rtl::tick(), which all stages of a bench
  /// share.  While it drains no output has room.  Nothing is compared any more after a difference.
  void offer(bool drain);
  void compare();

  /// What differed, or empty.
  const std::string& difference() const { return difference_; }
  /// What an execution still owes, or empty.
  std::string stuck() const;
  uint64_t steps() const { return steps_; }
  uint64_t elements(bool input) const;
  const std::string& name() const { return stage_.name; }

 private:
  Stream bind(unsigned parameter);
  void step();
  void comparePop(Stream& s);
  void compareWritten(Stream& s);
  void differ(const Stream& s, const std::string& what);

  NativeStage stage_;
  const hwir::Module& module_;
  Rtl* rtl_;
  Random random_;
  std::unique_ptr<Native> native_;
  hwir::Interpreter interpreter_;
  std::vector<Stream> streams_;
  uint64_t clock_ = 0, steps_ = 0;
  std::string difference_;
};

}  // namespace espalier::stagecheck

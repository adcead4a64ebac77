// SPDX-License-Identifier: BSD-2-Clause-Patent
/// The outside of a step: loads and stores of its arguments become stream handshakes, memory ports
/// and registers; and the rules for them are checked.
#pragma once
#include <cstdint>
#include <map>
#include <optional>
#include <string>
#include <vector>

#include "frontend/layout.hpp"
#include "hwir/builder.hpp"

namespace llvm {
class Function;
class Instruction;
}  // namespace llvm

namespace espalier::frontend {

struct Index {
  hwir::Value value;
  uint64_t scale;  ///< bytes
};

/// A load or store of an argument.
struct Access {
  const llvm::Instruction* at;
  hwir::Value when;  ///< 1 bit: this step gets there
  unsigned argument;
  uint64_t offset;  ///< bytes
  std::optional<Index> index;
};

class Ports {
 public:
  Ports(llvm::Function& step, const std::vector<Parameter>& parameters, hwir::Builder& builder);

  hwir::Value load(const Access& access);
  void store(const Access& access, const hwir::Value& data);

  /// Once all accesses are told.  Throws hwir::Error: two accesses of one port on a path, a stream
  /// read that !empty() does not guard, a memory read that follows a write.
  void check();

 private:
  /// One of the four kinds of port that take at most one access per step.
  struct Port {
    std::string what;  ///< for messages: "stream 'in' is read"
    std::string way_out;
    std::vector<Access> accesses;
    std::optional<hwir::Value> forbidden;  ///< an input's empty(): a read must exclude it
  };
  struct Stream {
    const StreamMember* member;
    bool read = false, written = false;
    hwir::InputId input{};
    hwir::OutputId output{};
    Port port;
  };
  struct Memory {
    const MemoryMember* member;
    hwir::MemoryId id;
    Port reads, writes;
  };
  struct Argument {
    const Parameter* parameter;
    std::optional<Stream> stream;
    std::map<uint64_t, hwir::RegisterId> registers;  ///< by offset
    std::vector<Memory> memories;
  };

  void findDirection(llvm::Function& step, unsigned argument, Stream& stream);
  void declareStream(llvm::Function& step, unsigned argument);
  void declareState(Argument& a, const std::string& prefix);
  Memory& memoryOf(Argument& a, const Access& access);
  hwir::Value entry(const Memory& m, const Access& access);
  void checkPort(const Port& port);

  hwir::Builder& builder_;
  std::vector<Argument> arguments_;
};

/// One of several memories can't be reached by an index: each has ports of its own.
[[noreturn]] void failChosenMemory(const llvm::Instruction& at);

}  // namespace espalier::frontend

// SPDX-License-Identifier: BSD-2-Clause-Patent
/// The stage graph of a dataflow function: which step is called with which streams.
#pragma once
#include <string>
#include <vector>

#include "hwir/hwir.hpp"

namespace llvm {
class Function;
}

namespace espalier::frontend {

/// A FIFO between two stages, or a port of the engine.
struct StreamNode {
  std::string name;
  unsigned width = 0;  ///< bits
  unsigned depth = 0;  ///< as the source says; 0: left to the stitcher
  bool external = false;
  hwir::SourceLoc loc;
};

struct StreamArgument {
  std::string port;  ///< the step's parameter
  unsigned stream;   ///< index into Dataflow::streams
};

struct StageCall {
  std::string function;  ///< the linker's name
  std::string instance;  ///< the state member's name, or the module's
  std::vector<StreamArgument> streams;
  hwir::SourceLoc loc;
};

struct Dataflow {
  std::string name;
  hwir::SourceLoc loc;
  std::vector<StreamNode> streams;
  std::vector<StageCall> stages;  ///< in call order
};

/// Throws hwir::Error if the function does anything but call steps with members of its struct and
/// its own streams.
Dataflow readDataflow(llvm::Function& function);

}  // namespace espalier::frontend

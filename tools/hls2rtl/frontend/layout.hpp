// SPDX-License-Identifier: BSD-2-Clause-Patent
/// What lies where in the structs a step function or a dataflow function is given, read from the
/// debug information, which still knows names, widths and template arguments.
#pragma once
#include <cstdint>
#include <optional>
#include <string>
#include <vector>

#include "hwir/hwir.hpp"

namespace llvm {
class DIType;
class Function;
}  // namespace llvm

namespace espalier::frontend {

/// A scalar: one register, or one element of a fully partitioned array.
struct Leaf {
  std::string name;
  uint64_t offset = 0;  ///< bytes
  uint64_t bytes = 0;   ///< storage
  hwir::SourceLoc loc;
};

/// `count` elements, `stride` bytes apart.
struct Array {
  uint64_t offset = 0, stride = 0, count = 0;
};

/// A hls::mem<T, N, LATENCY, HAZARD>.
struct MemoryMember {
  std::string name;
  uint64_t offset = 0, stride = 0;  ///< bytes
  unsigned width = 0;               ///< bits
  unsigned depth = 0, latency = 1;
  hwir::Hazard hazard = hwir::Hazard::kForbid;
  hwir::SourceLoc loc;
  uint64_t bytes() const { return stride * depth; }
};

/// A hls::stream<T, DEPTH>; the three places of hls_stream.h relative to its beginning.
struct StreamMember {
  std::string name;
  uint64_t offset = 0, bytes = 0;
  uint64_t empty_at = 0, in_at = 0, out_at = 0;
  unsigned width = 0;  ///< bits
  unsigned depth = 0;  ///< 0: left to the stitcher
  hwir::SourceLoc loc;
};

/// A nested struct, e.g. one stage's state in the engine's.
struct StructMember {
  std::string name;
  uint64_t offset = 0, bytes = 0;
};

struct Layout {
  uint64_t bytes = 0;
  std::vector<Leaf> leaves;
  std::vector<Array> arrays;
  std::vector<MemoryMember> memories;
  std::vector<StreamMember> streams;
  std::vector<StructMember> structs;

  const MemoryMember* memoryAt(uint64_t offset) const;
  const StreamMember* streamAt(uint64_t offset) const;
  const Leaf* leafAt(uint64_t offset) const;
};

struct Parameter {
  std::string name;
  bool is_stream = false;  ///< then layout.streams[0] is it; else a struct
  Layout layout;
};

/// The parameters of a step function or a dataflow function.  Throws hwir::Error if one is neither
/// a stream nor a struct, both by reference.
std::vector<Parameter> readParameters(const llvm::Function& function);

}  // namespace espalier::frontend

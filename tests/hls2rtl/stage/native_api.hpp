// SPDX-License-Identifier: BSD-2-Clause-Patent
/// What a shared library of native stages offers (native.hpp makes one).
#pragma once
#include <cstdint>
#include <memory>
#include <sstream>
#include <string>
#include <vector>

namespace espalier::stagecheck {

/// A packed stream element, least significant 32 bits first; bits above its width are zero.
using Words = std::vector<uint32_t>;

/// One instance of a step function with its streams, numbered in parameter order.
class Native {
 public:
  virtual ~Native() = default;
  virtual void push(unsigned stream, const Words& element) = 0;
  virtual Words pop(unsigned stream) = 0;  ///< The stream must not be empty.
  virtual bool empty(unsigned stream) = 0;
  virtual void step() = 0;
};

struct NativeStage {
  std::string name;                  ///< As the translator names the module.
  std::vector<std::string> streams;  ///< Names of the stream parameters, in order.
  std::vector<unsigned> widths;      ///< Their elements' widths, bits.
  std::unique_ptr<Native> (*make)();
  /// Turns a random element of an input, by parameter position, into one worth trying; nullptr: all
  /// are.
  void (*narrow)(unsigned stream, Words& element) = nullptr;

  NativeStage narrowed(void (*by)(unsigned, Words&)) const {
    NativeStage stage = *this;
    stage.narrow = by;
    return stage;
  }
};

inline std::vector<std::string> splitNames(const char* names) {
  std::istringstream in(names);
  std::vector<std::string> result;
  for (std::string name; in >> name;) result.push_back(name);
  return result;
}

/// The library's one symbol.
inline constexpr const char* kNativeSymbol = "espalier_native_stages";
using ListNativeStages = void(std::vector<NativeStage>& stages);

}  // namespace espalier::stagecheck

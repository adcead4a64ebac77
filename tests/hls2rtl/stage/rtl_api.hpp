// SPDX-License-Identifier: BSD-2-Clause-Patent
/// What a shared library of Verilated stages offers (verilate_stages.py makes one): any number of
/// stages side by side under one clock.
#pragma once
#include <cstdint>
#include <memory>

#include "native_api.hpp"

namespace espalier::stagecheck {

/// A stream port of a stage.  Input: valid, data, ready; output: valid, data, room.
struct RtlPort {
  const char* stage;
  const char* name;
  bool input;
  unsigned width;  ///< bits of data
  unsigned index;  ///< among the inputs, or the outputs, of all stages
  unsigned word;   ///< where its data begins among the inputs', or the outputs', 32-bit words
};

class Rtl {
 public:
  virtual ~Rtl() = default;
  virtual const std::vector<RtlPort>& ports() const = 0;

  virtual void reset(bool asserted) = 0;
  virtual void offer(const RtlPort& input, const Words* element) = 0;  ///< nullptr: not valid
  virtual void room(const RtlPort& output, bool room) = 0;
  virtual void settle() = 0;                            ///< Evaluates combinational paths.
  virtual bool ready(const RtlPort& input) const = 0;   ///< The stage takes the element now.
  virtual bool valid(const RtlPort& output) const = 0;  ///< The stage writes an element now.
  virtual Words element(const RtlPort& output) const = 0;
  virtual void tick() = 0;  ///< A rising edge.
};

/// The library's one symbol; the caller owns what it returns.
inline constexpr const char* kRtlSymbol = "espalier_make_rtl";
using MakeRtl = Rtl*();

}  // namespace espalier::stagecheck

// SPDX-License-Identifier: BSD-2-Clause-Patent
#include "lockstep.hpp"

#include <algorithm>
#include <stdexcept>

namespace espalier::stagecheck {
namespace {

hwir::Bits toBits(const Words& words, unsigned width) {
  std::vector<uint64_t> wide((words.size() + 1) / 2);
  for (size_t i = 0; i < words.size(); ++i) wide[i / 2] |= uint64_t(words[i]) << 32 * (i % 2);
  return hwir::Bits::fromWords(width, wide);
}

Words toWords(const hwir::Bits& bits) {
  Words words((bits.width() + 31) / 32);
  for (size_t i = 0; i < words.size(); ++i) words[i] = bits.words()[i / 2] >> 32 * (i % 2);
  return words;
}

std::string hex(const Words& words, unsigned width) {
  return toBits(words, width).hex();
}

/// An element that is likely to meet a corner: zeros, ones, few bits, the last one again.
Words randomElement(Random& random, unsigned width, const Words& last) {
  Words words((width + 31) / 32);
  switch (random() % 8) {
    case 0:
      break;
    case 1:
      std::fill(words.begin(), words.end(), ~0u);
      break;
    case 2:
      words[random() % width / 32] = 1u << random() % 32;
      break;
    case 3:
      if (!last.empty()) words = last;
      words[0] += 1;
      break;
    default:
      for (auto& w : words) w = uint32_t(random());
  }
  if (width % 32) words.back() &= (1u << width % 32) - 1;
  return words;
}

}  // namespace

bool Stalls::flows() {
  if (left_-- == 0) {
    static constexpr unsigned kRates[] = {8, 8, 8, 6, 4, 1};
    of_eight_ = kRates[random_() % std::size(kRates)];
    left_ = 16 + random_() % 64;
  }
  return random_() % 8 < of_eight_;
}

Lockstep::Lockstep(const NativeStage& stage, const hwir::Module& module, Rtl* rtl, uint64_t seed)
    : stage_(stage),
      module_(module),
      rtl_(rtl),
      random_(seed),
      native_(stage.make()),
      interpreter_(module) {
  for (unsigned i = 0; i < stage_.streams.size(); ++i) streams_.push_back(bind(i));
  if (streams_.size() != module.inputs.size() + module.outputs.size())
    throw std::runtime_error(name() + ": the HwIR has other streams than the C++ function");
}

Stream Lockstep::bind(unsigned parameter) {
  Stream s(random_());
  s.name = stage_.streams[parameter];
  s.width = stage_.widths[parameter];
  s.native = parameter;
  const auto named = [&](const auto& port) { return port.name == s.name; };
  const auto input = std::find_if(module_.inputs.begin(), module_.inputs.end(), named);
  const auto output = std::find_if(module_.outputs.begin(), module_.outputs.end(), named);
  s.input = input != module_.inputs.end();
  if (!s.input && output == module_.outputs.end())
    throw std::runtime_error(name() + ": the HwIR has no stream " + s.name);
  s.hwir = s.input ? input - module_.inputs.begin() : output - module_.outputs.begin();
  if ((s.input ? input->width : output->width) != s.width)
    throw std::runtime_error(name() + "." + s.name + ": other width in HwIR than in C++");
  if (!rtl_) return s;
  for (const RtlPort& port : rtl_->ports())
    if (port.stage == name() && port.name == s.name && port.input == s.input) s.rtl = &port;
  if (!s.rtl || s.rtl->width != s.width)
    throw std::runtime_error(name() + "." + s.name + ": no such port, or of another width, in RTL");
  return s;
}

void Lockstep::fill(unsigned count) {
  for (Stream& s : streams_) {
    s.coming.clear();
    Words last;
    for (unsigned i = 0; s.input && i < count; ++i) {
      last = randomElement(random_, s.width, last);
      if (stage_.narrow) stage_.narrow(s.native, last);
      s.coming.push_back(last);
    }
  }
}

void Lockstep::offer(bool drain) {
  for (Stream& s : streams_) {
    if (s.input) {
      if (!s.visible && !s.coming.empty() && s.stalls.flows()) {
        s.visible = true;
        native_->push(s.native, s.coming.front());
        interpreter_.input(s.hwir).push_back(toBits(s.coming.front(), s.width));
      }
      if (rtl_) rtl_->offer(*s.rtl, s.visible ? &s.coming.front() : nullptr);
    } else {
      s.room = s.stalls.flows() && !drain;
      if (rtl_) rtl_->room(*s.rtl, s.room);
    }
  }
}

void Lockstep::compare() {
  ++clock_;
  if (!difference_.empty()) return;
  const bool fires = std::all_of(streams_.begin(), streams_.end(),
                                 [](const Stream& s) { return s.input || s.room; });
  if (fires) step();
  for (Stream& s : streams_) {
    if (!difference_.empty()) return;
    if (s.input) {
      comparePop(s);
    } else {
      compareWritten(s);
    }
  }
}

void Lockstep::step() {
  ++steps_;
  native_->step();
  interpreter_.step();
  for (Stream& s : streams_) {
    if (s.input) continue;
    auto& written = interpreter_.output(s.hwir);
    if (native_->empty(s.native) != written.empty())
      return differ(s, written.empty() ? "the native function writes, HwIR does not"
                                       : "HwIR writes, the native function does not");
    if (written.empty()) continue;
    const Words native = native_->pop(s.native), hwir = toWords(written.front());
    written.pop_front();
    if (native != hwir)
      return differ(s, "native writes " + hex(native, s.width) + ", HwIR " + hex(hwir, s.width));
    s.expected.push_back(native);
    ++s.moved;
  }
}

void Lockstep::comparePop(Stream& s) {
  const bool native = s.visible && native_->empty(s.native);
  const bool hwir = s.visible && interpreter_.input(s.hwir).empty();
  const bool rtl = rtl_ ? rtl_->ready(*s.rtl) : native;
  if (native != hwir || native != rtl)
    return differ(s, std::string("popped by:") + (native ? " native" : "") + (hwir ? " HwIR" : "") +
                         (rtl_ && rtl ? " RTL" : "") + "; the others did not");
  if (!native) return;
  s.coming.pop_front();
  s.visible = false;
  ++s.moved;
}

void Lockstep::compareWritten(Stream& s) {
  if (!rtl_) return s.expected.clear();
  if (!rtl_->valid(*s.rtl)) return;
  const Words rtl = rtl_->element(*s.rtl);
  if (s.expected.empty())
    return differ(s, "the RTL writes " + hex(rtl, s.width) + ", which nobody else did");
  const Words native = s.expected.front();
  s.expected.pop_front();
  if (rtl != native)
    differ(s, "native writes " + hex(native, s.width) + ", RTL " + hex(rtl, s.width));
}

void Lockstep::differ(const Stream& s, const std::string& what) {
  difference_ = name() + "." + s.name + ", clock " + std::to_string(clock_) + ", step " +
                std::to_string(steps_) + ", element " + std::to_string(s.moved) + ": " + what;
}

std::string Lockstep::stuck() const {
  for (const Stream& s : streams_) {
    if (!s.expected.empty())
      return name() + "." + s.name + ": the RTL never writes " + std::to_string(s.expected.size()) +
             " elements that the others do, first " + hex(s.expected.front(), s.width);
  }
  return "";
}

uint64_t Lockstep::elements(bool input) const {
  uint64_t sum = 0;
  for (const Stream& s : streams_) sum += s.input == input ? s.moved : 0;
  return sum;
}

}  // namespace espalier::stagecheck

// SPDX-License-Identifier: BSD-2-Clause-Patent
/// A stage as its C++ source runs natively (csim), behind an interface that knows no types: streams
/// by position, elements as packed words.
///
/// One file per library of stages lists them:
///   ESPALIER_NATIVE_STAGES(ESPALIER_STAGE("gctr", espalier::gctr, "framed keystream out hashed"))
#pragma once
#include <fields.h>
#include <hls_stream.h>

#include <memory>
#include <tuple>

#include "native_api.hpp"

namespace espalier::stagecheck {

template <class T>
Words toWords(const T& x) {
  constexpr int kWidth = hls::width_of<T>;
  const ap_uint<kWidth> packed = hls::pack(x);
  Words words((kWidth + 31) / 32);
  for (int i = 0; i < kWidth; i += 32) {
    const int top = i + 31 < kWidth ? i + 31 : kWidth - 1;
    words[i / 32] = ap_uint<32>(packed.range(top, i)).to_uint();
  }
  return words;
}

template <class T>
T fromWords(const Words& words) {
  constexpr int kWidth = hls::width_of<T>;
  ap_uint<kWidth> packed = 0;
  for (int i = 0; i < kWidth; i += 32) {
    const int top = i + 31 < kWidth ? i + 31 : kWidth - 1;
    packed.range(top, i) = ap_uint<32>(words[i / 32]);
  }
  return hls::unpack<T>(packed);
}

template <class Stream>
struct ElementOf;
template <class T, int Depth>
struct ElementOf<hls::stream<T, Depth>> {
  using type = T;
};

/// A step function's parameters: its state, if it has one, then its streams.
template <class Step>
struct Parameters;
template <class State, class... Streams>
struct Parameters<void (*)(State&, Streams&...)> {
  using StateType = State;
  using StreamTuple = std::tuple<Streams...>;
  static void call(auto step, State& state, Streams&... streams) { step(state, streams...); }
};
template <class T, int Depth, class... Streams>
struct Parameters<void (*)(hls::stream<T, Depth>&, Streams&...)> {
  struct StateType {};
  using StreamTuple = std::tuple<hls::stream<T, Depth>, Streams...>;
  static void call(auto step, StateType&, hls::stream<T, Depth>& first, Streams&... streams) {
    step(first, streams...);
  }
};

/// One instance of a step function: its state, zero as after reset, and its streams.
template <class Step>
class NativeModel : public Native {
 public:
  explicit NativeModel(Step step) : step_(step), state_(new State()) {}

  static std::vector<unsigned> widths() {
    return []<class... S>(const std::tuple<S...>*) -> std::vector<unsigned> {
      return {unsigned(hls::width_of<typename ElementOf<S>::type>)...};
    }(static_cast<const Streams*>(nullptr));
  }

  void push(unsigned stream, const Words& element) override {
    visit(stream, [&](auto& s) {
      using T = typename ElementOf<std::decay_t<decltype(s)>>::type;
      s.write(fromWords<T>(element));
    });
  }
  Words pop(unsigned stream) override {
    Words element;
    visit(stream, [&](auto& s) { element = toWords(s.read()); });
    return element;
  }
  bool empty(unsigned stream) override {
    bool is = true;
    visit(stream, [&](auto& s) { is = s.empty(); });
    return is;
  }
  void step() override {
    std::apply([&](auto&... s) { Parameters<Step>::call(step_, *state_, s...); }, streams_);
  }

 private:
  using State = typename Parameters<Step>::StateType;
  using Streams = typename Parameters<Step>::StreamTuple;

  template <class Visitor>
  void visit(unsigned stream, Visitor&& visitor) {
    unsigned i = 0;
    std::apply([&](auto&... s) { ((i++ == stream ? visitor(s) : void()), ...); }, streams_);
  }

  Step step_;
  std::unique_ptr<State> state_;  // may hold large memories
  Streams streams_;
};

template <auto Step>
NativeStage nativeStage(const char* name, const char* streams) {
  using Model = NativeModel<decltype(Step)>;
  NativeStage stage;
  stage.name = name;
  stage.streams = splitNames(streams);
  stage.widths = Model::widths();
  stage.make = []() -> std::unique_ptr<Native> { return std::make_unique<Model>(Step); };
  return stage;
}

}  // namespace espalier::stagecheck

#define ESPALIER_STAGE(name, step, streams) espalier::stagecheck::nativeStage<&step>(name, streams)
#define ESPALIER_NATIVE_STAGES(...)                                                           \
  extern "C" void espalier_native_stages(std::vector<espalier::stagecheck::NativeStage>& s) { \
    for (auto& stage : {__VA_ARGS__}) s.push_back(stage);                                     \
  }

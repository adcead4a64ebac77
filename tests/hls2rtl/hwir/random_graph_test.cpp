// SPDX-License-Identifier: BSD-2-Clause-Patent
/// Random graphs: whatever the builder and the optimiser simplify, the value stays the same.
///
/// Beside each Value its meaning under a few random inputs is kept, computed with Bits alone; the
/// finished module, interpreted, has to give the same.
#include <gtest/gtest.h>

#include <array>
#include <random>

#include "hwir/builder.hpp"
#include "hwir/interpreter.hpp"

namespace espalier::hwir {
namespace {

constexpr unsigned kSamples = 6;

struct Shadowed {
  Value value;
  std::array<Bits, kSamples> meaning;
};

class RandomGraph {
 public:
  explicit RandomGraph(unsigned seed) : rng_(seed), b_("random") {}

  void build(unsigned operations) {
    for (int i = 0; i < 4; i++) addInput(1 + rng_() % (i % 2 ? 140 : 12));
    for (int i = 0; i < 2; i++) addInput(1);
    for (unsigned i = 0; i < operations; i++) pool_.push_back(operation());
    for (int i = 0; i < 6; i++) {
      outputs_.push_back(pool_[pool_.size() - 1 - rng_() % (pool_.size() / 2)]);
      const unsigned width = outputs_.back().value.width();
      b_.write(b_.addOutput("out", width), Value::constant(1, 1), outputs_.back().value);
    }
  }

  void check() {
    const Module m = b_.finish();
    for (unsigned s = 0; s < kSamples; s++) {
      Interpreter run(m);
      for (unsigned i = 0; i < inputs_.size(); i++) run.input(i).push_back(inputs_[i].meaning[s]);
      run.step();
      for (unsigned i = 0; i < outputs_.size(); i++) {
        ASSERT_EQ(run.output(i).at(0).hex(), outputs_[i].meaning[s].hex())
            << "output " << i << " = " << dump(b_.module(), outputs_[i].value) << "\n"
            << dump(m);
      }
    }
  }

 private:
  Bits randomBits(unsigned width) {
    std::vector<uint64_t> words((width + 63) / 64);
    for (uint64_t& w : words) w = rng_();
    const Bits r = Bits::fromWords(width, words);
    return rng_() % 8 ? r : rng_() % 2 ? Bits(width) : Bits::ones(width);
  }

  void addInput(unsigned width) {
    Shadowed s;
    for (Bits& b : s.meaning) b = randomBits(width);
    s.value = b_.read(b_.addInput("in", width), Value::constant(1, 1));
    inputs_.push_back(s);
    pool_.push_back(s);
  }

  Shadowed constant(unsigned width) {
    Bits k = randomBits(width);
    if (rng_() % 2) k = k & Bits::ones(width).shl(rng_() % width);
    if (rng_() % 3 == 0) k = k.lshr(rng_() % width);
    Shadowed s{Value(k), {}};
    s.meaning.fill(k);
    return s;
  }

  Shadowed resized(const Shadowed& s, unsigned width) {
    Shadowed r = s;
    const unsigned have = s.value.width();
    if (have > width) {
      const unsigned lo = rng_() % (have - width + 1);
      r.value = s.value.slice(lo, width);
      for (Bits& b : r.meaning) b = b.slice(lo, width);
    } else if (have < width && rng_() % 4 == 0) {
      r.value = s.value.sext(width);
      for (Bits& b : r.meaning) {
        b = b.bit(have - 1) ? b.append(Bits::ones(width - have)) : b.resize(width);
      }
    } else if (have < width) {
      const unsigned up = rng_() % (width - have + 1);
      r.value = s.value.zext(width).shlConst(up);
      for (Bits& b : r.meaning) b = b.resize(width).shl(up);
    }
    return r;
  }

  Shadowed operand(unsigned width) {
    if (rng_() % 6 == 0) return constant(width);
    return resized(pool_[rng_() % pool_.size()], width);
  }

  template <class F>
  Shadowed combine(Value value, F f) {
    Shadowed r{std::move(value), {}};
    for (unsigned s = 0; s < kSamples; s++) r.meaning[s] = f(s);
    return r;
  }

  Shadowed operation() {
    static constexpr unsigned kWidths[] = {1, 1, 1, 1, 2, 7, 8, 16, 32, 33, 64, 100, 128};
    const unsigned w = kWidths[rng_() % std::size(kWidths)];
    const Shadowed a = operand(w);
    const Shadowed b = operand(w);
    const Shadowed c = operand(1);
    const Shadowed n = operand(1 + rng_() % 9);
    const auto& x = a.meaning;
    const auto& y = b.meaning;
    switch (rng_() % 16) {
      case 0:
        return combine(b_.andOf(a.value, b.value), [&](int s) { return x[s] & y[s]; });
      case 1:
        return combine(b_.orOf(a.value, b.value), [&](int s) { return x[s] | y[s]; });
      case 2:
        return combine(b_.xorOf(a.value, b.value), [&](int s) { return x[s] ^ y[s]; });
      case 3:
        return combine(b_.notOf(a.value), [&](int s) { return ~x[s]; });
      case 4:
        return combine(b_.add(a.value, b.value), [&](int s) { return x[s] + y[s]; });
      case 5:
        return combine(b_.sub(a.value, b.value), [&](int s) { return x[s] - y[s]; });
      case 6:
        return combine(b_.mul(a.value, b.value), [&](int s) { return x[s] * y[s]; });
      case 7:
        return combine(b_.eq(a.value, b.value), [&](int s) { return Bits(1, x[s] == y[s]); });
      case 8:
        return combine(b_.ult(a.value, b.value), [&](int s) { return Bits(1, x[s].ult(y[s])); });
      case 9:
        return combine(b_.slt(a.value, b.value), [&](int s) { return Bits(1, x[s].slt(y[s])); });
      case 10:
        return combine(b_.shl(a.value, n.value),
                       [&](int s) { return x[s].shl(n.meaning[s].low64()); });
      case 11:
        return combine(b_.lshr(a.value, n.value),
                       [&](int s) { return x[s].lshr(n.meaning[s].low64()); });
      case 12:
        return combine(b_.ashr(a.value, n.value), [&](int s) {
          const uint64_t k = n.meaning[s].low64();
          return x[s].bit(w - 1) ? ~(~x[s]).lshr(k) : x[s].lshr(k);
        });
      case 13:
        return combine(b_.phi({{c.value, a.value}, {b_.notOf(c.value), b.value}}),
                       [&](int s) { return c.meaning[s].isZero() ? y[s] : x[s]; });
      default:
        return combine(b_.mux(c.value, a.value, b.value),
                       [&](int s) { return c.meaning[s].isZero() ? y[s] : x[s]; });
    }
  }

  std::mt19937 rng_;
  Builder b_;
  std::vector<Shadowed> pool_, inputs_, outputs_;
};

TEST(RandomGraph, SimplificationKeepsTheMeaning) {
  for (unsigned seed = 1; seed <= 400 && !HasFatalFailure(); seed++) {
    SCOPED_TRACE("seed " + std::to_string(seed));
    RandomGraph g(seed);
    g.build(10 + seed % 80);
    g.check();
  }
}

}  // namespace
}  // namespace espalier::hwir

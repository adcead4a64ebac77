// SPDX-License-Identifier: BSD-2-Clause-Patent
#include "hwir/forward.hpp"

#include "hwir/optimise.hpp"
#include "hwir/rebuild.hpp"

namespace espalier::hwir {

namespace {

Masks allBits(const Module& m) {
  Masks r;
  for (const Register& x : m.registers) r.push_back(Bits::ones(x.width));
  return r;
}

/// Registers hold the last writes; a read compares its address with theirs.
class Forwarding : public Rebuild {
 public:
  Forwarding(const Module& m, const Masks& kept, unsigned memory, unsigned steps)
      : Rebuild(m, kept, nullptr), memory_(memory) {
    const Memory& x = m.memories[memory];
    for (unsigned i = 1; i <= steps; i++) {
      const std::string name = x.name + "_write" + std::to_string(i);
      writes_.push_back({b_.addRegister(name + "_valid", 1, x.loc),
                         b_.addRegister(name + "_addr", x.addrWidth(), x.loc),
                         b_.addRegister(name + "_data", x.width, x.loc)});
    }
  }

  Module finish() {
    run();
    const Memory& x = old_.memories[memory_];
    Value valid = translate(x.write_enable);
    Value addr = translate(x.write_addr);
    Value data = translate(x.write_data);
    for (const Write& w : writes_) {
      b_.setNext(w.valid, valid);
      b_.setNext(w.addr, addr);
      b_.setNext(w.data, data);
      valid = b_.reg(w.valid);
      addr = b_.reg(w.addr);
      data = b_.reg(w.data);
    }
    Module m = take();
    m.memories[memory_].hazard = Hazard::kPromise;
    return tidy(std::move(m));
  }

 protected:
  Value memoryData(unsigned memory, const Value& read) override {
    if (memory != memory_) return read;
    const Value addr = translate(old_.memories[memory].read_addr);
    Value r = read;
    for (size_t i = writes_.size(); i-- > 0;) {
      const Write& w = writes_[i];
      r = b_.mux(b_.andOf(b_.reg(w.valid), b_.eq(b_.reg(w.addr), addr)), b_.reg(w.data), r);
    }
    return r;
  }

 private:
  struct Write {
    RegisterId valid, addr, data;
  };
  const unsigned memory_;
  std::vector<Write> writes_;
};

}  // namespace

bool writesWhatItRead(const Module& m, unsigned memory) {
  std::vector<bool> nodes(m.nodes.size()), registers(m.registers.size());
  bool found = false;
  const auto touched = [&](const Value& v) {
    for (const Seg& s : v.segs()) {
      if (!s.isConstant() && nodes[s.node]) return true;
    }
    return false;
  };
  for (bool changed = true; changed;) {
    changed = false;
    for (size_t id = 0; id < m.nodes.size(); id++) {
      const Node& n = m.nodes[id];
      bool now = (n.op == Op::kMemRead && n.index == memory) ||
                 (n.op == Op::kRegister && registers[n.index]);
      if (n.op == Op::kMemRead && n.index != memory) {
        const Memory& x = m.memories[n.index];
        for (const Value* v :
             {&x.read_addr, &x.read_enable, &x.write_addr, &x.write_enable, &x.write_data}) {
          now |= touched(*v);
        }
      }
      for (const Value& v : n.operands) now |= touched(v);
      changed |= now && !nodes[id];
      nodes[id] = now;
    }
    for (size_t i = 0; i < registers.size(); i++) {
      if (registers[i] || !touched(m.registers[i].next)) continue;
      registers[i] = changed = true;
    }
    const Memory& x = m.memories[memory];
    found = touched(x.write_enable) || touched(x.write_addr) || touched(x.write_data);
  }
  return found;
}

Module forwardWrites(const Module& module, unsigned memory, unsigned steps) {
  const Masks kept = allBits(module);
  return Forwarding(module, kept, memory, steps).finish();
}

}  // namespace espalier::hwir

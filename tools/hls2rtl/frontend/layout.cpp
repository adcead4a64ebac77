// SPDX-License-Identifier: BSD-2-Clause-Patent
#include "frontend/layout.hpp"

#include <llvm/BinaryFormat/Dwarf.h>
#include <llvm/IR/Constants.h>
#include <llvm/IR/DebugInfoMetadata.h>
#include <llvm/IR/Function.h>

#include "frontend/diagnostics.hpp"

namespace espalier::frontend {

namespace {

using namespace llvm;

/// The type behind typedefs and qualifiers.
const DIType* strip(const DIType* type) {
  while (const auto* derived = dyn_cast_or_null<DIDerivedType>(type)) {
    switch (derived->getTag()) {
      case dwarf::DW_TAG_typedef:
      case dwarf::DW_TAG_const_type:
      case dwarf::DW_TAG_volatile_type:
      case dwarf::DW_TAG_member:
        type = derived->getBaseType();
        continue;
      default:
        return type;
    }
  }
  return type;
}

uint64_t bytesOf(const DIType* type) {
  return (strip(type)->getSizeInBits() + 7) / 8;
}

std::optional<uint64_t> templateValue(const DICompositeType& type, StringRef name) {
  for (const DINode* parameter : type.getTemplateParams()) {
    const auto* value = dyn_cast<DITemplateValueParameter>(parameter);
    if (!value || value->getName() != name) continue;
    const auto* constant = dyn_cast_or_null<ConstantAsMetadata>(value->getValue());
    const auto* integer = constant ? dyn_cast<ConstantInt>(constant->getValue()) : nullptr;
    if (integer) return integer->getZExtValue();
  }
  return std::nullopt;
}

bool isIn(const DICompositeType& type, StringRef space, StringRef stem) {
  const auto* scope = dyn_cast_or_null<DINamespace>(type.getScope());
  return scope && scope->getName() == space && type.getName().starts_with((stem + "<").str());
}

const DIDerivedType* member(const DICompositeType& type, StringRef name) {
  for (const DINode* element : type.getElements()) {
    const auto* m = dyn_cast<DIDerivedType>(element);
    if (m && m->getTag() == dwarf::DW_TAG_member && m->getName() == name) return m;
  }
  return nullptr;
}

uint64_t memberOffset(const DICompositeType& type, StringRef name) {
  const DIDerivedType* m = member(type, name);
  return m ? m->getOffsetInBits() / 8 : 0;
}

unsigned wireWidth(const DIType* type) {
  const auto* wires = dyn_cast<DICompositeType>(strip(type));
  return wires ? unsigned(templateValue(*wires, "W").value_or(0)) : 0;
}

class Reader {
 public:
  explicit Reader(Layout& layout) : layout_(layout) {}

  void read(const DIType* type, uint64_t offset, const std::string& name, hwir::SourceLoc loc) {
    type = strip(type);
    if (!type) return;
    if (const auto* basic = dyn_cast<DIBasicType>(type)) {
      if (basic->getEncoding() == dwarf::DW_ATE_float) {
        fail(loc, "'" + name + "' is a floating-point number",
             "state is made of ap_uint, ap_int, C integers, enums, arrays and structs of these");
      }
      return leaf(type, offset, name, loc);
    }
    const auto* composite = dyn_cast<DICompositeType>(type);
    if (!composite) {
      fail(loc, "'" + name + "' is a pointer or a reference",
           "keep the object itself in the state, or an index into an array of it");
    }
    switch (composite->getTag()) {
      case dwarf::DW_TAG_enumeration_type:
        return leaf(type, offset, name, loc);
      case dwarf::DW_TAG_array_type:
        return array(*composite, offset, name, loc, 0);
      case dwarf::DW_TAG_union_type:
        fail(loc, "'" + name + "' is a union", "give each member its own place in a struct");
      default:
        return structure(*composite, offset, name, loc);
    }
  }

 private:
  void leaf(const DIType* type, uint64_t offset, const std::string& name, hwir::SourceLoc loc) {
    layout_.leaves.push_back({name, offset, bytesOf(type), loc});
  }

  void array(const DICompositeType& type, uint64_t offset, const std::string& name,
             hwir::SourceLoc loc, unsigned dimension) {
    const auto dimensions = type.getElements();
    if (dimension == dimensions.size()) return read(type.getBaseType(), offset, name, loc);
    uint64_t inner = bytesOf(type.getBaseType());
    for (unsigned d = dimension + 1; d < dimensions.size(); ++d) inner *= count(dimensions[d]);
    const uint64_t n = count(dimensions[dimension]);
    layout_.arrays.push_back({offset, inner, n});
    for (uint64_t i = 0; i < n; ++i) {
      array(type, offset + i * inner, name + "_" + std::to_string(i), loc, dimension + 1);
    }
  }

  static uint64_t count(const DINode* range) {
    const auto* subrange = dyn_cast<DISubrange>(range);
    const auto bound = subrange ? subrange->getCount() : DISubrange::BoundType();
    const auto* n = dyn_cast_if_present<ConstantInt*>(bound);
    return n ? n->getZExtValue() : 0;
  }

  void structure(const DICompositeType& type, uint64_t offset, const std::string& name,
                 hwir::SourceLoc loc) {
    if (isIn(type, "hls", "stream")) return stream(type, offset, name, loc);
    if (isIn(type, "hls", "mem")) return memory(type, offset, name, loc);
    if (member(type, "V") && type.getName().starts_with("ap_int_base<")) {
      return leaf(&type, offset, name, loc);
    }
    if (!name.empty()) layout_.structs.push_back({name, offset, bytesOf(&type)});
    for (const DINode* element : type.getElements()) {
      const auto* m = dyn_cast<DIDerivedType>(element);
      if (!m || m->isStaticMember()) continue;
      const uint64_t at = offset + m->getOffsetInBits() / 8;
      if (m->getTag() == dwarf::DW_TAG_inheritance) {
        read(m->getBaseType(), at, name, loc);
      } else if (m->getTag() == dwarf::DW_TAG_member) {
        const hwir::SourceLoc here{m->getFilename().str(), m->getLine()};
        const bool ours = m->getName() == "V";
        const std::string path =
            name.empty() ? m->getName().str() : name + "_" + m->getName().str();
        if (m->isBitField()) {
          fail(here, "'" + m->getName().str() + "' is a bit field",
               "make it an ap_uint of that width");
        }
        read(m->getBaseType(), at, path, ours ? loc : here);
      }
    }
  }

  /// A stream with a depth is derived from the one without, which has the members.
  static const DICompositeType* streamWires(const DICompositeType& type) {
    for (const DINode* element : type.getElements()) {
      const auto* base = dyn_cast<DIDerivedType>(element);
      if (base && base->getTag() == dwarf::DW_TAG_inheritance) {
        return cast<DICompositeType>(strip(base->getBaseType()));
      }
    }
    return &type;
  }

  void stream(const DICompositeType& type, uint64_t offset, const std::string& name,
              hwir::SourceLoc loc) {
    const DICompositeType& wires = *streamWires(type);
    StreamMember s;
    s.name = name;
    s.offset = offset;
    s.bytes = bytesOf(&type);
    s.empty_at = memberOffset(wires, "empty_");
    s.in_at = memberOffset(wires, "in_");
    s.out_at = memberOffset(wires, "out_");
    s.width = wireWidth(member(wires, "in_"));
    s.depth = unsigned(templateValue(type, "DEPTH").value_or(0));
    s.loc = loc;
    layout_.streams.push_back(s);
  }

  void memory(const DICompositeType& type, uint64_t offset, const std::string& name,
              hwir::SourceLoc loc) {
    MemoryMember m;
    m.name = name;
    m.offset = offset;
    m.depth = unsigned(templateValue(type, "N").value_or(0));
    m.latency = unsigned(templateValue(type, "LATENCY").value_or(1));
    m.hazard = hwir::Hazard(templateValue(type, "HAZARD").value_or(0));
    m.stride = bytesOf(&type) / m.depth;
    const auto* entries = dyn_cast<DICompositeType>(strip(member(type, "entry_")));
    m.width = wireWidth(entries->getBaseType());
    m.loc = loc;
    layout_.memories.push_back(m);
  }

  Layout& layout_;
};

template <class Members>
auto* covering(const Members& members, uint64_t offset) {
  for (const auto& m : members) {
    uint64_t bytes;
    if constexpr (requires { m.bytes(); }) {
      bytes = m.bytes();
    } else {
      bytes = m.bytes;
    }
    if (offset >= m.offset && offset < m.offset + bytes) return &m;
  }
  return static_cast<decltype(members.data())>(nullptr);
}

}  // namespace

const MemoryMember* Layout::memoryAt(uint64_t offset) const {
  return covering(memories, offset);
}
const StreamMember* Layout::streamAt(uint64_t offset) const {
  return covering(streams, offset);
}
const Leaf* Layout::leafAt(uint64_t offset) const {
  return covering(leaves, offset);
}

std::vector<Parameter> readParameters(const Function& function) {
  std::vector<Parameter> parameters;
  const DISubprogram* sub = function.getSubprogram();
  const auto types = sub->getType()->getTypeArray();
  const hwir::SourceLoc loc = functionLoc(function);
  const std::string name = sourceName(function);
  if (!function.getReturnType()->isVoidTy()) {
    fail(loc, "'" + name + "' returns a value", "a step returns void and writes to streams");
  }
  for (const Argument& argument : function.args()) {
    Parameter p;
    p.name = argument.getName().str();
    const unsigned index = argument.getArgNo() + 1;  // 0 is the return type
    const auto* reference =
        index < types.size() ? dyn_cast_or_null<DIDerivedType>(types[index]) : nullptr;
    const DIType* type = reference ? strip(reference->getBaseType()) : nullptr;
    if (!reference || reference->getTag() != dwarf::DW_TAG_reference_type ||
        !isa_and_nonnull<DICompositeType>(type)) {
      fail(loc,
           "parameter '" + p.name + "' of '" + name + "' is neither a stream nor a state struct",
           "pass hls::stream<T>& and one struct&");
    }
    const bool is_stream = isIn(*cast<DICompositeType>(type), "hls", "stream");
    p.is_stream = is_stream;
    p.layout.bytes = bytesOf(type);
    Reader(p.layout).read(type, 0, is_stream ? p.name : "", loc);
    parameters.push_back(std::move(p));
  }
  return parameters;
}

}  // namespace espalier::frontend

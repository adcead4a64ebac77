// SPDX-License-Identifier: BSD-2-Clause-Patent
// How a structure of the host/card boundary is written down once and used everywhere.
//
// A structure is a list macro LIST(F, A): F(type, name, doc) is a field, A(type, name, count, doc)
// an array field.  From the list come, with no second statement of any fact:
//   * the C++ struct (ESPALIER_STRUCT), little-endian and without padding, checked by
//   static_asserts;
//   * bit positions for the HLS engine (NameBits::field_lsb), which sees the structure as one
//   ap_uint;
//   * a table of fields (name_fields), from which tools/specgen writes the SystemVerilog package,
//   the
//     documentation page and the layout hash.
// C++14: Vitis HLS compiles these headers too.
#ifndef ESPALIER_SPEC_LAYOUT_H
#define ESPALIER_SPEC_LAYOUT_H

#include <cstddef>
#include <cstdint>

namespace espalier {
namespace spec {

/// One field of a boundary structure.  Offsets and sizes in bytes; `count` > 1 for arrays.
struct Field {
  const char* name;
  std::size_t offset;
  std::size_t size;
  std::size_t count;
  const char* doc;
};

/// FNV-1a, 64 bit: the layout hash is a fingerprint against mix-ups, not against attackers.
constexpr std::uint64_t fnv1a(const char* text, std::uint64_t hash) {
  while (*text != '\0') hash = (hash ^ static_cast<unsigned char>(*text++)) * 0x100000001b3ull;
  return hash;
}
constexpr std::uint64_t fnv1a(std::uint64_t value, std::uint64_t hash) {
  for (int i = 0; i < 8; ++i) hash = (hash ^ ((value >> (8 * i)) & 0xff)) * 0x100000001b3ull;
  return hash;
}
template <std::size_t N>
constexpr std::uint64_t hash_fields(const char* name, const Field (&fields)[N],
                                    std::uint64_t hash) {
  hash = fnv1a(name, hash);
  for (std::size_t i = 0; i < N; ++i) {
    hash = fnv1a(fields[i].name, hash);
    hash = fnv1a(fields[i].offset, hash);
    hash = fnv1a(fields[i].size * fields[i].count, hash);
  }
  return hash;
}
/// True if the fields follow each other without a gap and fill `size` bytes.
template <std::size_t N>
constexpr bool fields_are_dense(const Field (&fields)[N], std::size_t size) {
  std::size_t end = 0;
  for (std::size_t i = 0; i < N; ++i) {
    if (fields[i].offset != end) return false;
    end += fields[i].size * fields[i].count;
  }
  return end == size;
}

#define ESPALIER_MEMBER(type, name, doc) type name;
#define ESPALIER_MEMBER_ARRAY(type, name, count, doc) type name[count];
#define ESPALIER_LSB(type, name, doc) name##_lsb = 8 * offsetof(Struct, name),
#define ESPALIER_LSB_ARRAY(type, name, count, doc) ESPALIER_LSB(type, name, doc)
#define ESPALIER_WIDTH(type, name, doc) name##_width = 8 * sizeof(type),
#define ESPALIER_WIDTH_ARRAY(type, name, count, doc) name##_width = 8 * sizeof(type) * (count),
#define ESPALIER_FIELD(type, name, doc) {#name, offsetof(Struct, name), sizeof(type), 1, doc},
#define ESPALIER_FIELD_ARRAY(type, name, count, doc) \
  {#name, offsetof(Struct, name), sizeof(type), count, doc},

/// Declares `struct Name` of `bytes` bytes, `NameBits::field_lsb` / `field_width`, and
/// `Name##Fields::table`.
#define ESPALIER_STRUCT(Name, LIST, bytes)                                                  \
  struct Name {                                                                             \
    LIST(ESPALIER_MEMBER, ESPALIER_MEMBER_ARRAY)                                            \
  };                                                                                        \
  struct Name##Bits {                                                                       \
    using Struct = Name;                                                                    \
    enum Lsb : unsigned { LIST(ESPALIER_LSB, ESPALIER_LSB_ARRAY) total_lsb = 8 * (bytes) }; \
    enum Width : unsigned {                                                                 \
      LIST(ESPALIER_WIDTH, ESPALIER_WIDTH_ARRAY) total_width = 8 * (bytes)                  \
    };                                                                                      \
  };                                                                                        \
  namespace Name##_table {                                                                  \
    using Struct = Name;                                                                    \
    constexpr Field fields[] = {LIST(ESPALIER_FIELD, ESPALIER_FIELD_ARRAY)};                \
    static_assert(sizeof(Name) == (bytes), #Name " has its size fixed by the boundary");    \
    static_assert(fields_are_dense(fields, bytes), #Name " must have no hidden padding");   \
  }

}  // namespace spec
}  // namespace espalier

#endif

// SPDX-License-Identifier: BSD-2-Clause-Patent
// What every file of the C API needs: the handle, errors, structures of any age.
#pragma once

#include <algorithm>
#include <cerrno>
#include <cstddef>
#include <cstring>
#include <memory>
#include <numeric>
#include <span>
#include <string_view>

#include "espalier/context.hpp"
#include "espalier/espalier.h"

struct espalier_context {
  std::unique_ptr<espalier::Context> l1;
};

namespace espalier::capi {

/// As much of `line` as there is room for, and a NUL.
inline void write_text(std::string_view line, char* to, std::size_t room) noexcept {
  if (to == nullptr || room == 0) return;
  const std::size_t n = std::min(line.size(), room - 1);
  std::memcpy(to, line.data(), n);
  to[n] = '\0';
}
inline int fail(int code, std::string_view why, char* error, std::size_t error_size) noexcept {
  write_text(why, error, error_size);
  return code;
}

/// Packets not delivered, all reasons.
inline std::uint64_t dropped(const SaStatistics& of) {
  return std::accumulate(std::begin(of.drops), std::end(of.drops), std::uint64_t{0});
}

static_assert(sizeof(espalier_segment) == sizeof(Segment) &&
              offsetof(espalier_segment, length) == offsetof(Segment, length));
static_assert(ESPALIER_MAX_SEGMENTS == driver::kMaxSegments);

/// False if the list is too long or lacks memory.
inline bool translate(const espalier_segment* from, std::size_t count,
                      std::span<const Segment>& out) noexcept {
  if (count > ESPALIER_MAX_SEGMENTS || (count != 0 && from == nullptr)) return false;
  for (std::size_t i = 0; i < count; ++i)
    if (from[i].data == nullptr && from[i].length != 0) return false;
  out = {reinterpret_cast<const Segment*>(from), count};
  return true;
}

/// The caller's structure: zero beyond its struct_size, which is `oldest` or more.  -EINVAL if it
/// is less; -E2BIG if it has members beyond T that are not zero.
template <class T>
int read_struct(const T* from, std::size_t oldest, T& out) noexcept {
  std::memset(static_cast<void*>(&out), 0, sizeof out);
  if (from == nullptr || from->struct_size < oldest) return -EINVAL;
  const auto* octets = reinterpret_cast<const unsigned char*>(from);
  if (from->struct_size > sizeof out && std::any_of(octets + sizeof out, octets + from->struct_size,
                                                    [](unsigned char octet) { return octet != 0; }))
    return -E2BIG;
  std::memcpy(static_cast<void*>(&out), from, std::min(from->struct_size, sizeof out));
  return 0;
}

inline const char* explain(int code) noexcept {
  return code == -E2BIG ? "options have members this library does not know; leave them zero, or "
                          "use a newer library"
                        : "options are missing, or their struct_size is not sizeof";
}

/// Writes as much of `value` as the caller's structure has, and leaves its struct_size.  -EINVAL if
/// there is none, or it is shorter than `oldest`.
template <class T>
int write_struct(T value, std::size_t oldest, T* to) noexcept {
  if (to == nullptr || to->struct_size < oldest) return -EINVAL;
  value.struct_size = to->struct_size;
  std::memcpy(static_cast<void*>(to), &value, std::min(to->struct_size, sizeof value));
  return 0;
}

/// From options to configurations (sa.cpp); a negative errno with a line in `error`.
int read_sa_options(const espalier_sa_options* options, SaConfig& out, char* error,
                    std::size_t error_size);
int read_sa_change(const espalier_sa_change* change, SaUpdate& out, char* error,
                   std::size_t error_size);
/// struct_size is the caller's to set (context.cpp).
espalier_event in_c(const Event& event) noexcept;

inline SaHandle handle(espalier_sa sa) noexcept {
  return static_cast<SaHandle>(sa);
}

}  // namespace espalier::capi

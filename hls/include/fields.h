// SPDX-License-Identifier: BSD-2-Clause-Patent
// Payload structs name their fields once; width, packing and unpacking follow from that:
//   struct Beat { ap_uint<512> data; ap_uint<1> last; HLS_FIELDS(data, last) };
//   hls::width_of<Beat>   513
//   hls::pack(beat)       ap_uint<513>, the first field in the lowest bits
//   hls::unpack<Beat>(w)  the way back
// A field is an ap_uint, an ap_int, a C integer, a bool, an enum, another such struct, or an array
// of these (element 0 lowest).
#pragma once

#include <ap_int.h>

#include <tuple>
#include <type_traits>
#include <utility>

#define HLS_FIELDS(...)           \
  auto hls_fields() {             \
    return std::tie(__VA_ARGS__); \
  }                               \
  auto hls_fields() const {       \
    return std::tie(__VA_ARGS__); \
  }

namespace hls {
namespace detail {

/// How a T lies in a packed word; `put` and `take` move it to and from bit `lo` of a word of W
/// bits.
template <class T, class = void>
struct layout;  // no such layout: list the struct's fields with HLS_FIELDS

template <class T, int Width>
struct integer_layout {
  static constexpr int width = Width;
  template <int W>
  static void put(ap_uint<W>& word, int lo, const T& x) {
    word.range(lo + Width - 1, lo) = ap_uint<Width>(x);
  }
  template <int W>
  static void take(const ap_uint<W>& word, int lo, T& x) {
    x = static_cast<T>(ap_uint<Width>(word.range(lo + Width - 1, lo)));
  }
};

template <int N>
struct layout<ap_uint<N>> : integer_layout<ap_uint<N>, N> {};
template <int N>
struct layout<ap_int<N>> : integer_layout<ap_int<N>, N> {};
template <>
struct layout<bool> : integer_layout<bool, 1> {};
template <class T>
struct layout<T, std::enable_if_t<std::is_integral<T>::value && !std::is_same<T, bool>::value>>
    : integer_layout<T, 8 * int(sizeof(T))> {};

template <class T>
struct layout<T, std::enable_if_t<std::is_enum<T>::value>> {
  using integer = std::underlying_type_t<T>;
  static constexpr int width = layout<integer>::width;
  template <int W>
  static void put(ap_uint<W>& word, int lo, const T& x) {
    layout<integer>::put(word, lo, static_cast<integer>(x));
  }
  template <int W>
  static void take(const ap_uint<W>& word, int lo, T& x) {
    integer i;
    layout<integer>::take(word, lo, i);
    x = static_cast<T>(i);
  }
};

template <class T, std::size_t N>
struct layout<T[N]> {
  static constexpr int step = layout<T>::width, width = int(N) * step;
  template <int W>
  static void put(ap_uint<W>& word, int lo, const T (&x)[N]) {
    for (int i = 0; i < int(N); ++i) layout<T>::put(word, lo + i * step, x[i]);
  }
  template <int W>
  static void take(const ap_uint<W>& word, int lo, T (&x)[N]) {
    for (int i = 0; i < int(N); ++i) layout<T>::take(word, lo + i * step, x[i]);
  }
};

/// The fields of a struct, one after another.
template <class... F>
struct sequence {
  static constexpr int width = 0;
  template <int W, int I, class Tuple>
  static void put(ap_uint<W>&, int, const Tuple&) {}
  template <int W, int I, class Tuple>
  static void take(const ap_uint<W>&, int, const Tuple&) {}
};
template <class F, class... Rest>
struct sequence<F, Rest...> {
  using first = layout<std::remove_cv_t<std::remove_reference_t<F>>>;
  static constexpr int width = first::width + sequence<Rest...>::width;
  template <int W, int I, class Tuple>
  static void put(ap_uint<W>& word, int lo, const Tuple& fields) {
    first::put(word, lo, std::get<I>(fields));
    sequence<Rest...>::template put<W, I + 1>(word, lo + first::width, fields);
  }
  template <int W, int I, class Tuple>
  static void take(const ap_uint<W>& word, int lo, const Tuple& fields) {
    first::take(word, lo, std::get<I>(fields));
    sequence<Rest...>::template take<W, I + 1>(word, lo + first::width, fields);
  }
};
template <class... F>
sequence<F...> sequence_of(const std::tuple<F...>&);

template <class T>
struct layout<T, decltype(void(std::declval<T&>().hls_fields()))> {
  using fields = decltype(sequence_of(std::declval<T&>().hls_fields()));
  static constexpr int width = fields::width;
  template <int W>
  static void put(ap_uint<W>& word, int lo, const T& x) {
    fields::template put<W, 0>(word, lo, x.hls_fields());
  }
  template <int W>
  static void take(const ap_uint<W>& word, int lo, T& x) {
    fields::template take<W, 0>(word, lo, x.hls_fields());
  }
};

}  // namespace detail

/// Bits of a packed T.
template <class T>
constexpr int width_of = detail::layout<T>::width;

template <class T>
ap_uint<width_of<T>> pack(const T& x) {
  ap_uint<width_of<T>> word = 0;
  detail::layout<T>::put(word, 0, x);
  return word;
}

template <class T>
T unpack(const ap_uint<width_of<T>>& word) {
  T x;
  detail::layout<T>::take(word, 0, x);
  return x;
}

#ifdef HLS_RTL
namespace detail {
/// A packed word as the translator sees it: the width is read from this type's name.
template <int W>
struct wires {
  unsigned _BitInt(W) bits;
};
}  // namespace detail
#endif

}  // namespace hls

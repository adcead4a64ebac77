// SPDX-License-Identifier: BSD-2-Clause-Patent
// What can stand in an expression with ap_int and ap_uint, and the width and sign of what comes
// out. Part of ap_int.h, which says the rules in words.
#pragma once

#include <type_traits>

template <int W>
struct ap_uint;
template <int W>
struct ap_int;
template <int W, bool S>
struct ap_int_base;
template <int W, bool S>
struct ap_range_ref;
template <int W, bool S>
struct ap_bit_ref;
template <int W1, class T1, int W2, class T2>
struct ap_concat_ref;

namespace ap_detail {

constexpr int max(int a, int b) {
  return a > b ? a : b;
}
constexpr int min(int a, int b) {
  return a < b ? a : b;
}

template <int W, bool S>
struct raw_of {
  using type = unsigned _BitInt(W);
};
template <int W>
struct raw_of<W, true> {
  static_assert(W > 1, "ap_int<1> has no use: take ap_uint<1>, or ap_int<2>");
  using type = signed _BitInt(W);
};
template <int W, bool S>
using raw = typename raw_of<W, S>::type;
template <int W>
using bits = unsigned _BitInt(W);

template <int W, bool S>
using value_type = std::conditional_t<S, ap_int<W>, ap_uint<W>>;

/// A type that can stand in an expression: its width, signedness and value.  `wide` ones select the
/// operators below; C integers and single bits join in only beside a wide one.
template <class T, class = void>
struct operand {
  static constexpr bool ok = false, wide = false;
};
template <class T>
struct operand<T, std::enable_if_t<std::is_integral<T>::value>> {
  static constexpr bool ok = true, wide = false, is_signed = std::is_signed<T>::value;
  static constexpr int width = std::is_same<T, bool>::value ? 1 : 8 * int(sizeof(T));
  static constexpr T get(T x) { return x; }
};
template <class T>
struct operand<T, std::enable_if_t<std::is_enum<T>::value && std::is_convertible<T, int>::value>> {
  static constexpr bool ok = true, wide = false, is_signed = true;
  static constexpr int width = 32;
  static constexpr int get(T x) { return static_cast<int>(x); }
};
template <int W, bool S>
struct operand<ap_int_base<W, S>> {
  static constexpr bool ok = true, wide = true, is_signed = S;
  static constexpr int width = W;
  static constexpr raw<W, S> get(const ap_int_base<W, S>& x) { return x.V; }
};
template <int W>
struct operand<ap_uint<W>> : operand<ap_int_base<W, false>> {};
template <int W>
struct operand<ap_int<W>> : operand<ap_int_base<W, true>> {};
template <int W, bool S>
struct operand<ap_range_ref<W, S>> {
  static constexpr bool ok = true, wide = true, is_signed = false;
  static constexpr int width =
      W;  // of the whole word, as the vendor has it: a slice's is not known
  static constexpr bits<W> get(const ap_range_ref<W, S>& x) { return x.get().V; }
};
template <int W, bool S>
struct operand<ap_bit_ref<W, S>> {
  static constexpr bool ok = true, wide = false, is_signed = false;
  static constexpr int width = 1;
  static constexpr bool get(const ap_bit_ref<W, S>& x) { return x.get(); }
};
template <int W1, class T1, int W2, class T2>
struct operand<ap_concat_ref<W1, T1, W2, T2>> {
  static constexpr bool ok = true, wide = true, is_signed = false;
  static constexpr int width = W1 + W2;
  static constexpr bits<W1 + W2> get(const ap_concat_ref<W1, T1, W2, T2>& x) { return x.get().V; }
};

/// Widths and signs of the results of a binary operator.
template <class A, class B>
struct result {
  static constexpr int w1 = operand<A>::width, w2 = operand<B>::width;
  static constexpr bool s1 = operand<A>::is_signed, s2 = operand<B>::is_signed, any = s1 || s2;
  static constexpr int common = max(w1 + (s2 && !s1), w2 + (s1 && !s2));
  using plus = value_type<common + 1, any>;
  using minus = value_type<common + 1, true>;
  using mult = value_type<w1 + w2, any>;
  using logic = value_type<common, any>;
  using div = value_type<w1 + s2, any>;
  using mod = value_type<min(w1, w2 + (!s2 && s1)), s1>;
  using compare = raw<common, any>;
};
template <class A, class B>
using if_binary =
    std::enable_if_t<operand<A>::ok && operand<B>::ok && (operand<A>::wide || operand<B>::wide)>;
template <class A, class B>
using if_left = std::enable_if_t<operand<A>::wide && operand<B>::ok>;

/// Shifts by an amount that may be as large as it likes; no test is made that can't fail.
template <int W, bool S, class N>
constexpr raw<W, S> shift_left(raw<W, S> v, N n, bool may_exceed) {
  return may_exceed && n >= N(W) ? raw<W, S>(0) : raw<W, S>(bits<W>(v) << n);
}
template <int W, bool S, class N>
constexpr raw<W, S> shift_right(raw<W, S> v, N n, bool may_exceed) {
  return may_exceed && n >= N(W) ? (S && v < 0 ? raw<W, S>(-1) : raw<W, S>(0)) : raw<W, S>(v >> n);
}
template <class T>
constexpr bool reaches(int w) {
  return operand<T>::width > 30 || (1 << operand<T>::width) > w;
}

/// The amount as the vendor takes it: its low 32 bits; signed amounts keep their sign.
template <class T, std::enable_if_t<!operand<T>::is_signed, int> = 0>
constexpr unsigned amount(const T& n) {
  return unsigned(operand<T>::get(n));
}
template <class T, std::enable_if_t<operand<T>::is_signed, int> = 0>
constexpr int amount(const T& n) {
  return int(operand<T>::get(n));
}

}  // namespace ap_detail

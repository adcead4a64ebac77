// SPDX-License-Identifier: BSD-2-Clause-Patent
// Arbitrary-width integers with the names and the width rules of Vitis HLS, over clang's _BitInt.
//
// This file stands in for the vendor's ap_int.h: put the vendor's directory before this one on the
// include path (ESPALIER_AP_INT_DIR) and the same sources compile against that instead.  It offers
// a subset, chosen so that what compiles here compiles there and means the same; the rules are
// written down as a test in tests/hls_include, which runs against both headers.
//
// Width of a result, for operands of W1 and W2 bits; a mixed pair gives the unsigned one a bit
// more:
//   a + b, a - b   max(W1, W2) + 1     signed if either is; a difference is always signed
//   a * b          W1 + W2             signed if either is
//   a & b, |, ^    max(W1, W2)         signed if either is
//   a / b, a % b   W1 (+1 if b is signed), min(W1, W2)
//   a << n, >> n   W1; bits fall off; n >= W1 gives 0 (or the sign); a negative n shifts back
//   ~a: W1   -a: W1 + 1, signed   comparisons: by value   C integers count with their own width
// A value that is assigned to fewer bits is truncated, to more bits extended by its own sign.
// A default-constructed value is undefined until it is written, as in C.
#pragma once

#include "ap_int_rules.h"

#include <cassert>
#ifndef HLS_RTL
#include <iosfwd>
#endif

template <int W, bool S>
struct ap_int_base {
  static_assert(W > 0, "width must be positive");
  using raw = ap_detail::raw<W, S>;
  using bits = ap_detail::bits<W>;
  enum { width = W };

  raw V;  // the vendor's name; user code has no business with it

  ap_int_base() = default;
#ifdef HLS_RTL
  // Copied by a function of its own, a value is never passed in pieces of 64 bits.
  constexpr ap_int_base(const ap_int_base& x) : V(x.V) {}
  constexpr ap_int_base& operator=(const ap_int_base& x) {
    V = x.V;
    return *this;
  }
#endif
  template <class T, class = std::enable_if_t<ap_detail::operand<T>::ok>>
  constexpr ap_int_base(const T& x) : V(static_cast<raw>(ap_detail::operand<T>::get(x))) {}

  /// To a C integer of 64 bits; wider values have to say what they mean: to_uint64(), or x != 0.
  using native = std::conditional_t<S, long long, unsigned long long>;
  constexpr operator native() const {
    static_assert(W <= 64, "implicit use as a C integer would cut a value of more than 64 bits");
    return static_cast<native>(V);
  }

  constexpr bool to_bool() const {
    return V != 0;
  }
  constexpr int to_int() const {
    return static_cast<int>(V);
  }
  constexpr unsigned to_uint() const {
    return static_cast<unsigned>(V);
  }
  constexpr long to_long() const {
    return static_cast<long>(V);
  }
  constexpr unsigned long to_ulong() const {
    return static_cast<unsigned long>(V);
  }
  constexpr long long to_int64() const {
    return static_cast<long long>(V);
  }
  constexpr unsigned long long to_uint64() const {
    return static_cast<unsigned long long>(V);
  }
  constexpr unsigned char to_uchar() const {
    return static_cast<unsigned char>(V);
  }
  constexpr unsigned short to_ushort() const {
    return static_cast<unsigned short>(V);
  }

  constexpr int length() const {
    return W;
  }
  constexpr bool is_zero() const {
    return V == 0;
  }
  constexpr bool sign() const {
    return S && V < 0;
  }
  constexpr bool test(int i) const {
    return static_cast<bool>((V >> i) & 1);
  }
  constexpr bool get_bit(int i) const {
    return test(i);
  }
  constexpr void set_bit(int i, bool b) {
    V = static_cast<raw>((bits(V) & ~(bits(1) << i)) | (bits(b) << i));
  }
  constexpr void set(int i) {
    set_bit(i, true);
  }
  constexpr void clear(int i) {
    set_bit(i, false);
  }
  constexpr void invert(int i) {
    V = static_cast<raw>(bits(V) ^ (bits(1) << i));
  }

  constexpr bool and_reduce() const {
    return bits(V) == bits(~bits(0));
  }
  constexpr bool or_reduce() const {
    return V != 0;
  }
  constexpr bool xor_reduce() const {
    bool r = false;
    for (int i = 0; i < W; ++i) r ^= test(i);
    return r;
  }

  // Slices and bits, as values and as places.  hi >= lo: the vendor's reversal is not offered.
  constexpr ap_range_ref<W, S> range(int hi, int lo) {
    return {*this, hi, lo};
  }
  constexpr ap_range_ref<W, S> range(int hi, int lo) const {
    return {const_cast<ap_int_base&>(*this), hi, lo};
  }
  constexpr ap_range_ref<W, S> operator()(int hi, int lo) {
    return range(hi, lo);
  }
  constexpr ap_range_ref<W, S> operator()(int hi, int lo) const {
    return range(hi, lo);
  }
  constexpr ap_bit_ref<W, S> operator[](int i) {
    return {*this, i};
  }
  constexpr bool operator[](int i) const {
    return test(i);
  }
  constexpr ap_bit_ref<W, S> bit(int i) {
    return {*this, i};
  }
  constexpr bool bit(int i) const {
    return test(i);
  }

  constexpr bool operator!() const {
    return V == 0;
  }
  constexpr ap_detail::value_type<W, S> operator+() const {
    return V;
  }
  constexpr ap_detail::value_type<W, S> operator~() const {
    return static_cast<raw>(~V);
  }
  constexpr ap_int<ap_detail::max(W, 1 + S) + 1> operator-() const {
    using R = ap_detail::raw<ap_detail::max(W, 1 + S) + 1, true>;
    return static_cast<R>(-static_cast<R>(V));
  }

#define ESPALIER_AP_ASSIGN(op)                                                         \
  template <class T, class = std::enable_if_t<ap_detail::operand<T>::ok>>              \
  constexpr ap_int_base& operator op##=(const T& x) {                                  \
    V = static_cast<raw>(bits(V) op static_cast<bits>(ap_detail::operand<T>::get(x))); \
    return *this;                                                                      \
  }
  ESPALIER_AP_ASSIGN(+)
  ESPALIER_AP_ASSIGN(-)
  ESPALIER_AP_ASSIGN(*)
  ESPALIER_AP_ASSIGN(&)
  ESPALIER_AP_ASSIGN(|)
  ESPALIER_AP_ASSIGN(^)
#undef ESPALIER_AP_ASSIGN
  template <class T>
  constexpr ap_int_base& operator<<=(const T& n) {
    return *this = *this << n;
  }
  template <class T>
  constexpr ap_int_base& operator>>=(const T& n) {
    return *this = *this >> n;
  }
  template <class T>
  constexpr ap_int_base& operator/=(const T& x) {
    return *this = *this / x;
  }
  template <class T>
  constexpr ap_int_base& operator%=(const T& x) {
    return *this = *this % x;
  }

  constexpr ap_int_base& operator++() {
    return *this += 1;
  }
  constexpr ap_int_base& operator--() {
    return *this -= 1;
  }
  constexpr ap_detail::value_type<W, S> operator++(int) {
    raw before = V;
    *this += 1;
    return before;
  }
  constexpr ap_detail::value_type<W, S> operator--(int) {
    raw before = V;
    *this -= 1;
    return before;
  }

  template <int W2, bool S2>
  constexpr auto concat(const ap_int_base<W2, S2>& low) const {
    return (*this, low);
  }

  // What a concatenation asks of its parts.
  constexpr void set(const bits& v) {
    V = static_cast<raw>(v);
  }
  constexpr bits get_bits() const {
    return static_cast<bits>(V);
  }

 protected:
  struct from_raw {};
  constexpr ap_int_base(from_raw, raw v) : V(v) {}
};

/// Signed integer of W >= 2 bits.
template <int W>
struct ap_int : ap_int_base<W, true> {
  using base = ap_int_base<W, true>;
  ap_int() = default;
  constexpr ap_int(typename base::raw v) : base(typename base::from_raw{}, v) {}
  template <class T, class = std::enable_if_t<ap_detail::operand<T>::ok>>
  constexpr ap_int(const T& x) : base(x) {}
};

/// Unsigned integer of W >= 1 bits.
template <int W>
struct ap_uint : ap_int_base<W, false> {
  using base = ap_int_base<W, false>;
  ap_uint() = default;
  constexpr ap_uint(typename base::raw v) : base(typename base::from_raw{}, v) {}
  template <class T, class = std::enable_if_t<ap_detail::operand<T>::ok>>
  constexpr ap_uint(const T& x) : base(x) {}
};

/// x.range(hi, lo): the bits hi..lo of x, right-aligned when read, the others untouched when
/// written.
template <int W, bool S>
struct ap_range_ref {
  ap_int_base<W, S>& word;
  int hi, lo;

  using bits = ap_detail::bits<W>;
  constexpr ap_range_ref(ap_int_base<W, S>& x, int h, int l) : word(x), hi(h), lo(l) {
    assert(0 <= lo && lo <= hi && hi < W);
  }
  constexpr ap_range_ref(const ap_range_ref&) = default;

  constexpr int length() const { return hi - lo + 1; }
  constexpr bits mask() const { return bits(~bits(0)) >> (W - 1 - (hi - lo)); }
  constexpr ap_uint<W> get() const { return bits((bits(word.V) >> lo) & mask()); }
  constexpr bits get_bits() const { return get().V; }
  constexpr void set(const bits& v) {
    word.V =
        static_cast<ap_detail::raw<W, S>>((bits(word.V) & ~(mask() << lo)) | ((v & mask()) << lo));
  }

  constexpr ap_range_ref& operator=(const ap_range_ref& x) {
    set(x.get().V);
    return *this;
  }
  template <class T, class = std::enable_if_t<ap_detail::operand<T>::ok>>
  constexpr ap_range_ref& operator=(const T& x) {
    set(static_cast<bits>(ap_detail::operand<T>::get(x)));
    return *this;
  }

  constexpr operator unsigned long long() const { return to_uint64(); }
  constexpr int to_int() const { return static_cast<int>(get().V); }
  constexpr unsigned to_uint() const { return static_cast<unsigned>(get().V); }
  constexpr unsigned long to_ulong() const { return static_cast<unsigned long>(get().V); }
  constexpr unsigned long long to_uint64() const {
    return static_cast<unsigned long long>(get().V);
  }
  constexpr bool or_reduce() const { return get().V != 0; }
  constexpr bool and_reduce() const { return get().V == mask(); }
  constexpr bool xor_reduce() const { return get().xor_reduce(); }
};

/// x[i]: one bit, read as bool; anything but zero sets it.
template <int W, bool S>
struct ap_bit_ref {
  ap_int_base<W, S>& word;
  int index;

  constexpr ap_bit_ref(ap_int_base<W, S>& x, int i) : word(x), index(i) { assert(0 <= i && i < W); }
  constexpr ap_bit_ref(const ap_bit_ref&) = default;

  constexpr int length() const { return 1; }
  constexpr bool get() const { return word.test(index); }
  constexpr ap_detail::bits<1> get_bits() const { return get(); }
  constexpr void set(const ap_detail::bits<1>& v) { word.set_bit(index, v != 0); }
  constexpr operator bool() const { return get(); }
  constexpr bool to_bool() const { return get(); }
  constexpr bool operator~() const { return !get(); }

  constexpr ap_bit_ref& operator=(const ap_bit_ref& x) {
    word.set_bit(index, x.get());
    return *this;
  }
  template <class T, class = std::enable_if_t<ap_detail::operand<T>::ok>>
  constexpr ap_bit_ref& operator=(const T& x) {
    word.set_bit(index, ap_detail::operand<T>::get(x) != 0);
    return *this;
  }
};

/// (high, low): the two side by side, as a value and as a place.  A slice within counts with its
/// own length, though the type has room for the whole word.
template <int W1, class T1, int W2, class T2>
struct ap_concat_ref {
  T1& high;
  T2& low;

  using bits = ap_detail::bits<W1 + W2>;
  constexpr int length() const { return high.length() + low.length(); }
  constexpr ap_uint<W1 + W2> get() const {
    return bits(bits(low.get_bits()) | (bits(high.get_bits()) << low.length()));
  }
  constexpr bits get_bits() const { return get().V; }
  constexpr void set(const bits& v) {
    high.set(static_cast<ap_detail::bits<W1>>(v >> low.length()));
    low.set(static_cast<ap_detail::bits<W2>>(v));
  }
  constexpr ap_concat_ref& operator=(const ap_concat_ref& x) {
    set(x.get().V);
    return *this;
  }
  template <class T, class = std::enable_if_t<ap_detail::operand<T>::ok>>
  constexpr ap_concat_ref& operator=(const T& x) {
    set(static_cast<bits>(ap_detail::operand<T>::get(x)));
    return *this;
  }
  constexpr ap_concat_ref(T1& h, T2& l) : high(h), low(l) {}
  constexpr ap_concat_ref(const ap_concat_ref&) = default;
};

#define ESPALIER_AP_BINARY(op, kind)                                                     \
  template <class A, class B, class = ap_detail::if_binary<A, B>>                        \
  constexpr typename ap_detail::result<A, B>::kind operator op(const A& a, const B& b) { \
    using R = typename ap_detail::result<A, B>::kind::raw;                               \
    return static_cast<R>(static_cast<R>(ap_detail::operand<A>::get(a))                  \
                              op static_cast<R>(ap_detail::operand<B>::get(b)));         \
  }
ESPALIER_AP_BINARY(+, plus)
ESPALIER_AP_BINARY(-, minus)
ESPALIER_AP_BINARY(*, mult)
ESPALIER_AP_BINARY(&, logic)
ESPALIER_AP_BINARY(|, logic)
ESPALIER_AP_BINARY(^, logic)
#undef ESPALIER_AP_BINARY

#define ESPALIER_AP_DIVIDE(op, kind)                                                      \
  template <class A, class B, class = ap_detail::if_binary<A, B>>                         \
  constexpr typename ap_detail::result<A, B>::kind operator op(const A& a, const B& b) {  \
    using R = typename ap_detail::result<A, B>;                                           \
    using C = ap_detail::raw<R::common + 1, R::any>;                                      \
    return static_cast<typename R::kind::raw>(static_cast<C>(                             \
        ap_detail::operand<A>::get(a)) op static_cast<C>(ap_detail::operand<B>::get(b))); \
  }
ESPALIER_AP_DIVIDE(/, div)
ESPALIER_AP_DIVIDE(%, mod)
#undef ESPALIER_AP_DIVIDE

#define ESPALIER_AP_COMPARE(op)                                   \
  template <class A, class B, class = ap_detail::if_binary<A, B>> \
  constexpr bool operator op(const A& a, const B& b) {            \
    using C = typename ap_detail::result<A, B>::compare;          \
    return static_cast<C>(ap_detail::operand<A>::get(a))          \
        op static_cast<C>(ap_detail::operand<B>::get(b));         \
  }
ESPALIER_AP_COMPARE(==)
ESPALIER_AP_COMPARE(!=)
ESPALIER_AP_COMPARE(<)
ESPALIER_AP_COMPARE(<=)
ESPALIER_AP_COMPARE(>)
ESPALIER_AP_COMPARE(>=)
#undef ESPALIER_AP_COMPARE

#define ESPALIER_AP_SHIFT(op, forth, back)                                                        \
  template <class A, class N, class = ap_detail::if_left<A, N>>                                   \
  constexpr ap_detail::value_type<ap_detail::operand<A>::width, ap_detail::operand<A>::is_signed> \
  operator op(const A& a, const N& n) {                                                           \
    constexpr int W = ap_detail::operand<A>::width;                                               \
    constexpr bool S = ap_detail::operand<A>::is_signed, far = ap_detail::reaches<N>(W);          \
    auto by = ap_detail::amount(n);                                                               \
    auto v = ap_detail::operand<A>::get(a);                                                       \
    return by < 0 ? ap_detail::back<W, S, unsigned>(v, 0u - unsigned(by), true)                   \
                  : ap_detail::forth<W, S, unsigned>(v, unsigned(by), far);                       \
  }
ESPALIER_AP_SHIFT(<<, shift_left, shift_right)
ESPALIER_AP_SHIFT(>>, shift_right, shift_left)
#undef ESPALIER_AP_SHIFT

namespace ap_detail {
/// What may stand in a concatenation: words, slices, bits and concatenations.
template <class T, class = void>
struct part {
  static constexpr bool ok = false;
};
template <class T>
struct part<T, std::enable_if_t<operand<T>::ok && std::is_class<T>::value>> {
  static constexpr bool ok = true;
  static constexpr int width = operand<T>::width;
};
template <class A, class B>
using if_parts = std::enable_if_t<part<A>::ok && part<B>::ok>;
template <class A, class B>
using concat = ap_concat_ref<part<A>::width, A, part<B>::width, B>;
}  // namespace ap_detail

template <class A, class B, class = ap_detail::if_parts<A, B>>
constexpr ap_detail::concat<A, B> operator,(const A& high, const B& low) {
  return {const_cast<A&>(high), const_cast<B&>(low)};
}
/// (word, (b, c)) is ambiguous to the vendor: write (word, b, c).
template <int W, int W1, class T1, int W2, class T2>
void operator,(const ap_uint<W>& high, const ap_concat_ref<W1, T1, W2, T2>& low) = delete;
template <int W, int W1, class T1, int W2, class T2>
void operator,(const ap_int<W>& high, const ap_concat_ref<W1, T1, W2, T2>& low) = delete;
template <class A, class C,
          class = std::enable_if_t<ap_detail::part<A>::ok && std::is_integral<C>::value>,
          int W = ap_detail::part<A>::width + ap_detail::operand<C>::width>
constexpr ap_uint<W> operator,(const A& high, C low) {
  ap_uint<ap_detail::operand<C>::width> word(low);
  return (high, word).get();
}
template <class C, class B, int W = ap_detail::part<B>::width + ap_detail::operand<C>::width,
          class = std::enable_if_t<ap_detail::part<B>::ok && std::is_integral<C>::value>>
constexpr ap_uint<W> operator,(C high, const B& low) {
  ap_uint<ap_detail::operand<C>::width> word(high);
  return (word, low).get();
}

#ifndef HLS_RTL
/// Prints in hexadecimal, every digit, for logs and failing tests.
template <class C, class Traits, int W, bool S>
std::basic_ostream<C, Traits>& operator<<(std::basic_ostream<C, Traits>& os,
                                          const ap_int_base<W, S>& x) {
  os << "0x";
  for (int lo = (W - 1) / 4 * 4; lo >= 0; lo -= 4) {
    os << "0123456789abcdef"[static_cast<unsigned>((x.get_bits() >> lo) & 15)];
  }
  return os;
}
#endif

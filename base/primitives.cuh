// The scalar primitives, each with one meaning on host and device: this file is compiled by NVRTC and by the
// host compiler alike, so that both readings of an op's scalar definition are the same text.
//
// - Types: float, double, any integer type, bool. Arithmetic of narrower storage happens in float or 64-bit
//   integers and is converted where the result is stored.
// - Integers wrap modulo 2^64; nothing traps. Comparisons and division read them as signed when the type is.
// - Floats follow IEEE 754, round to nearest even, keep subnormals. NaN propagates through everything but
//   is_nan, is_inf, comparisons, logic and cast. Where a limit exists but the formula meets 0 * inf or inf /
//   inf (gelu, mish and hard_swish at -inf, softsign at ±inf) the result is the formula's NaN, as in the ONNX
//   reference.
// - exp, log, sin, … are within a few units in the last place on either side, not bit-equal; their domain
//   errors give NaN, their poles ±inf.
#pragma once

#ifdef __CUDACC__
#define BURNISH_PRIM __device__ __forceinline__
#else
#include <math.h>
#define BURNISH_PRIM inline
#endif

namespace burnish::prim {

template <class A, class B>
inline constexpr bool is_same = false;
template <class A>
inline constexpr bool is_same<A, A> = true;
template <class T>
inline constexpr bool is_bool = is_same<T, bool>;
template <class T>
inline constexpr bool is_real = is_same<T, float> || is_same<T, double>;
template <class T>
concept Real = is_real<T>;
template <class T>
concept Integer = !is_bool<T> && requires(T x) { x % x; };

using Bits = unsigned long long;  ///< unsigned arithmetic wraps; signed overflow would be undefined

// ---- constants

BURNISH_PRIM double infinity() { return __builtin_bit_cast(double, 0x7ff0000000000000ull); }
BURNISH_PRIM double nan() { return __builtin_bit_cast(double, 0x7ff8000000000000ull); }

// ---- functions of the C library, float and double

#define BURNISH_LIBRARY_1(name, of_float, of_double)         \
  BURNISH_PRIM float name(float x) { return ::of_float(x); } \
  BURNISH_PRIM double name(double x) { return ::of_double(x); }
BURNISH_LIBRARY_1(erf, erff, erf)
BURNISH_LIBRARY_1(exp, expf, exp)
BURNISH_LIBRARY_1(expm1, expm1f, expm1)
BURNISH_LIBRARY_1(log, logf, log)
BURNISH_LIBRARY_1(log1p, log1pf, log1p)
BURNISH_LIBRARY_1(sqrt, sqrtf, sqrt)  // correctly rounded; sqrt(-0) = -0
BURNISH_LIBRARY_1(floor, floorf, floor)
BURNISH_LIBRARY_1(ceil, ceilf, ceil)
BURNISH_LIBRARY_1(trunc, truncf, trunc)
BURNISH_LIBRARY_1(round, rintf, rint)  // halves to even
BURNISH_LIBRARY_1(sin, sinf, sin)
BURNISH_LIBRARY_1(cos, cosf, cos)
BURNISH_LIBRARY_1(tan, tanf, tan)
BURNISH_LIBRARY_1(asin, asinf, asin)
BURNISH_LIBRARY_1(acos, acosf, acos)
BURNISH_LIBRARY_1(atan, atanf, atan)
BURNISH_LIBRARY_1(sinh, sinhf, sinh)
BURNISH_LIBRARY_1(cosh, coshf, cosh)
BURNISH_LIBRARY_1(tanh, tanhf, tanh)
BURNISH_LIBRARY_1(asinh, asinhf, asinh)
BURNISH_LIBRARY_1(acosh, acoshf, acosh)
BURNISH_LIBRARY_1(atanh, atanhf, atanh)
#undef BURNISH_LIBRARY_1

// Integers are whole already.
template <Integer T>
BURNISH_PRIM T floor(T x) {
  return x;
}
template <Integer T>
BURNISH_PRIM T ceil(T x) {
  return x;
}
template <Integer T>
BURNISH_PRIM T trunc(T x) {
  return x;
}
template <Integer T>
BURNISH_PRIM T round(T x) {
  return x;
}

// ---- arithmetic

template <Real T>
BURNISH_PRIM T add(T a, T b) {
  return a + b;
}
template <Real T>
BURNISH_PRIM T sub(T a, T b) {
  return a - b;
}
template <Real T>
BURNISH_PRIM T mul(T a, T b) {
  return a * b;
}
template <Real T>
BURNISH_PRIM T div(T a, T b) {
  return a / b;
}
template <Integer T>
BURNISH_PRIM T add(T a, T b) {
  return T(Bits(a) + Bits(b));
}
template <Integer T>
BURNISH_PRIM T sub(T a, T b) {
  return T(Bits(a) - Bits(b));
}
template <Integer T>
BURNISH_PRIM T mul(T a, T b) {
  return T(Bits(a) * Bits(b));
}

template <Real T>
BURNISH_PRIM T neg(T x) {
  return -x;
}
template <Integer T>
BURNISH_PRIM T neg(T x) {
  return T(Bits(0) - Bits(x));
}

/// Integers: toward zero; x / 0 = 0; the smallest integer over -1 is itself.
template <Integer T>
BURNISH_PRIM T div(T a, T b) {
  if (b == T(0)) return T(0);
  if (T(-1) < T(0) && b == T(-1)) return neg(a);
  return T(a / b);
}

/// Remainder with the sign of the dividend, C's. Integers: x fmod 0 = 0. Floats: x fmod 0 and ±inf fmod y are
/// NaN.
template <Integer T>
BURNISH_PRIM T fmod(T a, T b) {
  if (b == T(0) || (T(-1) < T(0) && b == T(-1))) return T(0);
  return T(a % b);
}
BURNISH_PRIM float fmod(float a, float b) { return ::fmodf(a, b); }
BURNISH_PRIM double fmod(double a, double b) { return ::fmod(a, b); }

/// Remainder with the sign of the divisor, Python's. Integers: x mod 0 = 0. Floats: x mod 0 is NaN, zero
/// results have the divisor's sign.
template <Integer T>
BURNISH_PRIM T mod(T a, T b) {
  const T r = fmod(a, b);
  return r != T(0) && (r < T(0)) != (b < T(0)) ? T(r + b) : r;
}
template <Real T>
BURNISH_PRIM T mod(T a, T b) {
  const T r = fmod(a, b);
  if (r == T(0)) return b < T(0) ? -T(0) : T(0);
  return (r < T(0)) != (b < T(0)) ? r + b : r;  // NaN: r + b or r, either is NaN
}

template <Real T>
BURNISH_PRIM T abs(T x) {
  return T(is_same<T, float> ? ::fabsf(float(x)) : ::fabs(double(x)));
}
/// The smallest integer is its own magnitude.
template <Integer T>
BURNISH_PRIM T abs(T x) {
  return x < T(0) ? neg(x) : x;
}

/// -1, 0, 1; sign(NaN) = NaN, sign(±0) = ±0.
template <Real T>
BURNISH_PRIM T sign(T x) {
  return x > T(0) ? T(1) : x < T(0) ? T(-1) : x;
}
template <Integer T>
BURNISH_PRIM T sign(T x) {
  return T(int(x > T(0)) - int(x < T(0)));
}

/// NaN wins; of two equal operands (+0 and -0 too) the first.
template <class T>
BURNISH_PRIM T min(T a, T b) {
  return a <= b || a != a ? a : b;
}
template <class T>
BURNISH_PRIM T max(T a, T b) {
  return a >= b || a != a ? a : b;
}

/// min(max(x, low), high): high wins when low > high; NaN anywhere gives NaN.
template <class T>
BURNISH_PRIM T clip(T x, T low, T high) {
  return min(max(x, low), high);
}

/// 1 / x, correctly rounded; ±inf at ±0.
template <Real T>
BURNISH_PRIM T reciprocal(T x) {
  return T(1) / x;
}

// ---- powers

/// Integers: by squaring, modulo 2^64. A negative exponent gives the quotient 1 / |x|^n toward zero: ±1 for a
/// base of ±1, else 0 (a base of 0 too).
template <Integer T>
BURNISH_PRIM T pow(T x, T exponent) {
  if (exponent < T(0)) {
    if (x == T(1)) return T(1);
    return x == T(-1) ? T(Bits(exponent) & 1 ? -1 : 1) : T(0);
  }
  Bits result = 1, base = Bits(x);
  for (Bits n = Bits(exponent); n; n >>= 1, base *= base)
    if (n & 1) result *= base;
  return T(result);
}
/// Floats: C's pow (pow(x, 0) = pow(1, y) = 1 even for NaN); exponents 2 and 3 are products.
BURNISH_PRIM float pow(float x, float y) { return y == 2 ? x * x : y == 3 ? x * x * x : ::powf(x, y); }
BURNISH_PRIM double pow(double x, double y) { return y == 2 ? x * x : y == 3 ? x * x * x : ::pow(x, y); }

// ---- comparisons and logic; a comparison with NaN is false

template <class T>
BURNISH_PRIM bool equal(T a, T b) {
  return a == b;
}
template <class T>
BURNISH_PRIM bool less(T a, T b) {
  return a < b;
}
template <class T>
BURNISH_PRIM bool less_or_equal(T a, T b) {
  return a <= b;
}
template <class T>
BURNISH_PRIM bool greater(T a, T b) {
  return a > b;
}
template <class T>
BURNISH_PRIM bool greater_or_equal(T a, T b) {
  return a >= b;
}

template <class T>
BURNISH_PRIM bool is_nan(T x) {
  return x != x;
}
template <class T>
BURNISH_PRIM bool is_inf(T x) {
  return is_real<T> && x - x != T(0) && x == x;
}
/// Infinities of the wanted signs only.
template <class T>
BURNISH_PRIM bool is_inf(T x, bool positive, bool negative) {
  return is_inf(x) && (x > T(0) ? positive : negative);
}

BURNISH_PRIM bool logical_and(bool a, bool b) { return a && b; }
BURNISH_PRIM bool logical_or(bool a, bool b) { return a || b; }
BURNISH_PRIM bool logical_xor(bool a, bool b) { return a != b; }
BURNISH_PRIM bool logical_not(bool a) { return !a; }
template <class T>
BURNISH_PRIM T where(bool condition, T a, T b) {
  return condition ? a : b;
}

// ---- bits of integers

template <Integer T>
BURNISH_PRIM T bit_and(T a, T b) {
  return T(a & b);
}
template <Integer T>
BURNISH_PRIM T bit_or(T a, T b) {
  return T(a | b);
}
template <Integer T>
BURNISH_PRIM T bit_xor(T a, T b) {
  return T(a ^ b);
}
template <Integer T>
BURNISH_PRIM T bit_not(T a) {
  return T(~a);
}
/// Logical shifts of the 64 bits; a count outside 0…63 shifts everything out. (ONNX shifts unsigned types
/// only.)
template <Integer T>
BURNISH_PRIM T shift_left(T a, T count) {
  return Bits(count) > 63 ? T(0) : T(Bits(a) << Bits(count));
}
template <Integer T>
BURNISH_PRIM T shift_right(T a, T count) {
  return Bits(count) > 63 ? T(0) : T(Bits(a) >> Bits(count));
}

// ---- activations

/// max(x, 0); relu(NaN) = NaN, relu(-0) = -0.
template <class T>
BURNISH_PRIM T relu(T x) {
  return x < T(0) ? T(0) : x;
}
template <Real T>
BURNISH_PRIM T leaky_relu(T x, T alpha) {
  return x < T(0) ? alpha * x : x;
}
template <Real T>
BURNISH_PRIM T elu(T x, T alpha) {
  return x < T(0) ? alpha * expm1(x) : x;
}
template <Real T>
BURNISH_PRIM T selu(T x, T alpha, T gamma) {
  return gamma * (x > T(0) ? x : alpha * expm1(x));
}
template <Real T>
BURNISH_PRIM T celu(T x, T alpha) {
  return x < T(0) ? alpha * expm1(x / alpha) : x;
}
template <Real T>
BURNISH_PRIM T hard_sigmoid(T x, T alpha, T beta) {
  return clip(alpha * x + beta, T(0), T(1));
}
template <Real T>
BURNISH_PRIM T hard_swish(T x) {
  return x * clip(x * T(1.0 / 6) + T(0.5), T(0), T(1));
}

// On the device each of these is one instruction, within 2 units in the last place, with 0 for what is below the normal numbers.

/// 1 / x
BURNISH_PRIM float near_reciprocal(float x) {
#ifdef __CUDACC__
  float y;
  asm("rcp.approx.ftz.f32 %0, %1;" : "=f"(y) : "f"(x));
  return y;
#else
  return 1.f / x;
#endif
}
/// 2^x
BURNISH_PRIM float near_exp2(float x) {
#ifdef __CUDACC__
  float y;
  asm("ex2.approx.ftz.f32 %0, %1;" : "=f"(y) : "f"(x));
  return y;
#else
  return ::exp2f(x);
#endif
}

/// 1 / (1 + e^-x) without overflow: 0 at -inf, 1 at inf.
template <Real T>
BURNISH_PRIM T sigmoid(T x) {
#ifdef __CUDACC__
  if constexpr (is_same<T, float>) return near_reciprocal(1.f + near_exp2(x * -1.44269504f));  // 1 / inf is 0
#endif
  const T z = exp(-abs(x));
  return (x < T(0) ? z : T(1)) / (T(1) + z);
}
/// log(1 + e^x) without overflow: 0 at -inf, inf at inf.
template <Real T>
BURNISH_PRIM T softplus(T x) {
  return max(x, T(0)) + log1p(exp(-abs(x)));
}
template <Real T>
BURNISH_PRIM T softsign(T x) {
  return x / (T(1) + abs(x));
}
template <Real T>
BURNISH_PRIM T mish(T x) {
  return x * tanh(softplus(x));
}
/// gelu_erf within 3e-7 of it, and within 2e-5 of its amount down to x = -5.6: max(x, 0) - |x| 2^p, where p(|x|) is nearly the
/// binary logarithm of the normal distribution's tail. Twelve instructions, one of them slow; erf takes twice as long.
BURNISH_PRIM float near_gelu(float x) {
  const float a = ::fminf(abs(x), 16.f);  // the tail is 0 from there on, and 0 * inf is not to be met
  float p = 5.745509022e-5f + a * -1.585158685e-6f;
  p = 0.008440629208f + a * (-0.0009052490039f + a * p);
  p = -0.458449398f + a * (-0.05389513925f + a * p);
  p = -0.9999843611f + a * (-1.15129604f + a * p);
  const float h = 0.5f * x;
  return h + abs(h) - a * near_exp2(p);
}
/// x times the normal distribution's integral; of floats on the device near_gelu.
template <Real T>
BURNISH_PRIM T gelu_erf(T x) {
#ifdef __CUDACC__
  if constexpr (is_same<T, float>) return near_gelu(x);
#endif
  return T(0.5) * x * (T(1) + erf(x * T(0.70710678118654752440)));
}
template <Real T>
BURNISH_PRIM T gelu_tanh(T x) {
  // 0.5 * (1 + tanh(u)) = sigmoid(2 u)
  return x * sigmoid(T(1.59576912160573071176) * (x + T(0.044715) * x * x * x));
}

// ---- conversions

namespace detail {

/// Range of the integer type To as powers of two: [low, high), both exact in float.
template <class To>
inline constexpr double low_bound = To(-1) < To(0) ? -double(Bits(1) << (8 * sizeof(To) - 1)) : 0.0;
template <class To>
inline constexpr double high_bound = 2.0 * double(Bits(1) << (8 * sizeof(To) - 1 - int(To(-1) < To(0))));
template <class To>
inline constexpr To lowest = To(-1) < To(0) ? To(Bits(1) << (8 * sizeof(To) - 1)) : To(0);
template <class To>
inline constexpr To highest = To(~lowest<To>);

template <class To, class From>
BURNISH_PRIM To real_to_integer(From x) {
  if (x != x) return To(0);
  if (x < From(low_bound<To>)) return lowest<To>;
  if (x >= From(high_bound<To>)) return highest<To>;
  return To(x);
}

}  // namespace detail

/// The value as a To, one of ONNX's element types:
/// - float to integer: toward zero, out of range saturates to the type's ends, NaN gives 0;
/// - integer to integer: wraps to the width of To; anything to bool: != 0 (NaN is true); bool to number: 0 or
///   1;
/// - to float or double: to nearest even, beyond the range ±inf;
/// - to half or bfloat16 (class types): the value in float, rounded where it is stored.
template <class To, class From>
BURNISH_PRIM auto cast(From x) {
  if constexpr (__is_class(To)) return float(x);
  else if constexpr (is_bool<To>) return x != From(0);
  else if constexpr (is_real<From> && !is_real<To>) return detail::real_to_integer<To>(x);
  else return To(x);
}

/// x / y by y's inverse, correctly rounded, up to 2^22; beyond that nearly so. What is far below 1 may lose digits. (Markstein, 1990:
/// Computation of Elementary Functions on the IBM RISC System/6000 Processor)
BURNISH_PRIM float quotient_by_inverse(float x, float y, float inverse) {
  const float quotient = x * inverse;
  return ::fabsf(quotient) < 4194304.f ? ::fmaf(::fmaf(-quotient, y, x), inverse, quotient) : quotient;
}

/// round(x / scale), on the device without the branches of a division.
BURNISH_PRIM float rounded_quotient(float x, float scale) {
#ifdef __CUDACC__
  return ::rintf(quotient_by_inverse(x, scale, __frcp_rn(scale)));
#else
  return ::rintf(x / scale);
#endif
}

/// round(x / scale) + zero, as cast to the integer type T (ONNX QuantizeLinear).
template <class T, class Zero>
BURNISH_PRIM T quantize(float x, float scale, Zero zero) {
  return cast<T>(rounded_quotient(x, scale) + float(int(zero)));
}

/// (x - zero) * scale, x and zero integers of 32 bits at most (ONNX DequantizeLinear).
template <class X, class Zero>
BURNISH_PRIM float dequantize(X x, float scale, Zero zero) {
  return float(int(unsigned(x) - unsigned(zero))) * scale;
}

/// Mixed operands: the result has the base's type. A float base takes an integer exponent as a float; an
/// integer base with a float exponent is raised in double and cast back.
template <class T, class E>
  requires(!is_same<T, E>)
BURNISH_PRIM T pow(T x, E exponent) {
  if constexpr (is_real<T>) return pow(x, T(exponent));
  else if constexpr (is_real<E>) return cast<T>(pow(double(x), double(exponent)));
  else return T(pow((long long)x, (long long)exponent));
}

}  // namespace burnish::prim

#undef BURNISH_PRIM

// Products of a warpgroup (sm_90a) whose first matrix is in registers: what one product leaves there is an operand of the next.
#pragma once

#include "providers/nvrtc/device/wgmma.cuh"

namespace burnish {

// Operands %0 … %n-1 are accumulators, by eights.
#define BURNISH_NAMES_16 "%0,%1,%2,%3,%4,%5,%6,%7"
#define BURNISH_NAMES_32 BURNISH_NAMES_16 ",%8,%9,%10,%11,%12,%13,%14,%15"
#define BURNISH_NAMES_48 BURNISH_NAMES_32 ",%16,%17,%18,%19,%20,%21,%22,%23"
#define BURNISH_NAMES_64 BURNISH_NAMES_48 ",%24,%25,%26,%27,%28,%29,%30,%31"
#define BURNISH_NAMES_80 BURNISH_NAMES_64 ",%32,%33,%34,%35,%36,%37,%38,%39"
#define BURNISH_NAMES_96 BURNISH_NAMES_80 ",%40,%41,%42,%43,%44,%45,%46,%47"
#define BURNISH_NAMES_112 BURNISH_NAMES_96 ",%48,%49,%50,%51,%52,%53,%54,%55"
#define BURNISH_NAMES_128 BURNISH_NAMES_112 ",%56,%57,%58,%59,%60,%61,%62,%63"
#define BURNISH_SUMS(j)                                                                             \
  "+f"(d[j][0]), "+f"(d[j][1]), "+f"(d[j][2]), "+f"(d[j][3]), "+f"(d[j + 1][0]), "+f"(d[j + 1][1]), \
      "+f"(d[j + 1][2]), "+f"(d[j + 1][3])
#define BURNISH_SUMS_16 BURNISH_SUMS(0)
#define BURNISH_SUMS_32 BURNISH_SUMS_16, BURNISH_SUMS(2)
#define BURNISH_SUMS_48 BURNISH_SUMS_32, BURNISH_SUMS(4)
#define BURNISH_SUMS_64 BURNISH_SUMS_48, BURNISH_SUMS(6)
#define BURNISH_SUMS_80 BURNISH_SUMS_64, BURNISH_SUMS(8)
#define BURNISH_SUMS_96 BURNISH_SUMS_80, BURNISH_SUMS(10)
#define BURNISH_SUMS_112 BURNISH_SUMS_96, BURNISH_SUMS(12)
#define BURNISH_SUMS_128 BURNISH_SUMS_112, BURNISH_SUMS(14)
#define BURNISH_WGMMA(n, types, a0, a1, a2, a3, op_b, op_adds, op_tb)                                  \
  asm volatile("{\n.reg .pred adds;\nsetp.ne.b32 adds, %" op_adds                                      \
               ", 0;\n"                                                                                \
               "wgmma.mma_async.sync.aligned.m64n" #n "k16.f32." types " {" BURNISH_NAMES_##n          \
               "}, {%" a0 ",%" a1 ",%" a2 ",%" a3 "}, %" op_b ", adds, 1, 1, %" op_tb ";\n}"           \
               : BURNISH_SUMS_##n                                                                      \
               : "r"(a[0]), "r"(a[1]), "r"(a[2]), "r"(a[3]), "l"(b), "r"(int(adds)), "n"(int(ByRowsB)) \
               : "memory")
#define BURNISH_WGMMA_N(types)                                                                      \
  if constexpr (N == 16) BURNISH_WGMMA(16, types, "8", "9", "10", "11", "12", "13", "14");          \
  else if constexpr (N == 32) BURNISH_WGMMA(32, types, "16", "17", "18", "19", "20", "21", "22");   \
  else if constexpr (N == 48) BURNISH_WGMMA(48, types, "24", "25", "26", "27", "28", "29", "30");   \
  else if constexpr (N == 64) BURNISH_WGMMA(64, types, "32", "33", "34", "35", "36", "37", "38");   \
  else if constexpr (N == 80) BURNISH_WGMMA(80, types, "40", "41", "42", "43", "44", "45", "46");   \
  else if constexpr (N == 96) BURNISH_WGMMA(96, types, "48", "49", "50", "51", "52", "53", "54");   \
  else if constexpr (N == 112) BURNISH_WGMMA(112, types, "56", "57", "58", "59", "60", "61", "62"); \
  else BURNISH_WGMMA(128, types, "64", "65", "66", "67", "68", "69", "70")

/// As the other one, with a in registers: 64 rows, 16 k, each warp its 16 rows as `multiply_matrices` wants them. N is a
/// multiple of 16 up to 128. Neither a nor d may be touched before `wait_products`.
template <int N, class T, bool ByRowsB>
BURNISH_DEVICE void start_product(float (&d)[N / 8][4], const u32 (&a)[4], u64 b, bool adds) {
  static_assert(N % 16 == 0 && N >= 16 && N <= 128);
  static_assert(is_same<T, half> || is_same<T, bfloat16>);
  if constexpr (is_same<T, half>) {
    BURNISH_WGMMA_N("f16.f16");
  } else {
    BURNISH_WGMMA_N("bf16.bf16");
  }
}

#undef BURNISH_WGMMA_N
#undef BURNISH_WGMMA
#undef BURNISH_SUMS_128
#undef BURNISH_SUMS_112
#undef BURNISH_SUMS_96
#undef BURNISH_SUMS_80
#undef BURNISH_SUMS_64
#undef BURNISH_SUMS_48
#undef BURNISH_SUMS_32
#undef BURNISH_SUMS_16
#undef BURNISH_SUMS
#undef BURNISH_NAMES_128
#undef BURNISH_NAMES_112
#undef BURNISH_NAMES_96
#undef BURNISH_NAMES_80
#undef BURNISH_NAMES_64
#undef BURNISH_NAMES_48
#undef BURNISH_NAMES_32
#undef BURNISH_NAMES_16

}  // namespace burnish

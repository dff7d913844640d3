// The instructions of sm_90a that multiply matrices in shared memory, issued by a warpgroup: four warps of a block, the
// first one's number a multiple of 4. They run beside the threads that issue them.
#pragma once

#include "providers/nvrtc/device/types.cuh"

namespace burnish {

/// Makes this thread's writes to shared memory visible to asynchronous instructions; a barrier tells that they are.
BURNISH_DEVICE void publish_shared() { asm volatile("fence.proxy.async.shared::cta;" ::: "memory"); }

/// The registers that a thread may use from here on, a multiple of 8; all threads of the warpgroup call it. What some give up
/// others may take: the block has what its threads had at launch.
template <int Count>
BURNISH_DEVICE void give_up_registers() {
  asm volatile("setmaxnreg.dec.sync.aligned.u32 %0;" ::"n"(Count));
}
template <int Count>
BURNISH_DEVICE void take_registers() {
  asm volatile("setmaxnreg.inc.sync.aligned.u32 %0;" ::"n"(Count));
}

/// Before the first product of a batch: registers that earlier instructions wrote may be accumulators.
BURNISH_DEVICE void begin_products() { asm volatile("wgmma.fence.sync.aligned;" ::: "memory"); }
/// Closes the batch of products since the last one.
BURNISH_DEVICE void commit_products() { asm volatile("wgmma.commit_group.sync.aligned;" ::: "memory"); }
/// Waits until at most Pending of the newest batches are under way.
template <int Pending>
BURNISH_DEVICE void wait_products() {
  asm volatile("wgmma.wait_group.sync.aligned %0;" ::"n"(Pending) : "memory");
}

/// Waits as wait_products does, for sums that are read next. A loop that ends at once: out of a loop's end ptxas 13.0 moves no
/// conversion of a sum to before the wait, as it does otherwise, which serialises the products or reads sums that are not there
/// yet.
template <int Pending = 0>
BURNISH_DEVICE void wait_for_products() {
  asm volatile(
      "{\n.reg .pred more;\nagain:\nwgmma.wait_group.sync.aligned %1;\nsetp.eq.u32 more, %0, 0xffffffff;\n"
      "@more bra again;\n}" ::"r"(threadIdx.x),
      "n"(Pending)
      : "memory");
}

/// Describes a matrix in shared memory whose lines of 128 bytes have their 16-byte chunks permuted by the line's number,
/// `chunk ^ line % 8`. A line holds 64 elements of k of one row or column, or 64 rows or columns of one k; then `panel` is
/// the distance in bytes to the next 64. Lines start at a multiple of 1024 bytes. An address holds the block's rank in its
/// cluster above the 18 bits of its own memory.
BURNISH_DEVICE u64 describe_matrix(u32 address, u32 panel) {
  constexpr u64 eight_lines = 8 * 128, swizzle_128 = 1;
  constexpr u32 own_memory = (1u << 18) - 1;
  return u64((address & own_memory) >> 4) | u64(panel >> 4) << 16 | (eight_lines >> 4) << 32 |
         swizzle_128 << 62;
}
/// What lies so many bytes after a described matrix, in the memory of the same block: the low word has the address.
BURNISH_DEVICE u64 further(u64 matrix, u32 bytes) {
  return (matrix >> 32) << 32 | (u32(matrix) + (bytes >> 4));
}

// Operands %0 … %n-1 are accumulators, by tens.
#define BURNISH_TEN(t) "%" t "0,%" t "1,%" t "2,%" t "3,%" t "4,%" t "5,%" t "6,%" t "7,%" t "8,%" t "9,"
#define BURNISH_THIRTY BURNISH_TEN("") BURNISH_TEN("1") BURNISH_TEN("2")
#define BURNISH_SIXTY BURNISH_THIRTY BURNISH_TEN("3") BURNISH_TEN("4") BURNISH_TEN("5")
#define BURNISH_NAMES_16 BURNISH_TEN("") "%10,%11,%12,%13,%14,%15"
#define BURNISH_NAMES_24 BURNISH_TEN("") BURNISH_TEN("1") "%20,%21,%22,%23"
#define BURNISH_NAMES_32 BURNISH_THIRTY "%30,%31"
#define BURNISH_NAMES_40 BURNISH_THIRTY "%30,%31,%32,%33,%34,%35,%36,%37,%38,%39"
#define BURNISH_NAMES_48 BURNISH_THIRTY BURNISH_TEN("3") "%40,%41,%42,%43,%44,%45,%46,%47"
#define BURNISH_NAMES_56 BURNISH_THIRTY BURNISH_TEN("3") BURNISH_TEN("4") "%50,%51,%52,%53,%54,%55"
#define BURNISH_NAMES_64 BURNISH_SIXTY "%60,%61,%62,%63"
#define BURNISH_NAMES_72 BURNISH_SIXTY BURNISH_TEN("6") "%70,%71"
#define BURNISH_NAMES_80 BURNISH_SIXTY BURNISH_TEN("6") "%70,%71,%72,%73,%74,%75,%76,%77,%78,%79"
#define BURNISH_NAMES_88 BURNISH_SIXTY BURNISH_TEN("6") BURNISH_TEN("7") "%80,%81,%82,%83,%84,%85,%86,%87"
#define BURNISH_NAMES_96 \
  BURNISH_SIXTY BURNISH_TEN("6") BURNISH_TEN("7") BURNISH_TEN("8") "%90,%91,%92,%93,%94,%95"
#define BURNISH_NAMES_128                                                                             \
  BURNISH_SIXTY BURNISH_TEN("6") BURNISH_TEN("7") BURNISH_TEN("8") BURNISH_TEN("9") BURNISH_TEN("10") \
      BURNISH_TEN("11") "%120,%121,%122,%123,%124,%125,%126,%127"
#define BURNISH_SUMS_8(j)                                                                           \
  "+f"(d[j][0]), "+f"(d[j][1]), "+f"(d[j][2]), "+f"(d[j][3]), "+f"(d[j + 1][0]), "+f"(d[j + 1][1]), \
      "+f"(d[j + 1][2]), "+f"(d[j + 1][3])
#define BURNISH_SUMS_32(j) \
  BURNISH_SUMS_8(j), BURNISH_SUMS_8(j + 2), BURNISH_SUMS_8(j + 4), BURNISH_SUMS_8(j + 6)
#define BURNISH_SUMS_16 BURNISH_SUMS_8(0), BURNISH_SUMS_8(2)
#define BURNISH_SUMS_24 BURNISH_SUMS_8(0), BURNISH_SUMS_8(2), BURNISH_SUMS_8(4)
#define BURNISH_SUMS_40 BURNISH_SUMS_32(0), BURNISH_SUMS_8(8)
#define BURNISH_SUMS_48 BURNISH_SUMS_32(0), BURNISH_SUMS_8(8), BURNISH_SUMS_8(10)
#define BURNISH_SUMS_56 BURNISH_SUMS_32(0), BURNISH_SUMS_8(8), BURNISH_SUMS_8(10), BURNISH_SUMS_8(12)
#define BURNISH_SUMS_64 BURNISH_SUMS_32(0), BURNISH_SUMS_32(8)
#define BURNISH_SUMS_72 BURNISH_SUMS_32(0), BURNISH_SUMS_32(8), BURNISH_SUMS_8(16)
#define BURNISH_SUMS_80 BURNISH_SUMS_32(0), BURNISH_SUMS_32(8), BURNISH_SUMS_8(16), BURNISH_SUMS_8(18)
#define BURNISH_SUMS_88 \
  BURNISH_SUMS_32(0), BURNISH_SUMS_32(8), BURNISH_SUMS_8(16), BURNISH_SUMS_8(18), BURNISH_SUMS_8(20)
#define BURNISH_SUMS_96 BURNISH_SUMS_32(0), BURNISH_SUMS_32(8), BURNISH_SUMS_32(16)
#define BURNISH_SUMS_128 BURNISH_SUMS_32(0), BURNISH_SUMS_32(8), BURNISH_SUMS_32(16), BURNISH_SUMS_32(24)
#define BURNISH_WGMMA(n, types, names, sums, op_a, op_b, op_adds, op_ta, op_tb)                         \
  asm volatile("{\n.reg .pred adds;\nsetp.ne.b32 adds, %" op_adds                                       \
               ", 0;\n"                                                                                 \
               "wgmma.mma_async.sync.aligned.m64n" n "k16.f32." types " {" names "}, %" op_a ", %" op_b \
               ", adds, 1, 1, %" op_ta ", %" op_tb ";\n}"                                               \
               : sums                                                                                   \
               : "l"(a), "l"(b), "r"(int(adds)), "n"(int(ByRowsA)), "n"(int(ByRowsB))                   \
               : "memory")
#define BURNISH_WGMMA_N(types)                                                                      \
  if constexpr (N == 32)                                                                            \
    BURNISH_WGMMA("32", types, BURNISH_NAMES_16, BURNISH_SUMS_16, "16", "17", "18", "19", "20");    \
  else if constexpr (N == 48)                                                                       \
    BURNISH_WGMMA("48", types, BURNISH_NAMES_24, BURNISH_SUMS_24, "24", "25", "26", "27", "28");    \
  else if constexpr (N == 64)                                                                       \
    BURNISH_WGMMA("64", types, BURNISH_NAMES_32, BURNISH_SUMS_32(0), "32", "33", "34", "35", "36"); \
  else if constexpr (N == 80)                                                                       \
    BURNISH_WGMMA("80", types, BURNISH_NAMES_40, BURNISH_SUMS_40, "40", "41", "42", "43", "44");    \
  else if constexpr (N == 96)                                                                       \
    BURNISH_WGMMA("96", types, BURNISH_NAMES_48, BURNISH_SUMS_48, "48", "49", "50", "51", "52");    \
  else if constexpr (N == 112)                                                                      \
    BURNISH_WGMMA("112", types, BURNISH_NAMES_56, BURNISH_SUMS_56, "56", "57", "58", "59", "60");   \
  else if constexpr (N == 128)                                                                      \
    BURNISH_WGMMA("128", types, BURNISH_NAMES_64, BURNISH_SUMS_64, "64", "65", "66", "67", "68");   \
  else if constexpr (N == 144)                                                                      \
    BURNISH_WGMMA("144", types, BURNISH_NAMES_72, BURNISH_SUMS_72, "72", "73", "74", "75", "76");   \
  else if constexpr (N == 160)                                                                      \
    BURNISH_WGMMA("160", types, BURNISH_NAMES_80, BURNISH_SUMS_80, "80", "81", "82", "83", "84");   \
  else if constexpr (N == 176)                                                                      \
    BURNISH_WGMMA("176", types, BURNISH_NAMES_88, BURNISH_SUMS_88, "88", "89", "90", "91", "92");   \
  else if constexpr (N == 192)                                                                      \
    BURNISH_WGMMA("192", types, BURNISH_NAMES_96, BURNISH_SUMS_96, "96", "97", "98", "99", "100");  \
  else BURNISH_WGMMA("256", types, BURNISH_NAMES_128, BURNISH_SUMS_128, "128", "129", "130", "131", "132")

/// Starts d += a * b, or d = a * b unless `adds`: 64 rows, N columns (multiples of 16 from 32 to 192, and 256), 16 k, of
/// matrices that `describe_matrix` describes. T is half or bfloat16. ByRowsA, ByRowsB: a line of the matrix holds rows (columns) of one k.
/// Lane 4g+q of warp w holds rows 16w+g, 16w+g, 16w+g+8, 16w+g+8 and columns 8j+2q, +1, +0, +1 in d[j]; nobody may touch
/// them before `wait_products`.
template <int N, class T, bool ByRowsA, bool ByRowsB>
BURNISH_DEVICE void start_product(float (&d)[N / 8][4], u64 a, u64 b, bool adds) {
  static_assert((N % 16 == 0 && N >= 32 && N <= 192) || N == 256);
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
#undef BURNISH_SUMS_96
#undef BURNISH_SUMS_88
#undef BURNISH_SUMS_80
#undef BURNISH_SUMS_72
#undef BURNISH_SUMS_64
#undef BURNISH_SUMS_56
#undef BURNISH_SUMS_48
#undef BURNISH_SUMS_40
#undef BURNISH_SUMS_24
#undef BURNISH_SUMS_16
#undef BURNISH_SUMS_32
#undef BURNISH_SUMS_8
#undef BURNISH_NAMES_128
#undef BURNISH_NAMES_96
#undef BURNISH_NAMES_88
#undef BURNISH_NAMES_80
#undef BURNISH_NAMES_72
#undef BURNISH_NAMES_64
#undef BURNISH_NAMES_56
#undef BURNISH_NAMES_48
#undef BURNISH_NAMES_40
#undef BURNISH_NAMES_32
#undef BURNISH_NAMES_24
#undef BURNISH_NAMES_16
#undef BURNISH_SIXTY
#undef BURNISH_THIRTY
#undef BURNISH_TEN

}  // namespace burnish

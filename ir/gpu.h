#pragma once

#include <cstdint>
#include <string_view>

/// What kernels may count on, and estimates are made of, beside what a node says.
namespace burnish {

/// Shared memory that a block may have on every target.
inline constexpr int64_t shared_of_any_block = 99 << 10;

/// Whether blocks of a target, "sm_90", can share their memory: from sm_90 on ("sm_100" is longer).
inline bool has_clusters(std::string_view architecture) {
  return architecture.size() > 5 || architecture >= "sm_90";
}

/// The GPU that estimates are fitted to and grids are cut for; others run the same kernels, and results never depend on it. An H200
/// (SXM, 141 GB), by its data sheet and, where it says so, as the scripts of tools/kernels measure it. An estimate that knows better
/// for its own kind of access has a figure of its own.
namespace h200 {

inline constexpr int64_t multiprocessors = 132;
inline constexpr int64_t schedulers = 4 * multiprocessors;
inline constexpr int64_t shared_of_multiprocessor = 228 << 10;
inline constexpr int64_t shared_of_block = 227 << 10;        // the most that one may ask for
inline constexpr int64_t shared_beside_block = 1 << 10;      // what each takes beside what it asks for
inline constexpr double cycles_per_microsecond = 1700;       // measured under load; 1980 at most
inline constexpr double bytes_read_per_microsecond = 4.4e6;  // of memory, measured; 4.8e6 by the data sheet

}  // namespace h200

}  // namespace burnish

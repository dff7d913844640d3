# Adds further builds of base/matrix_product_kernel.cpp to `target`, one per instruction set, chosen between at run time.
# Always optimised: an inline function of the standard library that stayed out of line here could serve the whole program.
function(burnish_matrix_kernels target)
  set(source ${CMAKE_SOURCE_DIR}/base/matrix_product_kernel.cpp)
  set_source_files_properties(${source} PROPERTIES SKIP_PRECOMPILE_HEADERS ON COMPILE_OPTIONS
    "-O3;-DNDEBUG;-DEIGEN_DONT_PARALLELIZE;-Wno-maybe-uninitialized;-Wno-uninitialized") # GCC 12's AVX-512 header warns
  target_include_directories(${target} SYSTEM PRIVATE ${EIGEN3_INCLUDE_DIRS})
  if(NOT CMAKE_SYSTEM_PROCESSOR MATCHES "x86_64|AMD64")
    return()
  endif()
  set(flags_avx2 -mavx2 -mfma)
  set(flags_avx512 -mavx512f -mavx512dq -mavx512vl -mavx512bw -mfma)
  foreach(set avx2 avx512)
    add_library(burnish_matrix_${set} OBJECT ${source})
    target_include_directories(burnish_matrix_${set} SYSTEM PRIVATE ${EIGEN3_INCLUDE_DIRS})
    target_compile_options(burnish_matrix_${set} PRIVATE ${flags_${set}})
    target_compile_definitions(burnish_matrix_${set} PRIVATE BURNISH_MATRIX_KERNEL=${set} Eigen=Eigen_${set})
    target_sources(${target} PRIVATE $<TARGET_OBJECTS:burnish_matrix_${set}>)
  endforeach()
endfunction()

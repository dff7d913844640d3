# A compiler cache, a fast linker, and precompiled headers.
find_program(BURNISH_CCACHE ccache)
if(BURNISH_CCACHE AND NOT CMAKE_CXX_COMPILER_LAUNCHER)
  # What ccache must overlook to cache sources that begin with a precompiled header.
  set(CMAKE_CXX_COMPILER_LAUNCHER ${CMAKE_COMMAND} -E env CCACHE_SLOPPINESS=pch_defines,time_macros ${BURNISH_CCACHE})
endif()

find_program(BURNISH_MOLD mold)
if(BURNISH_MOLD)
  add_link_options(-fuse-ld=mold -Wl,--gc-sections)
endif()

# Parsing headers is half of what compiling a source costs. Libraries share a precompiled header, those on
# graphs a larger one, test programs a third.
if(CMAKE_CXX_COMPILER_ID STREQUAL GNU)
  add_compile_options(-fpch-preprocess) # lets ccache see through it
endif()
file(CONFIGURE OUTPUT ${CMAKE_BINARY_DIR}/generated/precompiled.cpp CONTENT "")
add_library(burnish_precompiled OBJECT ${CMAKE_BINARY_DIR}/generated/precompiled.cpp)
target_precompile_headers(burnish_precompiled PRIVATE ${CMAKE_SOURCE_DIR}/cmake/precompiled.h)
# What works on graphs includes nearly all of ir/.
add_library(burnish_precompiled_ir OBJECT ${CMAKE_BINARY_DIR}/generated/precompiled.cpp)
target_precompile_headers(burnish_precompiled_ir PRIVATE ${CMAKE_SOURCE_DIR}/cmake/precompiled.h
  ${CMAKE_SOURCE_DIR}/ir/pointwise.h)

# Tests are compiled for speed of compiling: what they test is optimised elsewhere.
set(test_options -O1)
add_library(burnish_precompiled_test OBJECT EXCLUDE_FROM_ALL ${CMAKE_BINARY_DIR}/generated/precompiled.cpp)
set_target_properties(burnish_precompiled_test PROPERTIES POSITION_INDEPENDENT_CODE OFF)
target_compile_options(burnish_precompiled_test PRIVATE -fPIE ${test_options}) # as a program's objects
target_precompile_headers(burnish_precompiled_test PRIVATE ${CMAKE_SOURCE_DIR}/cmake/precompiled.h <gtest/gtest.h>)
target_link_libraries(burnish_precompiled_test PRIVATE GTest::gtest)

# All test programs; not part of a plain build.
add_custom_target(tests)

# A program of GoogleTest tests from SOURCES, known to ctest as NAME.
function(burnish_test_program program name)
  cmake_parse_arguments(ARG "" "" "SOURCES;DEPENDS" ${ARGN})
  add_executable(${program} EXCLUDE_FROM_ALL ${ARG_SOURCES})
  add_dependencies(tests ${program})
  target_link_libraries(${program} ${ARG_DEPENDS} GTest::gtest_main)
  target_compile_options(${program} PRIVATE ${test_options})
  target_precompile_headers(${program} REUSE_FROM burnish_precompiled_test)
  add_test(NAME ${name} COMMAND ${program})
endfunction()

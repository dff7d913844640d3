add_custom_target(threaded_tests)

# One folder is one static library `burnish_<name>`; its *_test.cpp become one test program `<name>_test`,
# and its *_gpu_test.cpp another, `<name>_gpu_test` (ctest label gpu; skipped where there is no device).
#   DEPENDS       what the library includes and links
#   TEST_DEPENDS  what only its tests need besides
#   EXCLUDE       folders inside this one that are folders of their own
#   THREADED      its tests use threads: they also run under the thread sanitiser (ctest label threaded, target threaded_tests)
function(burnish_folder folder)
  cmake_parse_arguments(ARG "THREADED" "" "DEPENDS;TEST_DEPENDS;EXCLUDE" ${ARGN})
  string(REPLACE "/" "_" name ${folder})
  file(GLOB_RECURSE sources CONFIGURE_DEPENDS ${folder}/*.cpp)
  foreach(inner ${ARG_EXCLUDE})
    list(FILTER sources EXCLUDE REGEX "/${inner}/")
  endforeach()
  set(tests ${sources})
  list(FILTER tests INCLUDE REGEX "_test\\.cpp$")
  set(gpu_tests ${tests})
  list(FILTER gpu_tests INCLUDE REGEX "_gpu_test\\.cpp$")
  list(FILTER tests EXCLUDE REGEX "_gpu_test\\.cpp$")
  list(FILTER sources EXCLUDE REGEX "_(test|bench|fuzz)\\.cpp$")
  set(dependencies)
  foreach(dependency ${ARG_DEPENDS})
    if(TARGET burnish_${dependency})
      list(APPEND dependencies burnish_${dependency})
    else()
      list(APPEND dependencies ${dependency})
    endif()
  endforeach()
  if(sources)
    add_library(burnish_${name} STATIC ${sources})
    target_link_libraries(burnish_${name} PUBLIC ${dependencies})
    set(precompiled burnish_precompiled)
    if(ARG_DEPENDS MATCHES "(^|;)(ir|ops)(;|$)")
      set(precompiled burnish_precompiled_ir)
    endif()
    target_precompile_headers(burnish_${name} REUSE_FROM ${precompiled})
  else()
    add_library(burnish_${name} INTERFACE)
    target_link_libraries(burnish_${name} INTERFACE ${dependencies})
  endif()
  if(tests)
    burnish_test_program(${name}_test ${name} SOURCES ${tests} DEPENDS burnish_${name} ${ARG_TEST_DEPENDS})
    if(ARG_THREADED)
      set_tests_properties(${name} PROPERTIES LABELS threaded)
      add_dependencies(threaded_tests ${name}_test)
    endif()
  endif()
  if(gpu_tests)
    burnish_test_program(${name}_gpu_test ${name}_gpu SOURCES ${gpu_tests} DEPENDS burnish_${name} ${ARG_TEST_DEPENDS})
    set_tests_properties(${name}_gpu PROPERTIES LABELS gpu SKIP_REGULAR_EXPRESSION "\\[  SKIPPED \\]")
  endif()
endfunction()

# Like burnish_folder; every ops/<name>.cpp or ops/<name>/<name>.cpp defines `op_<name>`. The table is generated, never edited.
function(burnish_ops folder)
  file(GLOB_RECURSE files CONFIGURE_DEPENDS RELATIVE ${CMAKE_SOURCE_DIR}/${folder} ${folder}/*.cpp)
  list(FILTER files EXCLUDE REGEX "_(test|bench|fuzz)\\.cpp$")
  set(declarations "")
  set(entries "")
  foreach(file ${files})
    get_filename_component(stem ${file} NAME_WE)
    string(APPEND declarations "extern const OpDef op_${stem};\n")
    string(APPEND entries "  &op_${stem},\n")
  endforeach()
  file(CONFIGURE OUTPUT ${CMAKE_BINARY_DIR}/generated/op_table.cpp CONTENT
"#include \"ir/op.h\"
namespace burnish {
${declarations}static const OpDef* const table[] = {
${entries}};
std::span<const OpDef* const> all_ops() { return table; }
}
")
  burnish_folder(${folder} ${ARGN})
  target_sources(burnish_${folder} PRIVATE ${CMAKE_BINARY_DIR}/generated/op_table.cpp)
endfunction()

# The fuzz target SOURCE (a LLVMFuzzerTestOneInput) as a program `<name>_fuzz` with tests/fuzz/driver.cpp, and a test that
# runs it for a few seconds on tests/fuzz/corpus/<name>.
function(burnish_fuzz name source)
  cmake_parse_arguments(ARG "" "" "DEPENDS" ${ARGN})
  add_executable(${name}_fuzz EXCLUDE_FROM_ALL ${source} ${CMAKE_SOURCE_DIR}/tests/fuzz/driver.cpp)
  add_dependencies(tests ${name}_fuzz)
  target_link_libraries(${name}_fuzz ${ARG_DEPENDS})
  add_test(NAME ${name}_fuzz COMMAND ${name}_fuzz --runs 1000 --seconds 3 ${CMAKE_SOURCE_DIR}/tests/fuzz/corpus/${name})
endfunction()

# lib/libburnish_<name>.so from SOURCES: the shared library `libburnish_<name>`, which exports only the C names of the API.
function(burnish_library name)
  cmake_parse_arguments(ARG "" "" "DEPENDS" ${ARGN})
  list(TRANSFORM ARG_UNPARSED_ARGUMENTS PREPEND ${CMAKE_SOURCE_DIR}/)
  set(nothing ${CMAKE_BINARY_DIR}/generated/empty.cpp) # CMake wants a source even where all of it comes from archives
  file(CONFIGURE OUTPUT ${nothing} CONTENT "")
  set(map ${CMAKE_SOURCE_DIR}/api/exports.map)
  add_library(libburnish_${name} SHARED ${nothing} ${ARG_UNPARSED_ARGUMENTS})
  target_link_libraries(libburnish_${name} PRIVATE ${ARG_DEPENDS})
  target_link_options(libburnish_${name} PRIVATE -Wl,--version-script=${map} -Wl,--no-undefined -Wl,--as-needed)
  set_target_properties(libburnish_${name} PROPERTIES OUTPUT_NAME burnish_${name} LINK_DEPENDS ${map})
endfunction()

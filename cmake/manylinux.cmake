# Toolchain for the wheel that runs from glibc 2.28 on: zig's clang, which links against any glibc by its stubs and brings libc++ as an
# archive. BURNISH_ZIG names the program (the PyPI package ziglang).
set(CMAKE_SYSTEM_NAME Linux)
set(CMAKE_SYSTEM_PROCESSOR ${CMAKE_HOST_SYSTEM_PROCESSOR})
set(CMAKE_LIBRARY_ARCHITECTURE ${CMAKE_SYSTEM_PROCESSOR}-linux-gnu) # where packages of the system lie
list(APPEND CMAKE_TRY_COMPILE_PLATFORM_VARIABLES BURNISH_ZIG BURNISH_GLIBC)
set(zig_target ${CMAKE_SYSTEM_PROCESSOR}-linux-gnu.${BURNISH_GLIBC})
set(CMAKE_C_COMPILER ${BURNISH_ZIG})
set(CMAKE_C_COMPILER_ARG1 "cc -target ${zig_target}")
set(CMAKE_CXX_COMPILER ${BURNISH_ZIG})
set(CMAKE_CXX_COMPILER_ARG1 "c++ -target ${zig_target}")

# Libraries of headers only that the system has. Its folder as a whole would bring in its own glibc.
set(headers ${CMAKE_BINARY_DIR}/system_headers)
foreach(name CLI fmt gtest minizip nlohmann protozero xxhash.h zconf.h zlib.h)
  file(MAKE_DIRECTORY ${headers})
  file(CREATE_LINK /usr/include/${name} ${headers}/${name} SYMBOLIC)
endforeach()
set(CMAKE_CXX_FLAGS_INIT "-w -g0 -isystem ${headers}") # warnings are looked at where everyone builds
set(CMAKE_EXE_LINKER_FLAGS_INIT -s)
set(CMAKE_SHARED_LINKER_FLAGS_INIT -s)
list(APPEND CMAKE_CXX_IMPLICIT_INCLUDE_DIRECTORIES /usr/include)

# zig links by itself, and ccache does not take its two words for a compiler.
set(BURNISH_MOLD OFF)
set(BURNISH_CCACHE OFF)

# CMake's own way to have a whole archive uses options that zig does not take.
set(CMAKE_CXX_LINK_LIBRARY_USING_WHOLE_ARCHIVE_SUPPORTED ON)
set(CMAKE_CXX_LINK_LIBRARY_USING_WHOLE_ARCHIVE "-Wl,--whole-archive" "<LINK_ITEM>" "-Wl,--no-whole-archive")

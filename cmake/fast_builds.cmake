# A compiler cache and a fast linker, where they are installed.
find_program(BURNISH_CCACHE ccache)
if(BURNISH_CCACHE AND NOT CMAKE_CXX_COMPILER_LAUNCHER)
  set(CMAKE_CXX_COMPILER_LAUNCHER ${BURNISH_CCACHE})
endif()

find_program(BURNISH_MOLD mold)
if(BURNISH_MOLD)
  add_link_options(-fuse-ld=mold)
endif()

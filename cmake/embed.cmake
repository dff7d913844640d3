# Embeds the device text: every *.cuh under base, providers/nvrtc/device and ops becomes one row {path, text} of a table
# that providers/nvrtc/device_headers.h declares. Run as a script (cmake -P) this file writes that table.

if(CMAKE_SCRIPT_MODE_FILE)
  include(${LIST}) # sets `root` and `headers`
  set(table "#include \"providers/nvrtc/device_headers.h\"\n\nnamespace burnish::nvrtc {\n\nstatic const DeviceHeader table[] = {\n")
  foreach(header ${headers})
    file(READ ${root}/${header} text)
    string(APPEND table "{\"${header}\", R\"~cuh~(${text})~cuh~\"},\n")
  endforeach()
  # The empty row keeps the array legal in C++ when there is no header at all; it is not part of the span.
  string(APPEND table "{{}, {}}};\n\nstd::span<const DeviceHeader> device_headers() { return {table, std::size(table) - 1}; }\n\n}  // namespace burnish::nvrtc\n")
  file(WRITE ${OUTPUT} "${table}")
  return()
endif()

# Adds the generated table to `target`; it is rewritten when a .cuh file changes, appears or goes.
function(burnish_embed_device_headers target)
  file(GLOB_RECURSE headers CONFIGURE_DEPENDS RELATIVE ${CMAKE_SOURCE_DIR}
       ${CMAKE_SOURCE_DIR}/base/*.cuh ${CMAKE_SOURCE_DIR}/providers/nvrtc/device/*.cuh ${CMAKE_SOURCE_DIR}/ops/*.cuh)
  list(SORT headers)
  set(output ${CMAKE_BINARY_DIR}/generated/device_headers.cpp)
  set(list ${CMAKE_BINARY_DIR}/generated/device_headers.cmake)
  file(CONFIGURE OUTPUT ${list} CONTENT "set(root \"${CMAKE_SOURCE_DIR}\")\nset(headers \"${headers}\")\n")
  list(TRANSFORM headers PREPEND ${CMAKE_SOURCE_DIR}/)
  set(script ${CMAKE_CURRENT_FUNCTION_LIST_FILE})
  add_custom_command(
    OUTPUT ${output}
    COMMAND ${CMAKE_COMMAND} -DLIST=${list} -DOUTPUT=${output} -P ${script}
    DEPENDS ${headers} ${list} ${script}
    COMMENT "Embedding the device headers"
    VERBATIM)
  target_sources(${target} PRIVATE ${output})
endfunction()

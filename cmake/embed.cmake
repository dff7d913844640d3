# Embeds texts: every file becomes one row {path, text} of a table that a header declares. Run as a script (cmake -P) this
# file writes that table.

if(CMAKE_SCRIPT_MODE_FILE)
  include(${LIST}) # sets `root`, `files`, `header`, `namespace`, `type` and `name`
  set(table "#include \"${header}\"\n\nnamespace ${namespace} {\n\nstatic const ${type} table[] = {\n")
  foreach(file ${files})
    file(READ ${root}/${file} text)
    string(APPEND table "{\"${file}\", R\"~text~(${text})~text~\"},\n")
  endforeach()
  # The empty row keeps the array legal in C++ when there is no file at all; it is not part of the span.
  string(APPEND table "{{}, {}}};\n\nstd::span<const ${type}> ${name}() { return {table, std::size(table) - 1}; }\n\n}  // namespace ${namespace}\n")
  file(WRITE ${OUTPUT} "${table}")
  return()
endif()

# Adds to `target` a table of FILES (relative to the source folder) as `NAME()`, a span of TYPE; it is rewritten when a file
# changes, appears or goes.
function(burnish_embed target)
  cmake_parse_arguments(ARG "" "HEADER;NAMESPACE;TYPE;NAME" "FILES" ${ARGN})
  set(output ${CMAKE_BINARY_DIR}/generated/${ARG_NAME}.cpp)
  set(list ${CMAKE_BINARY_DIR}/generated/${ARG_NAME}.cmake)
  list(SORT ARG_FILES)
  file(CONFIGURE OUTPUT ${list} CONTENT
"set(root \"${CMAKE_SOURCE_DIR}\")
set(files \"${ARG_FILES}\")
set(header ${ARG_HEADER})
set(namespace ${ARG_NAMESPACE})
set(type ${ARG_TYPE})
set(name ${ARG_NAME})
")
  list(TRANSFORM ARG_FILES PREPEND ${CMAKE_SOURCE_DIR}/)
  set(script ${CMAKE_CURRENT_FUNCTION_LIST_FILE})
  add_custom_command(
    OUTPUT ${output}
    COMMAND ${CMAKE_COMMAND} -DLIST=${list} -DOUTPUT=${output} -P ${script}
    DEPENDS ${ARG_FILES} ${list} ${script}
    COMMENT "Embedding ${ARG_NAME}"
    VERBATIM)
  target_sources(${target} PRIVATE ${output})
endfunction()

# The device text: every *.cuh under base, providers/nvrtc/device and ops.
function(burnish_embed_device_headers target)
  file(GLOB_RECURSE headers CONFIGURE_DEPENDS RELATIVE ${CMAKE_SOURCE_DIR}
       ${CMAKE_SOURCE_DIR}/base/*.cuh ${CMAKE_SOURCE_DIR}/providers/nvrtc/device/*.cuh ${CMAKE_SOURCE_DIR}/ops/*.cuh)
  burnish_embed(${target} HEADER providers/nvrtc/device_headers.h NAMESPACE burnish::nvrtc TYPE DeviceHeader
                NAME device_headers FILES ${headers})
endfunction()

# The rules by which spelled-out operators are recovered: every passes/rules/*.rule.
function(burnish_embed_rules target)
  file(GLOB rules CONFIGURE_DEPENDS RELATIVE ${CMAKE_SOURCE_DIR} ${CMAKE_SOURCE_DIR}/passes/rules/*.rule)
  burnish_embed(${target} HEADER passes/rule_texts.h NAMESPACE burnish TYPE RuleText NAME rule_texts FILES ${rules})
endfunction()

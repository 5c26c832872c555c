# How a function is compiled and linked: Subito's own tree and the installed package have this file.

# What whoever links the SDK must do.
set(SUBITO_SDK_COMPILE_OPTIONS -ffunction-sections -fdata-sections)
# The SDK reads the stack before __cxa_throw unwinds it.
set(SUBITO_SDK_LINK_OPTIONS -Wl,--wrap=__cxa_throw)

# subito_glibc_minor(OUT_VAR): 36 of glibc 2.36, from its headers; empty if they are not found.
function(subito_glibc_minor out)
  set(minor "")
  if(EXISTS /usr/include/features.h)
    file(STRINGS /usr/include/features.h minor REGEX "^#define[ \t]+__GLIBC_MINOR__")
    string(REGEX MATCH "[0-9]+$" minor "${minor}")
  endif()
  set(${out} "${minor}" PARENT_SCOPE)
endfunction()

# What a start runs is laid together (start_order.ld), which saves 50 us of it.
# SUBITO_START_ORDER=OFF is for a linker that knows no INSERT, such as gold.

# subito_function(NAME SOURCES ... [DEPS ...])
# A function: one static binary, NAME in the current binary folder (or in SUBITO_FUNCTIONS_DIR where
# that is set), made by the target function_NAME. DEPS are static libraries.
function(subito_function name)
  cmake_parse_arguments(PARSE_ARGV 1 ARG "" "" "SOURCES;DEPS")
  if(ARG_UNPARSED_ARGUMENTS OR NOT ARG_SOURCES)
    message(FATAL_ERROR "subito_function(${ARGV}): write subito_function(NAME SOURCES FILE... "
      "[DEPS LIBRARY...])")
  endif()
  set(folder ${CMAKE_CURRENT_BINARY_DIR})
  if(SUBITO_FUNCTIONS_DIR)
    set(folder ${SUBITO_FUNCTIONS_DIR})
  endif()
  if(IS_DIRECTORY ${folder}/${name})
    message(FATAL_ERROR "subito_function(${name}): ${folder}/${name} is a folder, so no binary can "
      "be written there: remove it, or set SUBITO_FUNCTIONS_DIR to another folder")
  endif()
  set(target function_${name})
  add_executable(${target} ${ARG_SOURCES})
  target_compile_features(${target} PRIVATE cxx_std_20)
  # The order counts: objects first, so that they are there before hiredis and libuv are searched;
  # the start last, which is taken before that of libc.
  target_link_libraries(${target} PRIVATE
    Subito::no_name_service ${ARG_DEPS} Subito::sdk $<TARGET_NAME_IF_EXISTS:Subito::start>)
  target_link_options(${target} PRIVATE -static -Wl,--gc-sections,--build-id)
  if(NOT DEFINED SUBITO_START_ORDER OR SUBITO_START_ORDER)
    set(order ${CMAKE_CURRENT_FUNCTION_LIST_DIR}/start_order.ld)
    target_link_options(${target} PRIVATE "SHELL:-T '${order}'")
    set_target_properties(${target} PROPERTIES LINK_DEPENDS ${order})
  endif()
  set_target_properties(${target} PROPERTIES
    OUTPUT_NAME ${name} RUNTIME_OUTPUT_DIRECTORY ${folder} CXX_EXTENSIONS OFF)
endfunction()

# The SDK as the package has it. The build folder has the layout of an installation, so that
# `subito` finds its SDK in both; ./dev package and `cmake --install` copy it.
include(CMakePackageConfigHelpers)

set(LIBRARY_DIR ${CMAKE_BINARY_DIR}/lib)
set(CONFIG_DIR ${LIBRARY_DIR}/cmake/Subito)
file(MAKE_DIRECTORY ${LIBRARY_DIR}/subito ${CMAKE_BINARY_DIR}/include)

# subito_archive(FILE TARGETS ... [FILES ...]): one archive of what is in these, for a linker that
# shall be given nothing else.
function(subito_archive file)
  cmake_parse_arguments(PARSE_ARGV 1 ARG "" "" "TARGETS;FILES")
  set(script "CREATE ${file}\n")
  foreach(target ${ARG_TARGETS})
    # Relative: ar's scripts know no quotes.
    string(APPEND script
      "ADDLIB $<PATH:RELATIVE_PATH,$<TARGET_FILE:${target}>,${LIBRARY_DIR}>\n")
  endforeach()
  foreach(archive ${ARG_FILES})
    string(APPEND script "ADDLIB ${archive}\n")
  endforeach()
  set(script_file ${CMAKE_CURRENT_BINARY_DIR}/${file}.mri)
  file(GENERATE OUTPUT ${script_file} CONTENT "${script}SAVE\nEND\n")
  add_custom_command(OUTPUT ${LIBRARY_DIR}/${file}
    COMMAND ${CMAKE_COMMAND} -DAR=${CMAKE_AR} -DSCRIPT=${script_file}
            -DOUTPUT=${LIBRARY_DIR}/${file} -P ${CMAKE_CURRENT_SOURCE_DIR}/cmake/merge.cmake
    WORKING_DIRECTORY ${LIBRARY_DIR}
    DEPENDS ${ARG_TARGETS} ${ARG_FILES} ${script_file}
            ${CMAKE_CURRENT_SOURCE_DIR}/cmake/merge.cmake
    COMMENT "Merging archives to lib/${file}" VERBATIM)
endfunction()

find_library(HIREDIS_STATIC NAMES libhiredis.a REQUIRED)
find_library(PROTOBUF_LITE_STATIC NAMES libprotobuf-lite.a REQUIRED)
subito_archive(libsubito_sdk.a
  TARGETS subito_sdk subito_listen_pod subito_protocol_pod subito_http_pod subito_llhttp_pod
          subito_base_pod
  FILES ${UV_STATIC} ${HIREDIS_STATIC} ${PROTOBUF_LITE_STATIC})
set(SDK_FILES ${LIBRARY_DIR}/libsubito_sdk.a ${LIBRARY_DIR}/subito/no_name_service.o)
add_custom_command(OUTPUT ${LIBRARY_DIR}/subito/no_name_service.o
  COMMAND ${CMAKE_COMMAND} -E copy $<TARGET_OBJECTS:subito_no_name_service>
          ${LIBRARY_DIR}/subito/no_name_service.o
  DEPENDS subito_no_name_service $<TARGET_OBJECTS:subito_no_name_service> VERBATIM)
if(QUICK_START)
  list(APPEND SDK_FILES ${LIBRARY_DIR}/subito/libsubito_start.a)
  set_target_properties(subito_start PROPERTIES
    ARCHIVE_OUTPUT_DIRECTORY ${LIBRARY_DIR}/subito)
endif()
# Its own part alone: a test links the SDK besides.
set_target_properties(subito_testing PROPERTIES ARCHIVE_OUTPUT_DIRECTORY ${LIBRARY_DIR})
list(APPEND SDK_FILES ${LIBRARY_DIR}/libsubito_testing.a)
add_custom_target(subito_package_sdk ALL DEPENDS ${SDK_FILES})

file(CREATE_LINK ${CMAKE_CURRENT_SOURCE_DIR}/include/subito ${CMAKE_BINARY_DIR}/include/subito
  SYMBOLIC)
configure_file(cmake/SubitoConfig.cmake.in ${CONFIG_DIR}/SubitoConfig.cmake @ONLY)
configure_file(cmake/SubitoFunction.cmake ${CONFIG_DIR}/SubitoFunction.cmake COPYONLY)
configure_file(cmake/start_order.ld ${CONFIG_DIR}/start_order.ld COPYONLY)
write_basic_package_version_file(${CONFIG_DIR}/SubitoConfigVersion.cmake
  COMPATIBILITY SameMinorVersion)

foreach(file ${SDK_FILES})
  cmake_path(RELATIVE_PATH file BASE_DIRECTORY ${CMAKE_BINARY_DIR} OUTPUT_VARIABLE place)
  cmake_path(GET place PARENT_PATH place)
  install(FILES ${file} DESTINATION ${place})
endforeach()
install(DIRECTORY include/subito DESTINATION include FILES_MATCHING PATTERN "*.h")
install(FILES ${CONFIG_DIR}/SubitoConfig.cmake ${CONFIG_DIR}/SubitoFunction.cmake
  ${CONFIG_DIR}/SubitoConfigVersion.cmake ${CONFIG_DIR}/start_order.ld DESTINATION lib/cmake/Subito)

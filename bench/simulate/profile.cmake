# Optimisation by profile (SUBITO_PGO) of the libraries that decide and of the simulator: they are
# compiled twice. First with counters, into the program that simulates some workloads (training.cc);
# what it counted is build/<preset>/profile/<library>.gcda, and by that the libraries that everybody
# links are compiled. A changed source trains anew; counts that came out the same compile nothing.
#
# g++ finds counts by the name it was given for an object (-dumpdir, -dumpbase), which the object
# with counters must share, and so a library must be one object: that is what needs SUBITO_BATCH.
# The seed is for symbols, so that the same sources give the same counts. ccache keeps the objects
# with counters alone: it knows no -fprofile-partial-training, and calls the compiler each time.
set(PROFILE_DIR ${CMAKE_BINARY_DIR}/profile)

# subito_profile(PROGRAM LIBRARY...): PROGRAM is linked with the twins with counters.
function(subito_profile program)
  file(MAKE_DIRECTORY ${PROFILE_DIR})
  set(counts)
  set(twins)
  foreach(library ${ARGN})
    list(APPEND counts ${PROFILE_DIR}/${library}.gcda)
    list(APPEND twins ${library}_counted)
    set(named -dumpdir ${PROFILE_DIR}/ -dumpbase ${library})

    get_target_property(folder ${library} SOURCE_DIR)
    get_target_property(sources ${library} SOURCES)
    list(TRANSFORM sources PREPEND ${folder}/)
    add_library(${library}_counted STATIC EXCLUDE_FROM_ALL ${sources})
    foreach(property COMPILE_OPTIONS INCLUDE_DIRECTORIES)
      get_target_property(value ${library} ${property})
      set_target_properties(${library}_counted PROPERTIES ${property} "${value}")
    endforeach()
    # Twins use each other, never who waits for what they count.
    get_target_property(uses ${library} LINK_LIBRARIES)
    foreach(other ${ARGN})
      list(TRANSFORM uses REPLACE "^${other}$" ${other}_counted)
    endforeach()
    target_link_libraries(${library}_counted PUBLIC ${uses})
    target_compile_options(${library}_counted PRIVATE
      -fprofile-generate -fprofile-update=single -frandom-seed=${library} ${named})
    target_compile_options(${library} PRIVATE
      -fprofile-use -fprofile-partial-training -frandom-seed=${library} ${named}
      -Wmissing-profile -Werror=missing-profile -Wno-error=coverage-mismatch
      -include ${PROFILE_DIR}/counts.h)
    set_target_properties(${library} ${library}_counted PROPERTIES
      UNITY_BUILD ON UNITY_BUILD_BATCH_SIZE 0)
    add_dependencies(${library} profile_counts)
  endforeach()
  target_link_libraries(${program} PRIVATE ${twins})
  target_link_options(${program} PRIVATE -fprofile-generate)

  # counts.h is included by what is compiled by the counts, and changes when they do.
  add_custom_command(OUTPUT ${PROFILE_DIR}/counts.h BYPRODUCTS ${counts}
    COMMAND ${CMAKE_COMMAND} -E rm -f ${counts}
    COMMAND ${program} > ${PROFILE_DIR}/training.txt
    COMMAND ${CMAKE_COMMAND} "-DCOUNTS=${counts}" -DHEADER=${PROFILE_DIR}/counts.h
            -P ${CMAKE_CURRENT_SOURCE_DIR}/profile_counts.cmake
    DEPENDS ${program} ${CMAKE_CURRENT_SOURCE_DIR}/profile_counts.cmake
    COMMENT "Counting what decisions go through" VERBATIM)
  add_custom_target(profile_counts DEPENDS ${PROFILE_DIR}/counts.h)
endfunction()

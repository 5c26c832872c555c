# cmake -DAR=... -DSCRIPT=... -DOUTPUT=... -P merge.cmake: runs a script of ar, which reports errors
# on its output and may end with 0 all the same.
file(REMOVE ${OUTPUT})
execute_process(COMMAND ${AR} -M INPUT_FILE ${SCRIPT}
  OUTPUT_VARIABLE said ERROR_VARIABLE said RESULT_VARIABLE status)
if(NOT status EQUAL 0 OR NOT said STREQUAL "" OR NOT EXISTS ${OUTPUT})
  file(REMOVE ${OUTPUT})
  message(FATAL_ERROR "merge archives to ${OUTPUT}: ${AR} -M: ${said}(status ${status})")
endif()

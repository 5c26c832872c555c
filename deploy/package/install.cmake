# Runs while an installation is written: CMAKE_INSTALL_PREFIX is its place, below DESTDIR if that is
# set. HERE is this folder, SUBITO the program that was built.
set(root "$ENV{DESTDIR}${CMAKE_INSTALL_PREFIX}")

configure_file(${HERE}/subito.service.in ${root}/lib/systemd/system/subito.service @ONLY)
message(STATUS "Installing: ${root}/lib/systemd/system/subito.service")

# write_reference(KIND FILE): what `subito reference KIND` prints, if this program has that.
function(write_reference kind file)
  execute_process(COMMAND ${SUBITO} reference ${kind}
    OUTPUT_VARIABLE text ERROR_QUIET RESULT_VARIABLE status)
  if(NOT status EQUAL 0)
    message(STATUS "Left out: ${file}: subito reference ${kind} prints nothing")
    return()
  endif()
  file(WRITE ${root}/${file} "${text}")
  message(STATUS "Installing: ${root}/${file}")
endfunction()

write_reference(man share/man/man1/subito.1)
if(EXISTS ${root}/share/man/man1/subito.1)
  execute_process(COMMAND gzip -9nf ${root}/share/man/man1/subito.1)
endif()
write_reference(bash share/bash-completion/completions/subito)

# Runs while an installation is written: CMAKE_INSTALL_PREFIX is its place, below DESTDIR if that is
# set. HERE is this folder, SUBITO the program that was built.
set(root "$ENV{DESTDIR}${CMAKE_INSTALL_PREFIX}")

configure_file(${HERE}/subito.service.in ${root}/lib/systemd/system/subito.service @ONLY)
message(STATUS "Installing: ${root}/lib/systemd/system/subito.service")

# write_reference(KIND FILE): what `subito reference KIND` prints.
function(write_reference kind file)
  execute_process(COMMAND ${SUBITO} reference ${kind}
    OUTPUT_VARIABLE text COMMAND_ERROR_IS_FATAL ANY)
  file(WRITE ${root}/${file} "${text}")
  message(STATUS "Installing: ${root}/${file}")
endfunction()

write_reference(man share/man/man1/subito.1)
execute_process(COMMAND gzip -9nf ${root}/share/man/man1/subito.1 COMMAND_ERROR_IS_FATAL ANY)
write_reference(bash share/bash-completion/completions/subito)

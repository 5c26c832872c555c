# Writes HEADER with a hash of each of COUNTS, unless it is there already. See profile.cmake.
set(text "// What the libraries compiled by a profile were compiled by.\n")
foreach(file ${COUNTS})
  file(SHA256 ${file} hash)
  cmake_path(GET file FILENAME name)
  string(APPEND text "// ${hash} ${name}\n")
endforeach()
file(CONFIGURE OUTPUT ${HEADER} CONTENT "${text}" @ONLY)

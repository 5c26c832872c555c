# cmake -D IN=FILE -D OUT=FILE.cc -D NAME=kSymbol -P embed.cmake
# The bytes of a file as a constant: subito::manifest::NAME, and NAME_bytes of them.
file(READ ${IN} hex HEX)
string(REGEX REPLACE "(..)" "0x\\1," bytes "${hex}")
file(WRITE ${OUT} "#include <cstddef>
namespace subito::manifest {
extern const unsigned char ${NAME}[];
extern const std::size_t ${NAME}_bytes;
const unsigned char ${NAME}[] = {
${bytes}};
const std::size_t ${NAME}_bytes = sizeof ${NAME};
}  // namespace subito::manifest
")

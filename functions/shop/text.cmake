# cmake -D SYMBOL=... -D IN=... -D OUT=... -P text.cmake: a file as a C++ source, for shop_text().
file(READ ${IN} text)
string(FIND "${text}" ")shop_text\"" end)
if(NOT end EQUAL -1)
  message(FATAL_ERROR "build ${IN} in: it has what ends a raw string, )shop_text\"")
endif()
file(WRITE ${OUT}
  "#include <string_view>\n"
  "namespace shop {\n"
  "std::string_view ${SYMBOL}();\n"
  "std::string_view ${SYMBOL}() {\n"
  "  return R\"shop_text(")
file(APPEND ${OUT} "${text}")
file(APPEND ${OUT} ")shop_text\";\n}\n}  // namespace shop\n")

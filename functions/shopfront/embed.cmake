# cmake -DOUT=assets.cc -DDIR=page -DASSETS=name=file+file,name=file... -P embed.cmake
# Writes a C++ source that holds the files of a folder as texts, with a hash of each: assets.h.
cmake_minimum_required(VERSION 3.25)

set(entries "")
string(REPLACE "," ";" assets "${ASSETS}")
foreach(asset IN LISTS assets)
  string(REGEX MATCH "^([^=]+)=(.+)$" matched "${asset}")
  set(name "${CMAKE_MATCH_1}")
  string(REPLACE "+" ";" files "${CMAKE_MATCH_2}")
  set(text "")
  foreach(file IN LISTS files)
    file(READ "${DIR}/${file}" part)
    string(APPEND text "${part}")
  endforeach()
  if(text MATCHES "\\)embedded\"")
    message(FATAL_ERROR "embed ${name}: it holds what ends a raw string here")
  endif()
  string(SHA256 hash "${text}")
  string(SUBSTRING "${hash}" 0 16 hash)
  string(APPEND entries "    {\"${name}\", \"${hash}\", R\"embedded(${text})embedded\"},\n")
endforeach()

file(WRITE "${OUT}" "// Made by embed.cmake.
#include \"functions/shopfront/assets.h\"

#include <stdexcept>

namespace shop {
namespace {

constexpr Asset kAssets[] = {
${entries}};

}  // namespace

const Asset& asset(std::string_view name) {
  for (const Asset& found : kAssets) {
    if (found.name == name) return found;
  }
  throw std::logic_error(\"find asset: there is no \" + std::string(name));
}

}  // namespace shop
")

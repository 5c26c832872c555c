// The files of page/, built into the binary by embed.cmake. Pure.
#pragma once

#include <string>
#include <string_view>

namespace shop {

struct Asset {
  std::string_view name;  // "page.css"
  std::string_view hash;  // 16 hexadecimal digits, others when the text is another
  std::string_view text;
};

// Throws std::logic_error for a name that is none.
const Asset& asset(std::string_view name);

}  // namespace shop

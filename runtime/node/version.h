// The version of this Subito; CMakeLists.txt has the number.
#pragma once

namespace subito::node {
inline constexpr const char* kVersion = SUBITO_VERSION;
}  // namespace subito::node

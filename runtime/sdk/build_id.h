// The GNU build id of the running binary, by which its symbols are found. Pure; any thread.
#pragma once

#include <string>

namespace subito::sdk {

std::string build_id();  // lower-case hex; empty when the binary was linked without one

}  // namespace subito::sdk

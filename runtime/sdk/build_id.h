// The running binary as others know it: by its GNU build id, and by the addresses that its linker
// gave. With both its symbols are found. Any thread.
#pragma once

#include <cstdint>
#include <string>

namespace subito::sdk {

std::string build_id();  // lower-case hex; empty when the binary was linked without one

// By how much the kernel moved the binary: 0 unless it is position independent (static-pie). An
// address less this is the linker's. Async-signal-safe.
std::uintptr_t load_bias();

}  // namespace subito::sdk

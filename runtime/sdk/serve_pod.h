// Runs a handler as a pod, on the channel that the node left on descriptor 3.
#pragma once

#include "runtime/sdk/include/subito/function.h"

namespace subito::sdk {

// Ends the process itself: when the node drains the pod, goes away, or breaks the protocol.
[[noreturn]] void serve_pod(const Handler& handler);

}  // namespace subito::sdk

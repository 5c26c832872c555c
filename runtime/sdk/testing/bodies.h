// What arrives of an answer. Stateless.
#pragma once

#include <string>

#include "runtime/sdk/include/subito/function.h"

namespace subito::testing {

// The response to `request` with its body whole: without the headers that are the runtime's own,
// and without a body for HEAD.
Response as_received(const Request& request, const Response& response, std::string body);

}  // namespace subito::testing

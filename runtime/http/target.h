// The request target in its forms (RFC 9112, 3.2) and the authority in Host. Pure functions.
#pragma once

#include <string>
#include <string_view>

#include "runtime/http/limits.h"
#include "runtime/http/message.h"

namespace subito::http {

// "example.org", "example.org:8080", "10.0.0.1", "[::1]:80"; not empty, no user part.
bool is_valid_authority(std::string_view authority);

// Sets path and query of `head`, and host if the target is absolute. Takes origin-form,
// absolute-form (http and https) and "*" with OPTIONS. CONNECT is refused with 501.
Rejection split_target(std::string_view target, RequestHead& head);

}  // namespace subito::http

// One HTTP request to a function that listens on a Unix socket. Test code only.
#pragma once

#include <string>

#include "functions/shop/openapi_check.h"

namespace shop {

struct HttpAnswer {
  int status = 0;  // 0: nobody there, or it died before it had answered
  std::string head;
  std::string body;
};

HttpAnswer http(const std::string& socket_path, const std::string& method, const std::string& path,
                const std::string& extra_headers = {}, const std::string& body = {});

// It as a Response.
subito::Response response_of(const HttpAnswer& answer);

// OpenApiCheck::fault() of what came over HTTP; "" also when nothing came. `extra_headers` and
// `body` as http() was given them.
std::string http_fault(OpenApiCheck& check, const std::string& method, const std::string& path,
                       const std::string& extra_headers, const std::string& body,
                       const HttpAnswer& answer);

}  // namespace shop

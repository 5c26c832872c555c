// Requests that must be refused, with the status that says so; after it the connection closes.
// Test data of the parser and of the server: the classes of RFC 9110 and 9112 where peers differ.
#pragma once

#include <ostream>
#include <string>
#include <vector>

namespace subito::http {

struct MalformedRequest {
  std::string name;
  int status;
  std::string bytes;

  friend void PrintTo(const MalformedRequest& request, std::ostream* out) { *out << request.name; }
};

std::vector<MalformedRequest> malformed_requests();

}  // namespace subito::http

// The SDK's own way into Request and Response: what the node or an HTTP client sent becomes one.
// Stateless; any thread.
#pragma once

#include <string>
#include <utility>

#include "runtime/sdk/include/subito/function.h"

namespace subito {

class RequestAccess {
 public:
  // `reader` is not owned and outlives the request; null: the body is empty.
  static Request make(std::string method, std::string path, std::string query, Headers headers,
                      BodyReader* reader) {
    Request request(std::move(method), {}, std::move(headers));
    request.path_ = std::move(path);
    request.query_ = std::move(query);
    request.reader_ = reader;
    request.body_read_ = reader == nullptr;
    return request;
  }

  // The body comes from `reader`, which is not owned and outlives the request.
  static void read_from(Request& request, BodyReader& reader) {
    request.reader_ = &reader;
    request.body_read_ = false;
  }

  // Whether the whole body is in memory, so that its length is known.
  static bool is_whole(const Request& request) { return request.body_read_; }
};

class ResponseAccess {
 public:
  static Response make(int status, Headers headers, std::string body) {
    Response response(status);
    response.headers_ = std::move(headers);
    response.body_ = std::move(body);
    return response;
  }
};

}  // namespace subito

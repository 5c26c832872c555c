// The SDK's own way into Request, Response and Router: what the node or an HTTP client sent becomes
// one.
// Stateless; any thread.
#pragma once

#include <memory>
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

// Handler wants to copy what it holds; a Router cannot be copied.
inline Handler shared_handler(Router router) {
  auto shared = std::make_shared<Router>(std::move(router));
  return [shared](const Request& request, Context& context) { return (*shared)(request, context); };
}

}  // namespace subito

// ListeningFunction: a function binary that serves HTTP by itself, for tests; and HttpConnection,
// a blocking client's connection to it. The process is gone with the object.
#pragma once

#include <sys/types.h>

#include <optional>
#include <string>
#include <vector>

#include "runtime/base/unique_fd.h"
#include "runtime/http/response_parser.h"

namespace subito::sdk {

struct HttpAnswer {
  int status = 0;
  http::Fields fields;  // but for Date, Server and what concerns the connection
  std::string body;
  bool complete = false;  // false: the connection ended, or broke, before the answer did

  std::string header(const std::string& name) const;
};

class HttpConnection {
 public:
  explicit HttpConnection(UniqueFd fd) : fd_(std::move(fd)), parser_(http::ParserLimits{}) {}

  HttpConnection& write(std::string_view bytes);
  HttpAnswer read(bool to_head = false);
  HttpAnswer ask(const std::string& method, const std::string& target, const std::string& body = {},
                 const http::Fields& fields = {});
  bool at_end();  // nothing more comes
  void close() { fd_.reset(); }

 private:
  UniqueFd fd_;
  http::ResponseParser parser_;
  std::string pending_;
};

class ListeningFunction {
 public:
  // Starts build/…/functions/`function` on a free port of 127.0.0.1, or where `address` says.
  explicit ListeningFunction(const std::string& function, std::vector<std::string> environment = {},
                             std::vector<std::string> arguments = {},
                             const std::string& address = "127.0.0.1:0");
  ~ListeningFunction();
  ListeningFunction(const ListeningFunction&) = delete;
  ListeningFunction& operator=(const ListeningFunction&) = delete;

  HttpConnection connect() const;
  const std::string& url() const { return url_; }  // "http://127.0.0.1:40123"
  void terminate();                                // SIGTERM
  int wait_exit();                                 // the status of waitpid(2)

 private:
  std::string url_;
  UniqueFd output_;
  pid_t pid_ = -1;
};

}  // namespace subito::sdk

// LineStream: a reply of lines that has no end, read without blocking, for who waits for several
// things at once with poll(2). One request on a connection of its own to the API's Unix socket;
// owned by its reader, on the reader's thread.
#pragma once

#include <functional>
#include <string>
#include <string_view>

#include "runtime/base/result.h"
#include "runtime/base/unique_fd.h"
#include "runtime/http/response_parser.h"

namespace subito::api {

inline constexpr std::size_t kStreamLineBytesMax = 4 << 20;  // the reply is given up beyond

class LineStream {
 public:
  // Asks for `path`, with its query, encoded; `token`: empty, or shown. Errors as those of
  // Transport. What the node answers is for read() to tell.
  static Result<LineStream> open(const std::string& socket_path, const std::string& path,
                                 const std::string& token = "");

  int fd() const { return fd_.get(); }  // readable: read() has something to do
  // Takes what is there, at most 64 KiB, and gives each line that is complete. An error is the end:
  // kUnavailable when the node has gone, kFailedPrecondition with its words when it refuses, else
  // kProtocol.
  Status read(const std::function<void(std::string_view line)>& on_line);

 private:
  explicit LineStream(UniqueFd fd) : fd_(std::move(fd)) {}
  Status take(std::string_view bytes, const std::function<void(std::string_view line)>& on_line);
  Status refused() const;

  UniqueFd fd_;
  http::ResponseParser parser_{http::ParserLimits()};
  int status_ = 0;
  std::string rest_;  // a line that is not complete; of a refusal the whole body
};

}  // namespace subito::api

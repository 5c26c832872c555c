// Writes heads and chunk framing into a buffer. No text of a caller can begin a line of its own: a
// head with a control byte anywhere is refused whole, and nothing of it is written.
// Plain functions, any thread.
#pragma once

#include <array>
#include <cstdint>
#include <string>
#include <string_view>

#include "runtime/base/result.h"
#include "runtime/http/message.h"

namespace subito::http {

enum class Framing {
  kNone,        // no body, and no field that speaks of one: 204, or the end of what HEAD may say
  kLength,      // Content-Length of the head
  kChunked,     // append_chunk(), append_last_chunk()
  kUntilClose,  // an answer to HTTP/1.0 whose length is unknown
};

struct ResponseOptions {
  Framing framing = Framing::kLength;
  bool keep_alive = true;
  int minor_version = 1;    // of the request: HTTP/1.0 must be told that it may stay
  std::string_view date;    // of a DateCache; empty: no Date
  std::string_view server;  // empty: no Server
};

// Connection, framing, Date and Server are written from the options; fields of `head` that would
// say the same again are dropped. kInvalidArgument names the field that cannot be sent.
Status append_response_head(std::string& out, const ResponseHead& head,
                            const ResponseOptions& options);

// The target is path and query, Host is `head.host`. With `head.chunked` the body goes in chunks,
// else Content-Length is sent if there is one. Always HTTP/1.1.
Status append_request_head(std::string& out, const RequestHead& head);

// Nothing for an empty piece: that would be the last chunk.
void append_chunk(std::string& out, std::string_view bytes);
void append_last_chunk(std::string& out);

inline constexpr std::string_view kContinue = "HTTP/1.1 100 Continue\r\n\r\n";

// The Date field's text, made once a second: "Mon, 23 Nov 2026 22:36:13 GMT". One thread's.
class DateCache {
 public:
  std::string_view at(std::int64_t unix_seconds);

 private:
  std::int64_t seconds_ = -1;
  std::array<char, 30> text_{};
};

}  // namespace subito::http

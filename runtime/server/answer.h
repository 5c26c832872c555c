// Answer: one answer on its way into a connection's output buffer: chooses the framing, holds the
// handler to it, leaves out what must not be sent (bodies of HEAD, 204 and 304). Bytes only: no
// socket, no loop. Owned by its connection.
#pragma once

#include <cstdint>
#include <string>
#include <string_view>

#include "runtime/http/message.h"
#include "runtime/http/writer.h"

namespace subito::server {

class Answer {
 public:
  // What the request and the connection say.
  struct Terms {
    bool to_head = false;
    int minor_version = 1;
    bool keep_alive = true;
    std::string_view date;
  };

  enum class Outcome {
    kOpen,  // more of the body is to come
    kDone,
    kBroken,  // it ended short of its announced length: the client must notice
  };

  void reset() { *this = {}; }

  // `end`: `body` is the whole body. A head that cannot be written is replaced by a 500, which is
  // done at once, whatever `end` says.
  Outcome begin(std::string& out, http::ResponseHead&& head, std::string_view body, bool end,
                const Terms& terms);
  Outcome add(std::string& out, std::string_view bytes, bool end);

  bool begun() const { return begun_; }
  bool keeps_alive() const { return keep_alive_; }
  bool ends_with_connection() const { return framing_ == http::Framing::kUntilClose; }

 private:
  void choose_framing(http::ResponseHead& head, std::string_view body, bool end,
                      const Terms& terms);

  http::Framing framing_ = http::Framing::kNone;
  std::uint64_t left_ = 0;  // of the announced length
  bool begun_ = false;
  bool keep_alive_ = false;
  bool silent_ = false;  // no byte of the body is sent
};

}  // namespace subito::server

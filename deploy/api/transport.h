// Transport: HTTP as the command line needs it, to the node's API over its Unix socket or to the
// gateway. One request at a time, synchronous, on the caller's thread: what it calls back must not
// use it. CurlTransport is the real one; tests have one without sockets.
#pragma once

#include <chrono>
#include <functional>
#include <memory>
#include <string>
#include <string_view>

#include "runtime/base/result.h"
#include "runtime/http/message.h"

namespace subito::api {

inline constexpr std::size_t kReplyBytesMax = 256 << 20;  // of a reply kept whole, or of one line
inline constexpr std::chrono::seconds kConnectTimeout{5};
// A deploy waits for a pod to come up or not; the node bounds that well below.
inline constexpr std::chrono::seconds kReplyTimeout{120};

struct ClientRequest {
  std::string method = "GET";
  // "http://host:port/path?query". Over a Unix socket the host is of no importance.
  std::string url;
  http::Fields fields = {};
  std::string body = {};
  std::string body_file = {};  // not empty: this file is the body, sent as it is read
  // From begin to end; zero: none. An upload may take any time, but not stand still this long, and
  // a reply of stream() none.
  std::chrono::seconds timeout = kReplyTimeout;
  // Asked about once a second while it waits: true ends it with kCancelled. May be empty.
  std::function<bool()> give_up = {};
};

struct ClientReply {
  int status = 0;
  http::Fields fields;  // names in lower case
  std::string body = {};
};

class Transport {
 public:
  virtual ~Transport() = default;
  // kUnavailable when nobody listens, kPermissionDenied when the socket may not be opened,
  // kInvalidArgument for what is no URL, kProtocol when the reply breaks off.
  virtual Result<ClientReply> send(const ClientRequest& request) = 0;
  // A reply of lines that may never end: each is given to `on_line` as it comes, until the server
  // ends it or `on_line` returns false. A reply that is not 200 comes back whole; the body of one
  // that is stays empty.
  virtual Result<ClientReply> stream(const ClientRequest& request,
                                     const std::function<bool(std::string_view)>& on_line) = 0;
  // Gives the body of any reply in pieces as they come, until it ends or `on_piece` returns false;
  // what comes back has none.
  virtual Result<ClientReply> receive(const ClientRequest& request,
                                      const std::function<bool(std::string_view)>& on_piece) = 0;
};

// Over the Unix socket at that path; empty: over TCP, as the URL says.
std::unique_ptr<Transport> make_curl_transport(const std::string& socket_path);

}  // namespace subito::api

// Transport: HTTP as the command line needs it, to a node's API, over its Unix socket or by TLS, or
// to the gateway. One request at a time, synchronous, on the caller's thread: what it calls back
// must not use it. CurlTransport is the real one; tests have one without sockets.
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

// What the URL of a request to the API begins with, wherever that is.
inline constexpr std::string_view kApiUrl = "http://subito";

// Where the API of a node is. All empty: nowhere, URLs say where a request goes.
struct Endpoint {
  std::string socket_path = {};
  std::string server = {};   // "https://host:port", instead of a socket
  std::string ca_file = {};  // who may have signed the server's certificate; empty: the system's
  std::string token = {};    // sent with each request to the API
  // Why it cannot be told where that is, and what to do; then nobody is asked. Empty: it can.
  std::string fault = {};

  const std::string& name() const { return server.empty() ? socket_path : server; }
};

struct ClientRequest {
  std::string method = "GET";
  // "http://host:port/path?query"; of the API: kApiUrl and a path.
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
  // kUnavailable when nobody listens, or not who should; kPermissionDenied when the socket may not
  // be opened, kInvalidArgument for what is no URL, kProtocol when the reply breaks off.
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

// Of an endpoint without a fault.
std::unique_ptr<Transport> make_curl_transport(const Endpoint& endpoint);

}  // namespace subito::api

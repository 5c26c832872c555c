// Server: HTTP/1.1 over the loop. It owns connections and gives each request to a Handler as an
// exchange: head, body pieces, end; the handler answers the same way. It knows no function.
//
// Lives on one loop's thread; every call and callback is made there. Never calls the handler from
// inside a call of the handler's: what a call causes is delivered in the same loop turn, after the
// call has returned.
//
// Flow control. Request bodies: the server delivers at most kRequestWindowBytes that were not yet
// consumed(), then stops reading from the client. Response bodies: respond/body/end always accept;
// while unsent bytes of an exchange exceed kResponseHighWaterBytes, body() returns false and
// on_writable() follows when they have drained.
//
// One exchange of a connection is with the handler at a time; what the client pipelines behind it
// is read ahead up to a bound and delivered once the answer is complete. With its last byte given
// to the server the exchange is gone. How long a handler takes is its own affair: the server waits.
#pragma once

#include <chrono>
#include <cstdint>
#include <memory>
#include <string>
#include <string_view>

#include "runtime/base/id.h"
#include "runtime/base/result.h"
#include "runtime/http/message.h"
#include "runtime/server/peer.h"

namespace subito {

class Loop;

namespace server {

class SecureContext;

using ExchangeId = Id<struct ExchangeTag>;

struct Limits {
  std::size_t head_bytes_max = 32 << 10;           // 431 beyond
  std::size_t headers_max = 100;                   // 431 beyond
  std::size_t target_bytes_max = 8 << 10;          // 414 beyond
  std::uint64_t body_bytes_max = 1ULL << 40;       // 413 beyond; the gateway has one per function
  std::size_t connections_max = 4096;              // beyond: 503 and close
  std::size_t read_ahead_bytes_max = 64 << 10;     // pipelined behind a request being answered
  std::chrono::milliseconds head_timeout{10'000};  // 408 when a head takes longer
  // 408 when less than kBodyProgressBytes of a body, or of what is left of it, come in so long.
  std::chrono::milliseconds body_timeout{30'000};
  std::chrono::milliseconds idle_timeout{75'000};  // keep-alive; closed silently
  // A client that reads less than kWriteProgressBytes in so long is dropped.
  std::chrono::milliseconds write_timeout{30'000};
  // A client whose sending side ended may wait for its answer, or may have left: TCP tells only
  // when something is sent to it. After so long a client of HTTP/1.1 is sent an interim answer (100
  // Continue, which all must take, RFC 9110, 15.2): one that left resets the connection, and
  // on_abort() is called; one that waits is waited for. HTTP/1.0 knows no interim answer.
  std::chrono::milliseconds half_close_timeout{1'000};
  // Encrypted connections. From accept to the end of the handshake; then closed.
  std::chrono::milliseconds handshake_timeout{10'000};
  // Under way at once; beyond, the one that has taken longest is closed.
  std::size_t handshakes_max = 512;
};

constexpr std::size_t kRequestWindowBytes = 256 << 10;
constexpr std::size_t kResponseHighWaterBytes = 256 << 10;
constexpr std::size_t kWriteProgressBytes = 4 << 10;
constexpr std::size_t kBodyProgressBytes = 4 << 10;
// An answer was complete before its request's body: so much of it is read away to keep the
// connection, beyond that it is closed.
constexpr std::uint64_t kDiscardBytesMax = 64 << 10;

// Bytes encrypted ahead of what the client takes, for one connection. What it makes us say beyond
// that without reading any of it (answers to its key updates) closes the connection.
constexpr std::size_t kSealedBytesMax = 256 << 10;

// Who answers. Implemented by the gateway and by the control API.
class Handler {
 public:
  virtual ~Handler() = default;
  // A valid head came. `end`: there is no body. Host, framing and limits are checked already.
  virtual void on_request(ExchangeId id, http::RequestHead&& head, bool end) = 0;
  // Not called any more once the answer is complete.
  virtual void on_body(ExchangeId id, std::string_view bytes, bool end) = 0;
  virtual void on_writable(ExchangeId id) = 0;
  // The client left, was too slow, or broke HTTP inside the body, before the answer was complete.
  // The exchange is gone: calls for it are ignored from here on.
  virtual void on_abort(ExchangeId id) = 0;
  // What the x-request-id of an answer says that the server gives by itself (400, 408, 413...): of
  // an exchange, or a new one when `id` is none. Empty: it bears none.
  virtual std::string request_id(ExchangeId id) {
    static_cast<void>(id);
    return {};
  }
};

struct Address {
  enum class Kind { kTcp, kUnix } kind = Kind::kTcp;
  std::string host;        // tcp: numeric; unix: path
  std::uint16_t port = 0;  // tcp; 0: the system chooses
  bool shared = false;     // tcp: SO_REUSEPORT, for one server a loop on the same port
  bool first = false;      // shared: nobody listens there yet, else it is taken
};

class Server {
 public:
  // Loop and handler outlive the server.
  static std::unique_ptr<Server> create(Loop& loop, const Limits& limits, Handler& handler);
  // Closes everything at once; the handler is not called any more.
  virtual ~Server() = default;

  // Begins to listen; may be called for several addresses. Returns the address really bound.
  // Unix sockets are made with mode 0600; one that nobody listens on any more is replaced. A taken
  // port or socket fails with kAlreadyExists, which names the owner of a port if it can be seen.
  virtual Result<Address> listen(const Address& address) = 0;
  // The same, for encrypted connections; `context` outlives the server.
  virtual Result<Address> listen_secure(const Address& address, SecureContext& context) = 0;

  // Sends the head of the answer. Content-Length is set from `head.content_length`; without it the
  // body goes chunked (or until close, for HTTP/1.0). Server, Date and Connection are the
  // server's own. Exactly once for each exchange; `end`: `body` is all of it. A head that cannot
  // be written (a control byte in a field) becomes a 500.
  virtual void respond(ExchangeId id, http::ResponseHead&& head, std::string_view body,
                       bool end) = 0;
  // Bytes beyond the announced length are cut off; an end short of it aborts. False: wait for
  // on_writable() before sending more. True also for an exchange that is gone.
  virtual bool body(ExchangeId id, std::string_view bytes, bool end) = 0;
  // The answer cannot be completed: the connection is closed so that the client notices.
  virtual void abort(ExchangeId id) = 0;
  // The handler is done with `bytes` of the request body: as many more may be read.
  virtual void consumed(ExchangeId id, std::size_t bytes) = 0;
  // Who asks. The kernel is asked once a connection, by the first call; nobody of an exchange that
  // is gone. Valid for the turn.
  virtual const Peer& peer(ExchangeId id) = 0;

  // Stops listening, lets running exchanges end (Connection: close), closes idle connections.
  virtual void drain() = 0;
  virtual std::size_t connections() const = 0;
  virtual std::size_t exchanges() const = 0;
};

// Whether one could listen there now; fails as listen() does. Only of TCP; port 0 is always free.
Status check_port(const Address& address);

}  // namespace server
}  // namespace subito

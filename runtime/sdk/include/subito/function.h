// The Subito function SDK: everything a function needs.
//
//   #include <subito/function.h>
//
//   subito::Response hello(const subito::Request& request, subito::Context&) {
//     return subito::Response::text("hello " + request.query("name").value_or("world") + "\n");
//   }
//
//   int main(int argc, char** argv) { return subito::serve(argc, argv, hello); }
//
// The same binary runs as a pod (the node starts it, no argument needed) and as an HTTP server of
// its own (`hello --listen 127.0.0.1:8080`).
//
// Threads: with the default concurrency of 1 a handler runs on the main thread and there is no
// other. With concurrency N up to N handlers run at once, each on its own thread; Request and
// Context belong to the handler they were given to.
//
// Exceptions: a handler may throw. The caller gets 500, the node gets type, message and backtrace,
// the pod lives on. HttpError chooses the status.
#pragma once

#include <chrono>
#include <cstddef>
#include <cstdint>
#include <functional>
#include <initializer_list>
#include <map>
#include <memory>
#include <optional>
#include <stdexcept>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

struct redisReply;

namespace subito {

class RedisScript;  // subito/redis_script.h

// Header fields in order; names are kept in lower case and compared without regard to case.
class Headers {
 public:
  Headers() = default;
  Headers(std::initializer_list<std::pair<std::string, std::string>> fields);
  // Throws std::invalid_argument for a name that is none in HTTP or a value with a line break.
  void add(std::string name, std::string value);
  void set(std::string name, std::string value);                     // replaces all of that name
  std::optional<std::string_view> get(std::string_view name) const;  // the first of that name
  const std::vector<std::pair<std::string, std::string>>& fields() const { return fields_; }

 private:
  std::vector<std::pair<std::string, std::string>> fields_;
};

// Throw it to answer with a status of your choice and a problem document (RFC 9457).
class HttpError : public std::runtime_error {
 public:
  // `type` is a stable name for programs, "out-of-stock"; `detail` is for people.
  HttpError(int status, std::string type, std::string detail);
  int status() const { return status_; }
  const std::string& type() const { return type_; }

 private:
  int status_;
  std::string type_;
};

// A body as it arrives. read() waits for more; an empty string means the end.
class BodyReader {
 public:
  virtual ~BodyReader() = default;
  // At most 64 KiB. Throws Cancelled when the client left or the deadline passed.
  virtual std::string read() = 0;
};

// A body as it is sent. write() waits while the reader on the other side is slow.
class BodyWriter {
 public:
  virtual ~BodyWriter() = default;
  virtual void write(std::string_view bytes) = 0;  // throws Cancelled when nobody reads any more
};

// The invocation is over before the handler is: its client left or its deadline passed.
class Cancelled : public std::runtime_error {
  using std::runtime_error::runtime_error;
};

class Request {
 public:
  // Bodies up to this size can be had whole by body(); stream() has no limit.
  static constexpr std::size_t kBodyBytesMax = 16 << 20;

  const std::string& method() const { return method_; }
  const std::string& path() const { return path_; }           // decoded nowhere: "/a%20b"
  const std::string& query_string() const { return query_; }  // without "?"
  const Headers& headers() const { return headers_; }
  std::optional<std::string_view> header(std::string_view name) const { return headers_.get(name); }
  // The first query parameter of that name, decoded.
  std::optional<std::string> query(std::string_view name) const;
  // A path parameter of the route that matched, decoded. Throws std::out_of_range if the route has
  // none of that name.
  const std::string& param(std::string_view name) const;

  // The whole body, read on first use. Throws HttpError 413 over kBodyBytesMax.
  const std::string& body() const;
  // The body piece by piece, instead of body().
  BodyReader& stream() const;

  // For tests (subito/testing.h) and for calls: a request made by hand. `target` is a path with its
  // query, encoded: "/a%20b?c=d". Throws std::invalid_argument for what HTTP does not allow.
  Request(std::string method, std::string target, Headers headers = {}, std::string body = {});

 private:
  friend class Router;
  friend class RequestAccess;  // the SDK's own inside
  std::string method_;
  std::string path_;
  std::string query_;
  Headers headers_;
  mutable std::map<std::string, std::string, std::less<>> params_;  // of the route, by the Router
  mutable std::string body_;
  mutable bool body_read_ = true;
  BodyReader* reader_ = nullptr;  // not owned; null: body_ is all there is
  mutable std::unique_ptr<BodyReader> own_reader_;
};

// A text as a JSON string, quoted and escaped: json_string("a\"b") is "\"a\\\"b\"" in C++. Bytes
// that are not UTF-8 become U+FFFD. For Response::json(), which takes JSON as given.
std::string json_string(std::string_view text);

class Response {
 public:
  using Writer = std::function<void(BodyWriter&)>;

  explicit Response(int status = 200) : status_(status) {}
  static Response text(std::string body, int status = 200);  // text/plain; charset=utf-8
  // application/json, as given: put texts into it by json_string().
  static Response json(std::string body, int status = 200);
  static Response html(std::string body, int status = 200);
  // application/problem+json (RFC 9457) with type, title, status and detail.
  static Response problem(int status, std::string_view type, std::string_view detail);
  // The body is produced by `writer` while it is sent; memory stays constant. Request and Context
  // live until it has returned.
  static Response stream(std::string content_type, Writer writer, int status = 200);

  // Replaces the field of that name; set-cookie is added. Content-Length and what concerns the
  // connection are the runtime's own and dropped.
  Response& header(std::string name, std::string value) &;
  Response&& header(std::string name, std::string value) &&;

  int status() const { return status_; }
  const Headers& headers() const { return headers_; }
  const std::string& body() const { return body_; }
  std::string& body() { return body_; }
  const Writer& writer() const { return writer_; }

 private:
  friend class ResponseAccess;
  int status_;
  Headers headers_;
  std::string body_;
  Writer writer_;
};

// One JSON log record a call: log.info("reserved", {{"order", id}, {"pieces", "3"}}).
class Logger {
 public:
  using Fields = std::initializer_list<std::pair<std::string_view, std::string_view>>;
  virtual ~Logger() = default;
  void debug(std::string_view message, Fields fields = {}) { write(0, message, fields); }
  void info(std::string_view message, Fields fields = {}) { write(1, message, fields); }
  void warning(std::string_view message, Fields fields = {}) { write(2, message, fields); }
  void error(std::string_view message, Fields fields = {}) { write(3, message, fields); }

 private:
  virtual void write(int level, std::string_view message, Fields fields) = 0;
};

// A reply of Redis, owned. Nil, integers, strings, arrays and errors as Redis sent them.
class RedisReply {
 public:
  explicit RedisReply(redisReply* reply);
  bool is_nil() const;
  bool is_error() const;
  bool is_string() const;  // bulk strings and status lines
  bool is_integer() const;
  bool is_array() const;
  std::int64_t integer() const;                // throws RedisError unless is_integer()
  std::string_view text() const;               // throws RedisError unless is_string() or is_error()
  std::size_t size() const;                    // of an array, else 0
  RedisReply operator[](std::size_t i) const;  // throws std::out_of_range

 private:
  std::shared_ptr<redisReply> owner_;
  redisReply* reply_;
};

class RedisError : public std::runtime_error {
  using std::runtime_error::runtime_error;
};

// A connection to the function's own corner of a Redis. Blocking; every command is bounded by the
// invocation's deadline. A broken connection is replaced on the next command.
class Redis {
 public:
  virtual ~Redis() = default;
  // command({"SET", redis.key("greeting"), "hello"}). Throws RedisError when Redis cannot be
  // reached or answers with an error, Cancelled at the deadline.
  virtual RedisReply command(const std::vector<std::string>& arguments) = 0;
  // Sends all, then reads all: one round trip. An error is the reply of its command (is_error()),
  // so that one sees which succeeded.
  virtual std::vector<RedisReply> pipeline(
      const std::vector<std::vector<std::string>>& commands) = 0;
  // Runs a Lua script, which finds `keys` as KEYS and `arguments` as ARGV. One round trip, two when
  // Redis has never seen the script. Throws as command() does.
  RedisReply eval(const RedisScript& script, const std::vector<std::string>& keys,
                  const std::vector<std::string>& arguments);
  // The function's prefix in front of `name`; it may touch no other key.
  std::string key(std::string_view name) const { return prefix_ + std::string(name); }
  const std::string& prefix() const { return prefix_; }

 protected:
  explicit Redis(std::string prefix) : prefix_(std::move(prefix)) {}

 private:
  std::string prefix_;
};

// A call to another function did not get an answer from it. An answer with a status of 4xx or 5xx
// is not an exception. Caught or not, it is the caller that answers its own client: uncaught, 500.
// `type` says why; others may come, take them for failures too:
//   may not be       not-found, forbidden (list it under spec.calls), call-cycle, call-too-deep,
//                    trigger-path (that is for a trigger of the function alone)
//   it is busy       queue-full, queue-too-long, in-flight-limit, queue-timeout, node-full
//   it is not well   pod-died, start-failed, crash-loop, out-of-service, cancelled-by-function
//   too late         deadline-exceeded, cancelled (the caller's own invocation is over)
//   it does not fit  head-too-large, body-too-large, answer-too-large, too-many-requests (at once)
//   it goes away     function-not-found, node-closing, unavailable
//   it was not made  circuit-open (spec.breakers: of late too many failed)
class CallError : public std::runtime_error {
 public:
  CallError(std::string type, const std::string& message);
  const std::string& type() const { return type_; }

 private:
  std::string type_;
};

// A call that Context::start_call() began and that goes on while the handler does something else.
// Belongs to the handler run that began it, as its Context, which it may not outlive. One that goes
// without get() is cancelled.
class PendingCall {
 public:
  // What the runtime has in hand; for who writes a Context of their own. Cancels as it goes.
  class UnderWay {
   public:
    virtual ~UnderWay() = default;
    virtual bool wait_for(std::chrono::milliseconds time) = 0;
    virtual Response take() = 0;  // once
  };
  explicit PendingCall(std::unique_ptr<UnderWay> under_way) : under_way_(std::move(under_way)) {}

  // The answer, once: waits for it, and throws what Context::call() throws. A second time throws
  // std::logic_error.
  Response get();
  // Waits at most so long; true: get() will not wait. With 0 it only looks. Throws Cancelled when
  // the invocation is over.
  bool wait_for(std::chrono::milliseconds time);

 private:
  UnderWay& under_way() const;
  std::unique_ptr<UnderWay> under_way_;  // null: the answer was taken
};

// What an invocation knows and may use. Belongs to one handler run.
class Context {
 public:
  virtual ~Context() = default;
  virtual std::chrono::steady_clock::time_point deadline() const = 0;
  virtual std::chrono::milliseconds time_left() const;  // never negative
  // True once the client left or the deadline passed: stop working.
  virtual bool cancelled() = 0;

  virtual const std::string& request_id() const = 0;
  virtual const std::string& traceparent() const = 0;
  virtual const std::string& function() const = 0;
  virtual const std::string& pod() const = 0;
  virtual Logger& log() = 0;

  // A setting of the spec, or of a config object that it lists.
  virtual std::optional<std::string> setting(std::string_view name) const = 0;
  // A secret that the spec lists as value. `key`: of one that has several.
  virtual std::optional<std::string> secret(std::string_view /*name*/,
                                            std::string_view /*key*/ = "value") const {
    return std::nullopt;
  }
  // A Redis binding of the spec. Throws std::out_of_range when there is none of that name.
  virtual Redis& redis(std::string_view binding) = 0;
  // A new connection of a tcp binding: a connected, blocking socket that the caller owns (close
  // it). Throws std::out_of_range for an unknown binding, std::runtime_error when the far end is
  // away.
  virtual int connect(std::string_view binding) = 0;
  // Calls a function that the spec lists under `calls`. Deadline, request id and trace context go
  // along. Throws CallError; Cancelled when the invocation is over.
  Response call(std::string_view function, const Request& request);
  // Begins a call and returns once its request is sent, which waits only for bodies over 256 KiB:
  // several calls go on at once. What fails, PendingCall::get() throws; here only CallError
  // too-many-requests (1,024 calls and connects are under way) and Cancelled.
  virtual PendingCall start_call(std::string_view function, const Request& request) = 0;
};

using Handler = std::function<Response(const Request&, Context&)>;

// Methods and paths to handlers: router.get("/products/{id}", product). "{id}" matches one segment,
// "{rest...}" all that is left. A literal segment wins over a parameter. An unknown path answers
// 404, a known path with another method 405 with Allow, HEAD is served by GET, OPTIONS answers.
class Router {
 public:
  Router();
  ~Router();
  Router(Router&&) noexcept;
  Router& operator=(Router&&) noexcept;
  Router& add(std::string_view method, std::string_view pattern, Handler handler);
  Router& get(std::string_view pattern, Handler handler);
  Router& post(std::string_view pattern, Handler handler);
  Router& put(std::string_view pattern, Handler handler);
  Router& del(std::string_view pattern, Handler handler);
  Response operator()(const Request& request, Context& context) const;

 private:
  struct Node;
  std::unique_ptr<Node> root_;
};

// Runs the function until it is told to end: as a pod on descriptor 3, or with `--listen ADDRESS`
// as an HTTP server. Returns the exit status of the process. `--help` tells the options.
int serve(int argc, char** argv, Handler handler);
int serve(int argc, char** argv, Router router);

}  // namespace subito

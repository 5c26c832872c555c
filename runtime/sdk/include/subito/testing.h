// Tests of a handler without a node: a Context in memory, with a fake Redis, answers to calls,
// connections, settings and a clock that the test moves.
//
//   #include <gtest/gtest.h>
//   #include <subito/testing.h>
//
//   TEST(Checkout, SaysWhatIsSoldOut) {
//     subito::testing::TestContext context;
//     context.settings["currency"] = "GBP";
//     context.add_redis("cache").command({"SET", "test:price:3", "4550"});
//     context.on_call("stock", [](const subito::Request&) {
//       return subito::Response::problem(409, "out-of-stock", "none left");
//     });
//     EXPECT_EQ(checkout(subito::Request("POST", "/orders"), context).status(), 409);
//     EXPECT_EQ(context.calls().at(0).target, "/reservations");
//   }
//
// The test is an ordinary program of the host: it links the code of the handler without its main()
// and the library Subito::testing (subito_testing in Subito's own tree).
//
// Nothing here waits, reads the real clock or leaves the process, but for what use_redis() and
// connect() are for. Nothing is made up either: what a handler was not granted throws as it does in
// a pod, with the same type and words.
//
// Threads: all of it belongs to the thread of the test.
#pragma once

#include <subito/function.h>

#include <chrono>
#include <cstddef>
#include <cstdint>
#include <functional>
#include <map>
#include <memory>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

namespace subito::testing {

// What the node tells a handler about itself: TestContext context({.function = "checkout"});
struct ContextOptions {
  std::string function = "test";
  std::string pod = "test-pod";
  std::string request_id = "test-request";
  std::string traceparent = "00-0123456789abcdef0123456789abcdef-0123456789abcdef-01";
  std::chrono::milliseconds timeout = std::chrono::seconds(30);  // until the deadline, from now()
};

// What the handler logged.
struct LogRecord {
  std::string level;  // "debug", "info", "warning", "error"
  std::string message;
  std::map<std::string, std::string> fields;
};

// What the handler called.
struct RecordedCall {
  std::string function;
  std::string method;
  std::string target;  // path and query: "/products?ids=3"
  Headers headers;
  std::string body;
};

// The far end of a connection that connect() hands to the handler. Both sides buffer what was sent
// and not yet read, about 200 KiB: what the handler shall read is sent before it runs, what it
// wrote is looked at afterwards, and neither needs a thread.
class FarEnd {
 public:
  explicit FarEnd(int fd);  // owned
  ~FarEnd();
  FarEnd(const FarEnd&) = delete;
  FarEnd& operator=(const FarEnd&) = delete;

  // Throws std::runtime_error when it does not fit or the handler has closed its side.
  void send(std::string_view bytes);
  void finish();           // the handler reads the end behind what was sent
  std::string received();  // what came since the last call, "" if nothing did; never waits
  int fd() const { return fd_; }

 private:
  int fd_;
};

// The context of one invocation, or of several after one another: Redis and settings stay.
class TestContext final : public Context {
 public:
  // Answers a call. What it throws comes out of Context::call(): CallError for a call that did not
  // get through. An HttpError is answered with its problem document, as the callee's runtime does.
  using Callee = std::function<Response(const Request&)>;

  explicit TestContext(ContextOptions options = {});
  ~TestContext() override;
  TestContext(const TestContext&) = delete;
  TestContext& operator=(const TestContext&) = delete;

  // The settings of the spec; none to begin with.
  std::map<std::string, std::string, std::less<>> settings;
  // Its secrets, "payment-key", or "mail/password" for a key that is not "value".
  std::map<std::string, std::string, std::less<>> secrets;

  // The clock: stands still but for advance(). It moves the time to the deadline and to the expiry
  // of keys in fake Redis. At the deadline and after cancel() the invocation is over: cancelled()
  // is true, and calls, connections and Redis throw Cancelled.
  std::chrono::steady_clock::time_point now() const;
  void advance(std::chrono::nanoseconds time);
  void cancel();

  // Calls. One to a function that the test has not named throws CallError "forbidden". A callee
  // that advances the clock past the deadline was too slow, and the call throws Cancelled.
  // A call that was begun by start_call() runs its callee at once. The time by which that advances
  // the clock is how long the answer takes: it passes while the handler waits, so that two calls of
  // 1 s each that go on together take 1 s.
  void on_call(const std::string& function, Callee callee);
  void fail_call(const std::string& function, const std::string& type,
                 const std::string& reason = "the test lets it fail");
  // In the order in which they were begun, those that failed or were dropped included.
  const std::vector<RecordedCall>& calls() const;

  // The binding `name` is a Redis in memory, empty, with keys below `prefix` ("" means the default,
  // "<function>:"). Returns what the handler gets from redis(name). It answers as Redis 7.0 does,
  // with the rights of a function: a key outside the prefix, and KEYS, are NOPERM. It knows
  //   keys         DEL UNLINK EXISTS TYPE EXPIRE PEXPIRE TTL PTTL PERSIST
  //   strings      GET SET SETEX SETNX GETDEL MGET MSET APPEND STRLEN
  //   numbers      INCR INCRBY INCRBYFLOAT DECR DECRBY
  //   hashes       HSET HSETNX HGET HMGET HGETALL HDEL HEXISTS HINCRBY HLEN HKEYS HVALS
  //   lists        LPUSH RPUSH LPOP RPOP LRANGE LLEN LTRIM
  //   sets         SADD SREM SMEMBERS SISMEMBER SCARD
  //   sorted sets  ZADD ZINCRBY ZREM ZSCORE ZCARD ZRANGE ZRANGEBYSCORE
  //   others       PING ECHO MULTI EXEC DISCARD
  // and throws RedisError for what it does not know, which use_redis() helps with.
  Redis& add_redis(const std::string& name, const std::string& prefix = {});
  // The binding is a real Redis: "127.0.0.1:6379", "redis://user:password@127.0.0.1:6379",
  // "unix:/run/redis.sock", "unix://user:password@/run/redis.sock". Its waits end by the real
  // clock, after the time that is left by the test's. Throws std::invalid_argument for another
  // address. Keys stay when the test ends.
  Redis& use_redis(const std::string& name, const std::string& address,
                   const std::string& prefix = {});
  // From now on every command throws RedisError with `reason`: "connection refused".
  // Throws std::out_of_range for a binding that was not added.
  void redis_fails(const std::string& name, const std::string& reason);
  void redis_recovers(const std::string& name);
  // The keys of a fake Redis, sorted. Throws std::out_of_range where there is none of that name.
  std::vector<std::string> redis_keys(const std::string& name) const;

  // The next connect(name) gets the other end of this connection. Several are given out in order;
  // after the last one the far end is away. Valid as long as the context.
  FarEnd& add_connection(const std::string& name);
  // connect(name) throws std::runtime_error with `reason` until the next add_connection(name).
  void connect_fails(const std::string& name, const std::string& reason);

  const std::vector<LogRecord>& logs() const;

  // What the handler sees.
  std::chrono::steady_clock::time_point deadline() const override;
  std::chrono::milliseconds time_left() const override;
  bool cancelled() override;
  const std::string& request_id() const override;
  const std::string& traceparent() const override;
  const std::string& function() const override;
  const std::string& pod() const override;
  Logger& log() override;
  std::optional<std::string> setting(std::string_view name) const override;
  std::optional<std::string> secret(std::string_view name,
                                    std::string_view key = "value") const override;
  Redis& redis(std::string_view binding) override;
  int connect(std::string_view binding) override;
  PendingCall start_call(std::string_view function, const Request& request) override;

 private:
  class Inside;
  std::unique_ptr<Inside> inside_;
};

// How the body of a StreamedRequest ends.
enum class BodyEnd {
  kComplete,
  kClientLeft,  // read() throws Cancelled behind the last piece
};

// A request whose body arrives in pieces: request.stream().read() returns one after the other, cut
// to 64 KiB as in a pod; request.body() joins them.
class StreamedRequest : public Request {
 public:
  StreamedRequest(std::string method, std::string target, std::vector<std::string> pieces,
                  Headers headers = {}, BodyEnd end = BodyEnd::kComplete);

 private:
  std::unique_ptr<BodyReader> pieces_;
};

// The whole body of a response; one of Response::stream() is run for it. What its writer throws
// comes out.
std::string body_of(const Response& response);

// The pieces in which a streamed body was written. The reader leaves after `pieces_max`: write()
// throws Cancelled from then on, which ends here.
std::vector<std::string> pieces_of(const Response& response,
                                   std::size_t pieces_max = static_cast<std::size_t>(-1));

// What a client gets from the handler: an exception becomes an answer as the runtime makes it
// (HttpError its problem document, Cancelled 504, others 500, a record in the log and a line on
// standard error that says what was thrown), a streamed
// body is run and whole, HEAD has none. An exception behind the first piece of a stream comes out:
// the client would see half an answer.
Response answer_of(const Handler& handler, const Request& request, Context& context);
Response answer_of(const Router& router, const Request& request, Context& context);

}  // namespace subito::testing

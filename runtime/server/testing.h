// For tests: a server whose clock stands still, a handler that keeps what it was told, and a
// blocking client, all on one thread. Whoever waits turns the loop.
#pragma once

#include <gtest/gtest.h>

#include <deque>
#include <functional>
#include <map>
#include <memory>
#include <string>
#include <string_view>

#include "runtime/base/time.h"
#include "runtime/base/unique_fd.h"
#include "runtime/http/response_parser.h"
#include "runtime/loop/loop.h"
#include "runtime/server/http_server.h"

namespace subito::server {

// One request as the handler saw it.
struct SeenRequest {
  ExchangeId id;
  http::RequestHead head;
  std::string body;
  bool ended = false;
  bool aborted = false;
  int writable = 0;
};

class FakeHandler final : public Handler {
 public:
  std::deque<SeenRequest> seen;
  std::function<void(SeenRequest&)> answer_head;  // called inside on_request
  std::function<void(SeenRequest&)> answer_end;   // called inside of what ends the request
  bool consume = true;
  Server* server = nullptr;

  void on_request(ExchangeId id, http::RequestHead&& head, bool end) override;
  void on_body(ExchangeId id, std::string_view bytes, bool end) override;
  void on_writable(ExchangeId id) override;
  void on_abort(ExchangeId id) override;
  std::string request_id(ExchangeId id) override { return id ? "of-exchange" : "new"; }

 private:
  SeenRequest& find(ExchangeId id);
  // A handler must never be called inside its own call.
  void enter(const std::function<void()>& run);
  bool inside_ = false;
};

class TestServer;

class TestClient {
 public:
  TestClient(TestServer& server, UniqueFd socket);

  TestClient& send(std::string_view bytes);
  // The next answer has this status and body.
  TestClient& expect(int status, std::string_view body);
  TestClient& expect(int status);
  TestClient& expect_to_head(int status);
  TestClient& expect_closed();  // after what was expected nothing comes but an orderly end
  TestClient& expect_open();    // the server has not closed, and nothing more has come
  TestClient& expect_raw(std::string_view bytes);
  TestClient& finish_sending();
  void reset();  // leaves with a TCP reset
  void leave() { socket_.reset(); }

  const http::ResponseHead& head() const { return head_; }  // of the last answer
  const std::string& body() const { return body_; }
  bool announced_keep_alive() const { return parser_.keep_alive(); }
  int fd() const { return socket_.get(); }
  // Reads what is there, at most `bytes_max`.
  std::string read_some(std::size_t bytes_max);

 private:
  bool next_answer();
  bool receive();

  TestServer& server_;
  UniqueFd socket_;
  http::ResponseParser parser_;
  std::string input_;
  http::ResponseHead head_;
  std::string body_;
  bool end_ = false;
  bool was_reset_ = false;
};

class TestServer {
 public:
  explicit TestServer(const Limits& limits = {});

  TestClient connect();
  void turn() { loop.turn(false); }
  // Turns the loop until it is so; fails the test after seconds.
  bool until(const std::function<bool()>& is_so);
  // Lets everything that is under way arrive: for tests that nothing happens.
  void settle();
  void advance(Duration by);

  void respond(const SeenRequest& request, int status, std::string_view body);
  // Answers each complete request with 200 and `body`.
  void answer_all(std::string body);

  Loop loop;
  ManualClock clock;
  FakeHandler handler;
  HttpServer server;
  Address address;
};

}  // namespace subito::server

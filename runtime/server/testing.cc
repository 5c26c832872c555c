#include "runtime/server/testing.h"

#include <arpa/inet.h>
#include <netinet/in.h>
#include <poll.h>
#include <sys/socket.h>

#include <array>
#include <cerrno>
#include <utility>

#include "runtime/base/check.h"

namespace subito::server {
namespace {

constexpr int kPatienceTurns = 5000;  // of a millisecond at most each
constexpr int kSettleTurns = 20;
// What a client takes in unread; the kernel's own limit grows with the machine.
constexpr int kClientReceiveBytes = 64 << 10;

}  // namespace

void FakeHandler::enter(const std::function<void()>& run) {
  EXPECT_FALSE(inside_) << "the handler was called inside its own call";
  inside_ = true;
  run();
  inside_ = false;
}

SeenRequest& FakeHandler::find(ExchangeId id) {
  for (SeenRequest& request : seen) {
    if (request.id == id) return request;
  }
  ADD_FAILURE() << "unknown exchange";
  return seen.emplace_back();
}

void FakeHandler::on_request(ExchangeId id, http::RequestHead&& head, bool end) {
  enter([&] {
    SeenRequest& request = seen.emplace_back();
    request.id = id;
    request.head = std::move(head);
    request.ended = end;
    if (answer_head) answer_head(request);
    if (end && answer_end) answer_end(request);
  });
}

void FakeHandler::on_body(ExchangeId id, std::string_view bytes, bool end) {
  enter([&] {
    SeenRequest& request = find(id);
    EXPECT_FALSE(request.ended || request.aborted);
    request.body.append(bytes);
    request.ended = end;
    if (consume) server->consumed(id, bytes.size());
    if (end && answer_end) answer_end(request);
  });
}

void FakeHandler::on_writable(ExchangeId id) {
  enter([&] { ++find(id).writable; });
}

void FakeHandler::on_abort(ExchangeId id) {
  enter([&] {
    EXPECT_FALSE(find(id).aborted);
    find(id).aborted = true;
  });
}

TestServer::TestServer(const Limits& limits) : server(loop, limits, handler, clock) {
  handler.server = &server;
  auto bound = server.listen({Address::Kind::kTcp, "127.0.0.1", 0});
  CHECK(bound.has_value());
  address = *bound;
}

TestClient TestServer::connect() {
  UniqueFd fd(::socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0));
  CHECK(::setsockopt(fd.get(), SOL_SOCKET, SO_RCVBUF, &kClientReceiveBytes,
                     sizeof kClientReceiveBytes) == 0);
  sockaddr_in to{};
  to.sin_family = AF_INET;
  to.sin_port = htons(address.port);
  to.sin_addr.s_addr = htonl(INADDR_LOOPBACK);
  CHECK(::connect(fd.get(), reinterpret_cast<sockaddr*>(&to), sizeof to) == 0);
  return {*this, std::move(fd)};
}

bool TestServer::until(const std::function<bool()>& is_so) {
  for (int i = 0; i < kPatienceTurns; ++i) {
    turn();
    if (is_so()) return true;
    // Loopback delivers in its own time: leave it the processor.
    ::poll(nullptr, 0, i < kSettleTurns ? 0 : 1);
  }
  return false;
}

void TestServer::settle() {
  for (int i = 0; i < kSettleTurns; ++i) {
    turn();
    ::poll(nullptr, 0, 1);
  }
}

void TestServer::advance(Duration by) {
  settle();
  clock.advance(by);
  server.check_deadlines();
}

void TestServer::respond(const SeenRequest& request, int status, std::string_view body) {
  http::ResponseHead head;
  head.status = status;
  server.respond(request.id, std::move(head), body, true);
}

void TestServer::answer_all(std::string body) {
  handler.answer_end = [this, body = std::move(body)](SeenRequest& request) {
    respond(request, 200, body);
  };
}

TestClient::TestClient(TestServer& server, UniqueFd socket)
    : server_(server), socket_(std::move(socket)), parser_({}) {}

TestClient& TestClient::send(std::string_view bytes) {
  const bool sent = server_.until([&] {
    const ssize_t n =
        ::send(socket_.get(), bytes.data(), bytes.size(), MSG_NOSIGNAL | MSG_DONTWAIT);
    if (n > 0) bytes.remove_prefix(static_cast<std::size_t>(n));
    // A server may close while we still send: what it answered is what counts.
    return bytes.empty() || (n < 0 && errno != EAGAIN);
  });
  EXPECT_TRUE(sent) << "the server does not read";
  return *this;
}

// Takes in what has come; false when nothing had.
bool TestClient::receive() {
  std::array<char, 16384> buffer;
  const ssize_t n = ::recv(socket_.get(), buffer.data(), buffer.size(), MSG_DONTWAIT);
  if (n > 0) input_.append(buffer.data(), static_cast<std::size_t>(n));
  was_reset_ = was_reset_ || (n < 0 && errno != EAGAIN);
  if (n == 0 || was_reset_) end_ = true;
  return n > 0;
}

std::string TestClient::read_some(std::size_t bytes_max) {
  std::string out(bytes_max, '\0');
  const ssize_t n = ::recv(socket_.get(), out.data(), out.size(), MSG_DONTWAIT);
  out.resize(n > 0 ? static_cast<std::size_t>(n) : 0);
  return out;
}

bool TestClient::next_answer() {
  std::string_view input = input_;
  bool done = false;
  for (http::Event event = parser_.next(input); event != http::Event::kMore;
       event = parser_.next(input)) {
    if (event == http::Event::kHead) {
      head_ = std::move(parser_.head());
      body_.clear();
    }
    if (event == http::Event::kBody) body_ += parser_.body();
    if (event == http::Event::kRejected) {
      ADD_FAILURE() << "the server broke HTTP: " << parser_.rejection().reason;
    }
    done = event == http::Event::kEnd || event == http::Event::kRejected;
    if (done) break;
  }
  input_.erase(0, input_.size() - input.size());
  if (!done && end_) done = parser_.finish() == http::Event::kEnd;
  return done;
}

TestClient& TestClient::expect(int status) {
  head_ = {};
  head_.status = 0;
  const bool came = server_.until([&] {
    receive();
    return next_answer() || end_;
  });
  EXPECT_TRUE(came) << "no answer";
  EXPECT_EQ(head_.status, status) << body_;
  return *this;
}

TestClient& TestClient::expect(int status, std::string_view body) {
  expect(status);
  EXPECT_EQ(body_, body);
  return *this;
}

TestClient& TestClient::expect_to_head(int status) {
  parser_.expect_no_body();
  return expect(status, "");
}

TestClient& TestClient::expect_raw(std::string_view bytes) {
  server_.until([&] {
    receive();
    return input_.size() >= bytes.size() || end_;
  });
  EXPECT_EQ(input_.substr(0, bytes.size()), bytes);
  input_.erase(0, bytes.size());
  return *this;
}

TestClient& TestClient::expect_closed() {
  EXPECT_TRUE(server_.until([&] {
    receive();
    return end_;
  })) << "still open";
  EXPECT_FALSE(was_reset_);
  EXPECT_EQ(input_, "");
  return *this;
}

TestClient& TestClient::expect_open() {
  server_.settle();
  receive();
  EXPECT_EQ(input_, "");
  EXPECT_FALSE(end_) << "closed";
  return *this;
}

TestClient& TestClient::finish_sending() {
  ::shutdown(socket_.get(), SHUT_WR);
  return *this;
}

void TestClient::reset() {
  const linger hard{1, 0};
  ::setsockopt(socket_.get(), SOL_SOCKET, SO_LINGER, &hard, sizeof hard);
  socket_.reset();
}

}  // namespace subito::server

// CurlTransport against the real server over a real Unix socket.
#include "deploy/api/transport.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>
#include <netinet/in.h>
#include <poll.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <sys/un.h>

#include <filesystem>
#include <fstream>
#include <thread>

#include "deploy/api/api_handler.h"
#include "deploy/api/fake_plane.h"
#include "deploy/api/line_stream.h"
#include "runtime/base/check.h"
#include "runtime/loop/loop.h"

namespace subito::api {
namespace {

using testing::HasSubstr;

// Calls back by itself, and tells an event for every deploy.
class LoopPlane final : public FakePlane {
 public:
  explicit LoopPlane(Loop& loop) : loop_(loop) {}
  void remove(std::string_view name, StatusCallback callback) override {
    FakePlane::remove(name, std::move(callback));
    emit(Event{1, std::string(name), "", "Removed", "removed"});
    loop_.defer([this] { settle(); });
  }
  void logs(const LogQuery& query, LogsCallback callback) override {
    FakePlane::logs(query, std::move(callback));
    loop_.defer([this] { settle(); });
  }
  // Tells how many watch, to a test on another thread.
  NodeInfo node_info() override {
    NodeInfo info = FakePlane::node_info();
    info.pid = static_cast<std::int32_t>(subscribers());
    return info;
  }

 private:
  Loop& loop_;
};

// An API on a socket, served by a thread of its own until the test ends.
class Transports : public testing::Test {
 protected:
  void SetUp() override {
    folder_ = testing::TempDir() + "subito-transport-XXXXXX";
    ASSERT_NE(::mkdtemp(folder_.data()), nullptr);
    socket_ = folder_ + "/api.sock";
    auto store = store::Store::open(folder_ + "/data");
    ASSERT_TRUE(store) << store.error().message;
    store_ = std::move(*store);
    fill(plane_);
    handler_.attach(*server_);
    const auto bound = server_->listen({server::Address::Kind::kUnix, socket_, 0});
    ASSERT_TRUE(bound) << bound.error().message;
    thread_ = std::thread([this] { loop_.run(); });
  }
  void TearDown() override {
    if (thread_.joinable()) {
      stop_.notify();
      thread_.join();
    }
    std::filesystem::remove_all(folder_);
  }
  static ClientRequest request(const std::string& method, const std::string& path) {
    return {method, "http://subito" + path, {}, "", ""};
  }

  std::string folder_;
  std::string socket_;
  Loop loop_;
  Wakeup stop_{loop_, [this] { loop_.stop(); }};
  LoopPlane plane_{loop_};
  std::unique_ptr<store::Store> store_;
  // The store is opened before the first request comes.
  struct LateHandler final : server::Handler {
    explicit LateHandler(Transports& test) : test_(test) {}
    void attach(server::Server& server) {
      api_ = std::make_unique<ApiHandler>(test_.plane_, *test_.store_, test_.loop_);
      api_->attach(server);
    }
    void on_request(server::ExchangeId id, http::RequestHead&& head, bool end) override {
      api_->on_request(id, std::move(head), end);
    }
    void on_body(server::ExchangeId id, std::string_view bytes, bool end) override {
      api_->on_body(id, bytes, end);
    }
    void on_writable(server::ExchangeId id) override { api_->on_writable(id); }
    void on_abort(server::ExchangeId id) override { api_->on_abort(id); }
    Transports& test_;
    std::unique_ptr<ApiHandler> api_;
  } handler_{*this};
  std::unique_ptr<server::Server> server_ = server::Server::create(loop_, {}, handler_);
  std::thread thread_;
};

TEST_F(Transports, TheSocketIsForItsOwnerOnly) {
  struct stat info {};
  ASSERT_EQ(::stat(socket_.c_str(), &info), 0);
  EXPECT_EQ(info.st_mode & 0777U, 0600U);
}

TEST_F(Transports, SendsAndReadsOnOneConnection) {
  const auto transport = make_curl_transport({socket_});
  for (int i = 0; i < 3; ++i) {
    const auto reply = transport->send(request("GET", "/v1/healthz"));
    ASSERT_TRUE(reply) << reply.error().message;
    EXPECT_EQ(reply->status, 200);
    EXPECT_EQ(reply->body, "{\"status\":\"ok\"}\n");
    EXPECT_EQ(*http::find_field(reply->fields, "content-type"), "application/json");
  }
  EXPECT_EQ(transport->send(request("GET", "/v1/nothing"))->status, 404);
  EXPECT_EQ(transport->send(request("DELETE", "/v1/functions/stock"))->status, 204);
}

TEST_F(Transports, UploadsAFileLargerThanAnyBuffer) {
  std::string bytes(5 << 20, 'x');
  for (std::size_t i = 0; i < bytes.size(); i += 4096) bytes[i] = static_cast<char>(i >> 12);
  store::Sha256 sha256;
  sha256.update(bytes);
  const std::string hash = sha256.hex();
  std::ofstream(folder_ + "/binary", std::ios::binary) << bytes;
  const auto transport = make_curl_transport({socket_});
  ClientRequest put = request("PUT", "/v1/artefacts/" + hash);
  put.body_file = folder_ + "/binary";
  const auto reply = transport->send(put);
  ASSERT_TRUE(reply) << reply.error().message;
  EXPECT_EQ(reply->status, 200) << reply->body;
  EXPECT_EQ(transport->send(request("GET", "/v1/artefacts/" + hash))->status, 200);
  put.body_file = folder_ + "/missing";
  EXPECT_EQ(transport->send(put).error().code, ErrorCode::kFailedPrecondition);
}

TEST_F(Transports, StreamsLinesAsTheyComeUntilTheReaderHasEnough) {
  const auto watcher = make_curl_transport({socket_});
  std::vector<std::string> lines;
  const auto reply =
      watcher->stream(request("GET", "/v1/events/watch"), [&](std::string_view line) {
        lines.emplace_back(line);
        if (lines.size() > 1) return false;
        // The watch stands: what happens from now on comes as a line.
        EXPECT_EQ(
            make_curl_transport({socket_})->send(request("DELETE", "/v1/functions/stock"))->status,
            204);
        return true;
      });
  ASSERT_TRUE(reply) << reply.error().message;
  ASSERT_EQ(lines.size(), 2U);
  EXPECT_THAT(lines[0], HasSubstr("\"type\":\"pods\""));
  EXPECT_THAT(lines[1], HasSubstr("\"reason\":\"Removed\""));
  // The watcher hung up: its subscription ends. Each question is a turn of the loop.
  const auto asking = make_curl_transport({socket_});
  std::string version;
  for (int i = 0; i < 1000 && version.find("\"pid\":0") == version.npos; ++i)
    version = asking->send(request("GET", "/v1/version"))->body;
  EXPECT_THAT(version, HasSubstr("\"pid\":0"));
}

TEST_F(Transports, AStreamThatIsRefusedComesBackWhole) {
  const auto transport = make_curl_transport({socket_});
  const auto reply =
      transport->stream(request("GET", "/v1/functions/nobody/logs?follow=true"),
                        [](std::string_view) -> bool { throw std::logic_error("no line"); });
  ASSERT_TRUE(reply) << reply.error().message;
  EXPECT_EQ(reply->status, 404);
  EXPECT_THAT(reply->body, HasSubstr("not-found"));
}

TEST_F(Transports, ARequestIsGivenUpWhenItsCallerWantsNoMore) {
  bool enough = false;
  ClientRequest watch = request("GET", "/v1/events/watch");
  watch.give_up = [&] { return enough; };
  const auto reply = make_curl_transport({socket_})->stream(
      watch, [&](std::string_view) { return enough = true; });
  ASSERT_FALSE(reply);
  EXPECT_EQ(reply.error().code, ErrorCode::kCancelled);
}

// Reads until it has so many lines, or the stream ends with what is returned.
Status read_lines(LineStream& stream, std::size_t count, std::vector<std::string>& lines) {
  Status status = ok();
  while (status && lines.size() < count) {
    pollfd one{stream.fd(), POLLIN, 0};
    if (::poll(&one, 1, 10'000) != 1) return fail(ErrorCode::kDeadlineExceeded, "no line came");
    status = stream.read([&](std::string_view line) { lines.emplace_back(line); });
  }
  return status;
}

TEST_F(Transports, ALineStreamIsReadAsItsLinesCome) {
  auto stream = LineStream::open(socket_, "/v1/events/watch");
  ASSERT_TRUE(stream) << stream.error().message;
  std::vector<std::string> lines;
  ASSERT_TRUE(read_lines(*stream, 1, lines));
  EXPECT_THAT(lines[0], HasSubstr("\"type\":\"pods\""));
  EXPECT_TRUE(stream->read([](std::string_view) { FAIL() << "nothing came"; }));
  const auto transport = make_curl_transport({socket_});
  ASSERT_EQ(transport->send(request("DELETE", "/v1/functions/stock"))->status, 204);
  ASSERT_TRUE(read_lines(*stream, 2, lines));
  EXPECT_THAT(lines[1], HasSubstr("\"reason\":\"Removed\""));
}

TEST_F(Transports, ALineStreamTellsWhyItIsRefused) {
  auto stream = LineStream::open(socket_, "/v1/functions/nobody/requests");
  ASSERT_TRUE(stream) << stream.error().message;
  std::vector<std::string> lines;
  const Status refused = read_lines(*stream, 1, lines);
  ASSERT_FALSE(refused);
  EXPECT_EQ(refused.error().code, ErrorCode::kFailedPrecondition);
  EXPECT_THAT(refused.error().message, HasSubstr("find function nobody"));
}

TEST_F(Transports, ALineStreamTellsThatTheNodeHasGone) {
  auto stream = LineStream::open(socket_, "/v1/events/watch");
  ASSERT_TRUE(stream) << stream.error().message;
  std::vector<std::string> lines;
  ASSERT_TRUE(read_lines(*stream, 1, lines));
  stop_.notify();
  thread_.join();
  server_.reset();
  EXPECT_EQ(read_lines(*stream, 2, lines).error().code, ErrorCode::kUnavailable);
  EXPECT_EQ(LineStream::open(socket_, "/v1/healthz").error().code, ErrorCode::kUnavailable);
}

TEST(TransportErrors, TellWhereNobodyListens) {
  const auto missing = make_curl_transport({"/nonexistent/api.sock"})->send({"GET", "http://x/"});
  ASSERT_FALSE(missing);
  EXPECT_EQ(missing.error().code, ErrorCode::kUnavailable);
  EXPECT_THAT(missing.error().message, HasSubstr("connect to /nonexistent/api.sock: "));

  // The socket of a node that was killed.
  std::string folder = testing::TempDir() + "subito-transport-XXXXXX";
  ASSERT_NE(::mkdtemp(folder.data()), nullptr);
  sockaddr_un address{};
  address.sun_family = AF_UNIX;
  const std::string path = folder + "/dead.sock";
  path.copy(address.sun_path, sizeof address.sun_path - 1);
  {
    const UniqueFd fd(::socket(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0));
    ASSERT_EQ(::bind(fd.get(), reinterpret_cast<sockaddr*>(&address), sizeof address), 0);
  }
  const auto dead = make_curl_transport({path})->send({"GET", "http://x/"});
  ASSERT_FALSE(dead);
  EXPECT_EQ(dead.error().code, ErrorCode::kUnavailable);
  std::filesystem::remove_all(folder);
  for (const char* url : {"ftp://127.0.0.1/", "http://127.0.0.1/a b", "http://[::1/"})
    EXPECT_EQ(make_curl_transport({})->send({"GET", url}).error().code, ErrorCode::kInvalidArgument)
        << url;
}

// Asks a server that says this and hangs up.
using Ask = std::function<Result<ClientReply>(Transport&, const ClientRequest&)>;
Result<ClientReply> reply_of(const std::string& said, const Ask& ask) {
  const UniqueFd listener(::socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0));
  sockaddr_in address{};
  address.sin_family = AF_INET;
  address.sin_addr.s_addr = htonl(INADDR_LOOPBACK);
  socklen_t size = sizeof address;
  CHECK(::bind(listener.get(), reinterpret_cast<sockaddr*>(&address), size) == 0);
  CHECK(::listen(listener.get(), 1) == 0);
  CHECK(::getsockname(listener.get(), reinterpret_cast<sockaddr*>(&address), &size) == 0);
  std::thread server([&] {
    const UniqueFd connection(::accept4(listener.get(), nullptr, nullptr, SOCK_CLOEXEC));
    char request[1024];
    CHECK(::recv(connection.get(), request, sizeof request, 0) > 0);
    CHECK(::send(connection.get(), said.data(), said.size(), 0) > 0);
  });
  const ClientRequest request{"GET",
                              "http://127.0.0.1:" + std::to_string(ntohs(address.sin_port)) + "/"};
  auto reply = ask(*make_curl_transport({}), request);
  server.join();
  return reply;
}

Result<ClientReply> reply_of(const std::string& said, bool as_pieces) {
  std::string body;
  auto reply = reply_of(said, [&](Transport& transport, const ClientRequest& request) {
    if (!as_pieces) return transport.send(request);
    return transport.receive(request, [&](std::string_view piece) {
      body += piece;
      return true;
    });
  });
  EXPECT_EQ(body, as_pieces ? "half" : "");
  return reply;
}

TEST(TransportErrors, AReplyThatBreaksOffIsNotAMissingNode) {
  const std::string half = "HTTP/1.1 200 OK\r\nContent-Length: 9\r\n\r\nhalf";
  for (const bool as_pieces : {false, true}) {
    const auto broken = reply_of(half, as_pieces);
    ASSERT_FALSE(broken);
    EXPECT_EQ(broken.error().code, ErrorCode::kProtocol);
    EXPECT_THAT(broken.error().message, HasSubstr("read reply of http://127.0.0.1:"));
  }
}

TEST(TransportErrors, PiecesOfABodyComeWhateverTheStatus) {
  const auto reply = reply_of("HTTP/1.1 503 Away\r\nContent-Length: 4\r\n\r\nhalf", true);
  ASSERT_TRUE(reply) << reply.error().message;
  EXPECT_EQ(reply->status, 503);
  EXPECT_EQ(reply->body, "");
}

// The server is one of the statement that dies: nothing is left of the test that is run again.
TEST(TransportErrors, IsNotUsedFromWithinItsOwnStream) {
  GTEST_FLAG_SET(death_test_style, "threadsafe");
  const Ask reenter = [](Transport& transport, const ClientRequest& request) {
    return transport.stream(request, [&](std::string_view) {
      (void)transport.send(request);
      return false;
    });
  };
  EXPECT_DEATH((void)reply_of("HTTP/1.1 200 OK\r\nContent-Length: 3\r\n\r\n{}\n", reenter),
               "busy_");
}

}  // namespace
}  // namespace subito::api

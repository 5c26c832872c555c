#include "runtime/sdk/listen_client.h"

#include <poll.h>
#include <sys/socket.h>
#include <unistd.h>

#include <algorithm>
#include <cerrno>
#include <cstring>
#include <exception>
#include <optional>

#include "runtime/http/response_parser.h"
#include "runtime/http/writer.h"
#include "runtime/sdk/access.h"
#include "runtime/sdk/answer.h"

namespace subito::sdk {
namespace {

[[noreturn]] void fail_call(std::string_view function, std::string_view reason) {
  throw CallError("unavailable", "call " + std::string(function) + ": " + std::string(reason));
}

std::string address_of(const Endpoint& endpoint) {
  if (endpoint.host.empty()) return "unix:" + endpoint.path;
  return endpoint.host + ":" + std::to_string(endpoint.port);
}

std::string request_text(std::string_view function, const Endpoint& endpoint,
                         const Request& request, const Headers& headers) {
  http::RequestHead head;
  head.method = request.method();
  head.path = endpoint.base + (request.path().empty() ? "/" : request.path());
  head.query = request.query_string();
  head.host =
      endpoint.host.empty() ? "localhost" : endpoint.host + ":" + std::to_string(endpoint.port);
  for (const auto& field : request.headers().fields()) {
    if (!is_runtime_header(field.first) && field.first != "host") head.fields.push_back(field);
  }
  for (const auto& field : headers.fields()) head.fields.push_back(field);
  const std::string& body = request.body();
  const bool bodiless = head.method == "GET" || head.method == "HEAD";
  if (!body.empty() || !bodiless) head.content_length = body.size();
  std::string text;
  if (auto status = http::append_request_head(text, head); !status) {
    fail_call(function, status.error().message);
  }
  return text + body;
}

// One request and its answer on a connection.
class CallExchange {
 public:
  CallExchange(std::string_view function, int fd, bool to_head, TimedWaiter& waiter)
      : function_(function), fd_(fd), waiter_(waiter), parser_(http::ParserLimits{}) {
    if (to_head) parser_.expect_no_body();
  }

  // Writes the request, taking what comes of the answer meanwhile: a callee that answers while it
  // reads goes on only then. The number of bytes written before the answer, or the connection, was
  // at its end.
  std::size_t write(std::string_view text) {
    std::size_t done = 0;
    while (done < text.size() && !done_) {
      const ssize_t count =
          ::send(fd_, text.data() + done, text.size() - done, MSG_NOSIGNAL | MSG_DONTWAIT);
      if (count >= 0) {
        done += static_cast<std::size_t>(count);
      } else if (errno == EAGAIN) {
        waiter_.wait_for(fd_, POLLIN | POLLOUT);
        read_some();
      } else if (errno != EINTR) {
        break;
      }
    }
    return done;
  }

  // False at `until`, when the answer is not whole yet.
  bool read_until(std::chrono::steady_clock::time_point until) {
    while (!done_) {
      if (!waiter_.wait_until(fd_, POLLIN, until)) return false;
      read_some();
    }
    return true;
  }

  Response read() {
    read_until(std::chrono::steady_clock::time_point::max());
    return finish(!hung_up_ && parser_.keep_alive());
  }

  bool keep_alive() const { return keep_alive_; }

 private:
  void read_some() {
    char bytes[16 << 10];
    const ssize_t count = ::recv(fd_, bytes, sizeof bytes, MSG_DONTWAIT);
    if (count < 0 && (errno == EAGAIN || errno == EINTR)) return;
    if (count < 0) fail_call(function_, std::strerror(errno));
    if (count > 0) return take({bytes, static_cast<std::size_t>(count)});
    if (parser_.finish() != http::Event::kEnd) fail_call(function_, "it hung up");
    done_ = hung_up_ = true;
  }

  void take(std::string_view input) {
    for (;;) {
      switch (parser_.next(input)) {
        case http::Event::kMore:
          return;
        case http::Event::kHead:
          head_ = std::move(parser_.head());
          break;
        case http::Event::kBody:
          body_ += parser_.body();
          if (body_.size() > Request::kBodyBytesMax) {
            throw CallError("answer-too-large",
                            "call " + std::string(function_) + ": the answer is over 16 MiB");
          }
          break;
        case http::Event::kEnd:
          done_ = true;
          return;
        case http::Event::kRejected:
          fail_call(function_, parser_.rejection().reason);
      }
    }
  }

  Response finish(bool keep_alive) {
    keep_alive_ = keep_alive;
    Headers headers;
    for (auto& [name, value] : head_.fields) {
      if (!is_runtime_header(name) && name != "server") {
        headers.add(std::move(name), std::move(value));
      }
    }
    return ResponseAccess::make(head_.status, std::move(headers), std::move(body_));
  }

  std::string_view function_;
  int fd_;
  TimedWaiter& waiter_;
  http::ResponseParser parser_;
  http::ResponseHead head_;
  std::string body_;
  bool done_ = false;
  bool hung_up_ = false;
  bool keep_alive_ = false;
};

}  // namespace

UniqueFd connect_endpoint(std::string_view name, const Endpoint& endpoint, Waiter& waiter) {
  const std::string doing = "connect " + std::string(name) + " at " + address_of(endpoint) + ": ";
  auto fd = begin_connect(endpoint);
  if (!fd) throw std::runtime_error(doing + std::strerror(fd.error().os_errno));
  waiter.wait_for(fd->get(), POLLOUT);
  int error = 0;
  socklen_t size = sizeof error;
  ::getsockopt(fd->get(), SOL_SOCKET, SO_ERROR, &error, &size);
  if (error != 0) throw std::runtime_error(doing + std::strerror(error));
  return *std::move(fd);
}

std::size_t write_fully(int fd, std::string_view bytes, Waiter& waiter) {
  std::size_t done = 0;
  while (done < bytes.size()) {
    const ssize_t count =
        ::send(fd, bytes.data() + done, bytes.size() - done, MSG_NOSIGNAL | MSG_DONTWAIT);
    if (count >= 0) {
      done += static_cast<std::size_t>(count);
    } else if (errno == EAGAIN) {
      waiter.wait_for(fd, POLLOUT);
    } else if (errno != EINTR) {
      return done;
    }
  }
  return done;
}

UniqueFd dial_redis(std::string_view binding, const Endpoint& endpoint, Waiter& waiter) {
  UniqueFd fd;
  try {
    fd = connect_endpoint(binding, endpoint, waiter);
  } catch (const Cancelled&) {
    throw;
  } catch (const std::runtime_error& error) {
    throw RedisError(error.what());
  }
  if (endpoint.password.empty()) return fd;
  std::vector<std::string> words = {"AUTH"};
  if (!endpoint.user.empty()) words.push_back(endpoint.user);
  words.push_back(endpoint.password);
  std::string text = "*" + std::to_string(words.size()) + "\r\n";
  for (const auto& word : words) {
    text += "$" + std::to_string(word.size()) + "\r\n" + word + "\r\n";
  }
  write_fully(fd.get(), text, waiter);
  std::string reply;
  while (!reply.ends_with("\r\n") && reply.size() < 1024) {
    waiter.wait_for(fd.get(), POLLIN);
    char byte = 0;
    if (::read(fd.get(), &byte, 1) != 1) break;
    reply += byte;
  }
  if (reply != "+OK\r\n") {
    throw RedisError("log in to Redis " + std::string(binding) + ": " + reply);
  }
  return fd;
}

UniqueFd ListenClient::take(std::string_view function) {
  const std::lock_guard lock(mutex_);
  for (;;) {
    const auto at = std::find_if(idle_.begin(), idle_.end(),
                                 [function](const auto& idle) { return idle.first == function; });
    if (at == idle_.end()) return UniqueFd();
    UniqueFd fd = std::move(at->second);
    idle_.erase(at);
    pollfd readable = {fd.get(), POLLIN, 0};
    if (::poll(&readable, 1, 0) == 0) return fd;  // else the other side closed it
  }
}

void ListenClient::give(std::string_view function, UniqueFd connection) {
  const std::lock_guard lock(mutex_);
  idle_.emplace_back(function, std::move(connection));
}

class ListenClient::StartedCall final : public PendingCall::UnderWay {
 public:
  StartedCall(ListenClient& client, std::string_view function, TimedWaiter& waiter)
      : client_(client), function_(function), waiter_(waiter) {}

  void begin(const Request& request, const Headers& headers) {
    try {
      send(request, headers);
    } catch (const CallError&) {
      failure_ = std::current_exception();
    }
  }

  bool wait_for(std::chrono::milliseconds time) override {
    if (failure_) return true;
    try {
      return exchange_->read_until(std::chrono::steady_clock::now() + std::min(time, kWaitMax));
    } catch (const CallError&) {
      failure_ = std::current_exception();
      return true;
    }
  }

  Response take() override {
    if (failure_) std::rethrow_exception(failure_);
    // Written short: it may have answered before it read all, so that is read.
    Response response = exchange_->read();
    if (exchange_->keep_alive() && whole_) client_.give(function_, std::move(fd_));
    return response;
  }

 private:
  static constexpr std::chrono::milliseconds kWaitMax = std::chrono::hours(24);

  void send(const Request& request, const Headers& headers) {
    const auto endpoint = call_endpoint(function_);
    if (!endpoint) {
      throw CallError("not-found",
                      "call " + function_ + ": the environment has no CALL_..._URL for it");
    }
    const std::string text = request_text(function_, *endpoint, request, headers);
    const bool to_head = request.method() == "HEAD";
    fd_ = client_.take(function_);
    std::size_t written = 0;
    if (fd_.valid()) {
      written = exchange_.emplace(function_, fd_.get(), to_head, waiter_).write(text);
    }
    if (written == 0) {
      connect(*endpoint);
      written = exchange_.emplace(function_, fd_.get(), to_head, waiter_).write(text);
    }
    whole_ = written == text.size();
  }

  void connect(const Endpoint& endpoint) {
    try {
      fd_ = connect_endpoint(function_, endpoint, waiter_);
    } catch (const Cancelled&) {
      throw;
    } catch (const std::runtime_error& error) {
      fail_call(function_, error.what());
    }
  }

  ListenClient& client_;
  const std::string function_;
  TimedWaiter& waiter_;
  UniqueFd fd_;  // closed with the call: that cancels it
  std::optional<CallExchange> exchange_;
  bool whole_ = false;  // the request was sent whole
  std::exception_ptr failure_;
};

PendingCall ListenClient::start(std::string_view function, const Request& request,
                                const Headers& headers, TimedWaiter& waiter) {
  auto call = std::make_unique<StartedCall>(*this, function, waiter);
  call->begin(request, headers);
  return PendingCall(std::move(call));
}

}  // namespace subito::sdk

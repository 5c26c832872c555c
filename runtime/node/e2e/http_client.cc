#include "runtime/node/e2e/http_client.h"

#include <arpa/inet.h>
#include <netinet/in.h>
#include <poll.h>
#include <sys/socket.h>

#include <algorithm>
#include <cstdio>

namespace subito::e2e {
namespace {

constexpr std::size_t kPieceBytes = 256 << 10;

UniqueFd connect_to(std::uint16_t port) {
  UniqueFd fd(::socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0));
  sockaddr_in address{};
  address.sin_family = AF_INET;
  address.sin_port = htons(port);
  address.sin_addr.s_addr = htonl(INADDR_LOOPBACK);
  if (::connect(fd.get(), reinterpret_cast<sockaddr*>(&address), sizeof address) != 0) fd.reset();
  return fd;
}

std::string chunk(const std::string& piece) {
  char size[20];
  std::snprintf(size, sizeof size, "%zx\r\n", piece.size());
  return size + piece + "\r\n";
}

}  // namespace

std::string HttpResponse::field(std::string_view name) const {
  const std::string* value = http::find_field(fields, name);
  return value == nullptr ? std::string() : *value;
}

std::string request_bytes(const std::string& method, const std::string& target,
                          const std::string& body, const http::Fields& fields) {
  std::string bytes = method + " " + target + " HTTP/1.1\r\nhost: node\r\n";
  for (const auto& [name, value] : fields) bytes += name + ": " + value + "\r\n";
  if (!body.empty() || method == "POST" || method == "PUT") {
    bytes += "content-length: " + std::to_string(body.size()) + "\r\n";
  }
  return bytes + "\r\n" + body;
}

HttpClient::HttpClient(std::uint16_t port, milliseconds patience)
    : fd_(connect_to(port)), patience_(patience), parser_(http::ParserLimits()) {
  end_ = SteadyClock::now() + patience_;
}

bool HttpClient::wait_for(short events) const {
  const auto left = std::chrono::duration_cast<milliseconds>(end_ - SteadyClock::now()).count();
  pollfd one{fd_.get(), events, 0};
  return ::poll(&one, 1, static_cast<int>(std::max<long>(left, 0))) == 1;
}

bool HttpClient::write(std::string_view bytes) {
  end_ = SteadyClock::now() + patience_;
  while (!bytes.empty()) {
    if (!wait_for(POLLOUT)) return false;
    const ssize_t n = ::send(fd_.get(), bytes.data(), bytes.size(), MSG_NOSIGNAL | MSG_DONTWAIT);
    if (n < 0 && errno != EAGAIN) return false;
    bytes.remove_prefix(static_cast<std::size_t>(std::max<ssize_t>(n, 0)));
  }
  return true;
}

// False at the end of the connection.
bool HttpClient::read_more() {
  char bytes[64 << 10];
  const ssize_t n = ::recv(fd_.get(), bytes, sizeof bytes, MSG_DONTWAIT);
  if (n < 0 && errno == EAGAIN) return true;
  if (n <= 0) ended_ = true;
  if (n > 0) in_.append(bytes, static_cast<std::size_t>(n));
  return n > 0;
}

bool HttpClient::advance(HttpResponse& response,
                         const std::function<void(std::string_view)>& on_body) {
  std::string_view input = in_;
  bool done = false;
  while (!done) {
    http::Event event = parser_.next(input);
    if (event == http::Event::kMore && ended_) {
      event = parser_.finish();
      if (event == http::Event::kMore) {
        response.closed = true;
        response.error = "the connection closed without an answer";
        done = true;
        continue;
      }
    }
    if (event == http::Event::kMore) break;
    if (event == http::Event::kHead) {
      response.status = parser_.head().status;
      response.fields = parser_.head().fields;
      response.kept = parser_.keep_alive();
    } else if (event == http::Event::kBody) {
      on_body(parser_.body());
    } else {
      if (event == http::Event::kRejected) response.error = parser_.rejection().reason;
      done = true;
    }
  }
  in_.erase(0, in_.size() - input.size());
  return done;
}

HttpResponse HttpClient::read(bool no_body) {
  end_ = SteadyClock::now() + patience_;
  HttpResponse response;
  if (!connected()) {
    response.error = "not connected";
    return response;
  }
  if (no_body) parser_.expect_no_body();
  const auto keep = [&](std::string_view piece) { response.body.append(piece); };
  while (!advance(response, keep)) {
    if (!wait_for(POLLIN)) {
      response.error = "no answer in time";
      break;
    }
    read_more();
  }
  if (!response.whole() || !response.kept) fd_.reset();
  return response;
}

HttpResponse HttpClient::request(const std::string& method, const std::string& target,
                                 const std::string& body, const http::Fields& fields) {
  if (!connected()) {
    HttpResponse none;
    none.error = "not connected";
    return none;
  }
  // An answer may be there though the rest of the request was not taken.
  (void)write(request_bytes(method, target, body, fields));
  return read(method == "HEAD");
}

std::string HttpClient::piece_at(std::uint64_t offset, std::size_t size) {
  std::string piece(size, '\0');
  for (std::size_t i = 0; i < size; ++i) {
    const std::uint64_t at = offset + i;
    piece[i] = static_cast<char>(at * 131 + (at >> 12));
  }
  return piece;
}

bool HttpClient::send_some(std::string& out) {
  const ssize_t n = ::send(fd_.get(), out.data(), out.size(), MSG_NOSIGNAL | MSG_DONTWAIT);
  if (n < 0) return errno == EAGAIN;
  out.erase(0, static_cast<std::size_t>(n));
  return true;
}

HttpResponse HttpClient::transfer(const Transfer& transfer) {
  end_ = SteadyClock::now() + patience_;
  HttpResponse response;
  std::string out = transfer.head;
  std::uint64_t sent = 0;
  bool last = transfer.upload_bytes == 0 && !transfer.chunked;
  while (!advance(response, transfer.on_body)) {
    if (out.empty() && !last) {
      const auto size = std::min<std::uint64_t>(kPieceBytes, transfer.upload_bytes - sent);
      std::string piece = piece_at(sent, size);
      sent += size;
      last = sent == transfer.upload_bytes;
      out = transfer.chunked && size > 0 ? chunk(piece) : std::move(piece);
      if (transfer.chunked && last) out += "0\r\n\r\n";
    }
    if (!wait_for(out.empty() ? POLLIN : POLLIN | POLLOUT)) {
      response.error = "no whole answer in time";
      break;
    }
    read_more();
    if (!out.empty() && !send_some(out)) out.clear();
  }
  return response;
}

}  // namespace subito::e2e

#include "runtime/node/e2e/otlp_receiver.h"

#include <arpa/inet.h>
#include <gtest/gtest.h>
#include <netinet/in.h>
#include <poll.h>
#include <sys/eventfd.h>
#include <sys/socket.h>
#include <unistd.h>

#include <algorithm>
#include <cstdlib>

namespace subito::e2e {
namespace {

constexpr char kEndOfHead[] = "\r\n\r\n";
constexpr std::size_t kReadBytes = 64 << 10;

std::size_t content_length(std::string head) {
  std::transform(head.begin(), head.end(), head.begin(),
                 [](unsigned char c) { return static_cast<char>(std::tolower(c)); });
  const std::size_t at = head.find("content-length:");
  return at == head.npos ? 0 : std::strtoul(head.c_str() + at + 15, nullptr, 10);
}

}  // namespace

OtlpReceiver::OtlpReceiver()
    : listener_(::socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0)),
      stop_(::eventfd(0, EFD_CLOEXEC)) {
  sockaddr_in address{};
  address.sin_family = AF_INET;
  address.sin_addr.s_addr = htonl(INADDR_LOOPBACK);
  socklen_t size = sizeof address;
  auto* raw = reinterpret_cast<sockaddr*>(&address);
  EXPECT_EQ(::bind(listener_.get(), raw, size), 0);
  EXPECT_EQ(::listen(listener_.get(), 4), 0);
  EXPECT_EQ(::getsockname(listener_.get(), raw, &size), 0);
  port_ = ntohs(address.sin_port);
  thread_ = std::thread([this] { run(); });
}

OtlpReceiver::~OtlpReceiver() {
  const std::uint64_t one = 1;
  EXPECT_EQ(::write(stop_.get(), &one, sizeof one), static_cast<ssize_t>(sizeof one));
  thread_.join();
}

std::vector<ReceivedSpan> OtlpReceiver::spans(const std::string& trace) const {
  const std::lock_guard lock(mutex_);
  std::vector<ReceivedSpan> found;
  for (const ReceivedSpan& span : spans_) {
    if (trace.empty() || span.span.trace_id() == trace) found.push_back(span);
  }
  return found;
}

void OtlpReceiver::refuse(int requests) {
  const std::lock_guard lock(mutex_);
  refuse_ = requests;
}

void OtlpReceiver::run() {
  for (;;) {
    pollfd ready[] = {{listener_.get(), POLLIN, 0}, {stop_.get(), POLLIN, 0}};
    if (::poll(ready, 2, -1) < 0) continue;
    if (ready[1].revents != 0) return;
    const UniqueFd client(::accept4(listener_.get(), nullptr, nullptr, SOCK_CLOEXEC));
    if (client.valid()) serve(client.get());
  }
}

// One connection until it ends, or the test does.
void OtlpReceiver::serve(int client) {
  std::string in;
  std::string piece(kReadBytes, '\0');
  for (;;) {
    const std::size_t head = in.find(kEndOfHead);
    const std::size_t begin = head == in.npos ? 0 : head + sizeof kEndOfHead - 1;
    const std::size_t size = head == in.npos ? 0 : content_length(in.substr(0, head));
    if (head != in.npos && in.size() >= begin + size) {
      const std::string answer = answer_to(in.substr(begin, size));
      if (::send(client, answer.data(), answer.size(), MSG_NOSIGNAL) < 0) return;
      in.erase(0, begin + size);
      continue;
    }
    pollfd ready[] = {{client, POLLIN, 0}, {stop_.get(), POLLIN, 0}};
    if (::poll(ready, 2, -1) < 0 || ready[1].revents != 0) return;
    const ssize_t count = ::read(client, piece.data(), piece.size());
    if (count <= 0) return;
    in.append(piece, 0, static_cast<std::size_t>(count));
  }
}

std::string OtlpReceiver::answer_to(const std::string& body) {
  otlp::ExportTraceServiceRequest request;
  const std::lock_guard lock(mutex_);
  if (refuse_ > 0) {
    --refuse_;
    return "HTTP/1.1 503 Service Unavailable\r\nretry-after: 1\r\ncontent-length: 0\r\n\r\n";
  }
  EXPECT_TRUE(request.ParseFromString(body));
  for (const auto& resource : request.resource_spans()) {
    const std::string service = resource.resource().attributes(0).value().string_value();
    for (const auto& scope : resource.scope_spans()) {
      for (const auto& span : scope.spans()) spans_.push_back({service, span});
    }
  }
  return "HTTP/1.1 200 OK\r\ncontent-type: application/x-protobuf\r\ncontent-length: 0\r\n\r\n";
}

}  // namespace subito::e2e

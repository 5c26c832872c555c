// TestServer: a server of a few lines in a thread of the test, on a port of its own. Tests only.
#pragma once

#include <arpa/inet.h>
#include <gtest/gtest.h>
#include <poll.h>
#include <sys/socket.h>

#include <atomic>
#include <functional>
#include <string>
#include <thread>
#include <utility>
#include <vector>

#include "bench/http_client.h"

namespace subito::bench {

class TestServer {
 public:
  // What the n-th request (from 0) is answered; an empty answer closes its connection. Runs on the
  // server's thread.
  using Answer = std::function<std::string(const std::string& request, int number)>;

  explicit TestServer(Answer answer) : answer_(std::move(answer)) {
    listener_.reset(::socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0));
    sockaddr_in address{};
    address.sin_family = AF_INET;
    address.sin_addr.s_addr = htonl(INADDR_LOOPBACK);
    socklen_t size = sizeof address;
    EXPECT_EQ(::bind(listener_.get(), reinterpret_cast<sockaddr*>(&address), size), 0);
    EXPECT_EQ(::listen(listener_.get(), 16), 0);
    ::getsockname(listener_.get(), reinterpret_cast<sockaddr*>(&address), &size);
    address_ = {"", "127.0.0.1", ntohs(address.sin_port)};
    thread_ = std::thread([this] { serve(); });
  }
  TestServer(const TestServer&) = delete;
  TestServer& operator=(const TestServer&) = delete;
  ~TestServer() {
    ::shutdown(listener_.get(), SHUT_RDWR);
    thread_.join();
  }

  const ServerAddress& address() const { return address_; }
  int accepted() const { return accepted_; }
  int requests() const { return requests_; }

 private:
  void serve() {
    std::vector<UniqueFd> connections;
    for (;;) {
      std::vector<pollfd> waits = {{listener_.get(), POLLIN, 0}};
      for (const UniqueFd& connection : connections) waits.push_back({connection.get(), POLLIN, 0});
      ::poll(waits.data(), waits.size(), -1);
      for (std::size_t i = waits.size() - 1; i > 0; --i) {
        if (waits[i].revents != 0 && !answer(waits[i].fd)) {
          connections.erase(connections.begin() + static_cast<std::ptrdiff_t>(i - 1));
        }
      }
      if (waits[0].revents == 0) continue;
      connections.emplace_back(::accept4(listener_.get(), nullptr, nullptr, SOCK_CLOEXEC));
      if (!connections.back().valid()) return;  // shut down
      ++accepted_;
    }
  }
  bool answer(int connection) {
    char request[4096];
    const ssize_t size = ::recv(connection, request, sizeof request, 0);
    if (size <= 0) return false;
    const std::string bytes = answer_({request, static_cast<std::size_t>(size)}, requests_++);
    return !bytes.empty() && ::send(connection, bytes.data(), bytes.size(), MSG_NOSIGNAL) > 0;
  }

  Answer answer_;
  std::atomic<int> accepted_ = 0;
  std::atomic<int> requests_ = 0;
  UniqueFd listener_;
  ServerAddress address_;
  std::thread thread_;
};

}  // namespace subito::bench

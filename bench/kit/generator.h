// Generator: one request asked for over and over on kept-alive connections, with little CPU time of
// its own. Each answer's status and body are checked.
//
//   closed loop  each connection asks again as soon as it was answered: throughput
//   open loop    requests are due at a fixed rate, whatever the answers take. A time is counted
//                from when the request was due, so that a server which stands still cannot hide it
//                by holding the sender up. What is due while all connections are taken waits for
//                one, and its time runs.
//
// Single-threaded: epoll, with timeouts in nanoseconds (epoll_pwait2).
#pragma once

#include <sys/epoll.h>

#include <chrono>
#include <cstdint>
#include <functional>
#include <memory>
#include <string>
#include <vector>

#include "bench/http_client.h"
#include "bench/kit/answer_reader.h"
#include "runtime/base/histogram.h"

namespace subito::bench {

struct Traffic {
  ServerAddress server;
  HttpRequest request;
  Expected expected;
  std::uint32_t connections = 1;
  double per_second = 0;  // 0: closed loop
};

struct TrafficResult {
  std::uint64_t answers = 0;            // right ones
  std::uint64_t errors = 0;             // wrong, broken off, or due and never sent
  std::string first_error;              // empty: none
  std::chrono::nanoseconds took{0};     // from the begin to the last answer
  Histogram latency;                    // ns, of right answers; from when sent, or when due
  Histogram lateness;                   // ns, open loop: from when due to when sent
  std::chrono::nanoseconds own_cpu{0};  // CPU time of this process meanwhile
  bool interrupted = false;

  double per_second() const;
};
// Adds `one` to `all`, as if it had been run behind it.
void add(TrafficResult& all, const TrafficResult& one);

// So many wrong answers, and nothing more is sent.
inline constexpr std::uint64_t kTrafficErrorsMax = 10;
// What is due or under way when the time is over gets so long; then it is an error.
inline constexpr std::chrono::seconds kTrafficGrace{5};

class Generator {
 public:
  // Makes all connections and asks once by each; kProtocol when an answer is wrong.
  static Result<Generator> open(const Traffic& traffic);
  ~Generator();
  Generator(Generator&&) noexcept;

  // May be called again as long as there were no errors. An interrupt ends it early, with what
  // there is.
  TrafficResult run(std::chrono::nanoseconds duration);

 private:
  using Clock = std::chrono::steady_clock;
  struct Connection;

  explicit Generator(const Traffic& traffic);
  Status connect();
  bool open_loop() const { return traffic_->per_second > 0; }
  bool sending() const;
  void send_due(Clock::time_point now);
  void send(Connection& connection, Clock::time_point due);
  void wait(Clock::time_point now);
  void on_readable(Connection& connection);
  void answered(Connection& connection);
  void lose(Connection& connection, const std::string& reason);
  void count_unsent();
  Clock::time_point due_at(std::uint64_t number) const;

  std::unique_ptr<Traffic> traffic_;  // connections refer to what is expected
  std::string bytes_;                 // of the request
  UniqueFd epoll_;
  std::vector<std::unique_ptr<Connection>> connections_;
  std::vector<Connection*> free_;
  std::vector<epoll_event> events_;
  std::vector<char> buffer_;
  TrafficResult result_;
  Clock::time_point begin_;
  Clock::time_point end_;  // nothing is due from then on
  std::uint64_t due_ = 0;  // requests of the timetable that were sent
  std::uint32_t under_way_ = 0;
};

}  // namespace subito::bench

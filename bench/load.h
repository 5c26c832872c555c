// Loads: HTTP requests sent by a timetable, whatever the answers take (open loop), several loads at
// once. A time is counted from when the request was due, so that a node which stands still cannot
// hide it by holding the sender up. Single-threaded: epoll, and a timerfd for the timetable.
#pragma once

#include <chrono>
#include <cstdint>
#include <functional>
#include <map>
#include <string>
#include <vector>

#include "bench/http_client.h"
#include "bench/statistics.h"

namespace subito::bench {

struct LoadAnswer {
  int status = 0;  // 0: no complete answer came
  std::string body;
};

// One of several kinds of request that share a timetable.
struct LoadKind {
  std::function<HttpRequest()> request;  // makes one when it is due
  // Told what became of each that was sent.
  std::function<void(const HttpRequest&, const LoadAnswer&)> answered{};
};

// Says of what kind the next request is: as often as its weight of all weights, drawn by the seed,
// on every machine alike.
std::function<std::size_t()> by_weights(std::vector<std::uint32_t> weights, std::uint64_t seed);

struct Load {
  std::string path;                    // asked for by GET, where there are no kinds
  double per_second = 0;               // 0: the next as soon as a connection is free (closed loop)
  std::uint32_t connections_max = 64;  // what is due while all are taken is not sent
  std::uint32_t requests_max = 1'000'000;
  bool parts = false;  // keep what Server-Timing says of each answer with 2xx
  // All connections are made, and each has been answered once (/healthz), before anything is due.
  bool open_first = false;
  std::vector<LoadKind> kinds{};
  std::function<std::size_t()> next_kind{};  // index in `kinds`; empty: all in turn
};

struct LoadResult {
  std::uint32_t sent = 0;
  std::uint32_t unsent = 0;               // due while all connections were taken
  std::map<int, std::uint32_t> statuses;  // of complete answers
  std::uint32_t with_retry_after = 0;     // of these
  std::uint32_t broken = 0;               // no complete answer came
  std::string first_fault;                // of the broken ones
  Samples samples;                        // of answers with status 2xx, from when it was due
  std::map<std::string, Samples> parts;   // of these: queue, start, handler
  std::chrono::nanoseconds took{0};       // from the begin of the load to its last answer
  std::vector<LoadResult> kinds;          // the same of each kind alone
};

std::uint32_t count_of(const LoadResult& result, int status);
// One more round of the same load.
void add(LoadResult& all, const LoadResult& one);

// A load with so many broken is not worth its end: nothing more is sent.
inline constexpr std::uint32_t kLoadBrokenMax = 100;
// What is under way when `duration` is over gets so long to be answered; then it is broken.
inline constexpr std::chrono::seconds kLoadGrace{30};

// What a long run shows meanwhile, and what an interrupt does to it.
struct LoadWatch {
  // Called a few times a second at least, with the time until nothing more is sent.
  std::function<void(std::chrono::nanoseconds left)> progress{};
  // An interrupt ends the sending only: what is under way is waited for, and the results are kept.
  bool keep_interrupted = false;
};
inline constexpr std::chrono::milliseconds kLoadProgressEvery{200};

// Sends all loads side by side for `duration`, or until each has sent its most; their results in
// the same order. An error means that nothing could be measured; kCancelled: interrupted.
Result<std::vector<LoadResult>> run_loads(const ServerAddress& server,
                                          const std::vector<Load>& loads,
                                          std::chrono::nanoseconds duration,
                                          const LoadWatch& watch = {});

}  // namespace subito::bench

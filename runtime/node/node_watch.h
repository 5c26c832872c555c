// NodeWatch: looks every kWatchEvery at what a node depends on and nothing tells it of: room on the
// disk of its data folder, and the wall clock, which others may set. Tells Health.
//
// Owned by the node, on the loop's thread; the disk, which may hang, is asked on another.
#pragma once

#include <cstdint>
#include <functional>
#include <string>

#include "runtime/bindings/redis_server.h"
#include "runtime/loop/loop.h"
#include "runtime/node/clock_watch.h"
#include "runtime/node/health.h"

namespace subito::node {

// An idle node is woken for it: two threads, some 50 µs.
constexpr Duration kWatchEvery = std::chrono::seconds(10);
// A disk with less is as good as full: a deploy of a binary of a few MiB would fill it.
constexpr std::uint64_t kDiskFreeMin = 16 << 20;
// A look at the disk that takes longer than this is a fault of its own.
constexpr Duration kDiskAnswerWait = std::chrono::seconds(30);

struct DiskReading {
  bool writable = true;
  std::string error;  // it could not be asked; empty: it could
  std::uint64_t free_bytes = 0;
  std::uint64_t total_bytes = 0;
  std::uint64_t free_files = 0;   // inodes
  std::uint64_t total_files = 0;  // 0: the file system does not count them
};
DiskReading read_disk(const std::string& folder);
// What is wrong with it, for people; empty: nothing.
std::string fault_of(const DiskReading& disk, const std::string& folder);

// The same of the private Redis.
std::string fault_of(bindings::RedisServer::State redis);
inline constexpr const char* kWithoutRedis = "; functions that use it fail until it is back";

// Into the node's own log.
void log_condition(const api::Condition& condition);
void log_clock_step(Duration step);
void log_shutdown_delay(Duration delay);

class NodeWatch {
 public:
  struct Parts {
    Loop& loop;
    Health& health;
    std::string folder;
    std::function<std::int64_t()> unix_ns;
    std::function<void()> others;  // sets what only the node knows, at each look
    std::function<void(Duration step)> clock_was_set;
  };
  explicit NodeWatch(const Parts& parts);
  void start();
  void stop();

 private:
  void look();
  void disk_answered();

  const Parts parts_;
  Timer timer_;
  ClockWatch clock_;
  std::shared_ptr<DiskReading> reading_;  // the thread's until it has answered
  std::unique_ptr<Background> asking_;
  TimePoint asked_at_{};
};

}  // namespace subito::node

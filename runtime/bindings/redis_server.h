// RedisServer: the node's private redis-server, a child process on a Unix socket in the node's data
// folder. Starts it, tells when it can be used, starts it again when it dies, stops it.
//
// One per node, owned by it, on the loop's thread. Only start() blocks, for at most 4 s, and only
// when a dead node left its Redis behind. Callbacks run on the loop.
//
// Invariants
// - One Redis per data folder: the folder is locked (flock) while a RedisServer is started; what a
//   dead node left is ended first, known by pid and start time, so never a stranger.
// - It dies with the node: PDEATHSIG (child_process.h), then that sweep as the second line.
// - Nobody gets in without the password, which is random and only in the node's memory; Redis reads
//   its configuration from a pipe, so no file or command line has it. The default user is off.
// - What Redis acknowledged survives kill -9 of Redis and node, but for Fsync::kEverySecond.
#pragma once

#include <cstdint>
#include <functional>
#include <memory>
#include <optional>
#include <string>

#include "runtime/base/result.h"
#include "runtime/base/time.h"
#include "runtime/base/unique_fd.h"
#include "runtime/bindings/child_process.h"
#include "runtime/bindings/dialer.h"
#include "runtime/bindings/endpoint.h"
#include "runtime/bindings/redis_conversation.h"

namespace subito::bindings {

// What an acknowledged write survives, and what a write costs.
enum class Fsync {
  kAlways,       // kill -9 and a crash of the machine; costs an fsync (4 ms on a slow disk)
  kByKernel,     // kill -9, but a crash of the machine may lose some 30 s; costs nothing
  kEverySecond,  // neither for sure: while its background fsync runs, Redis acknowledges what it
                 // has not even written. After a quiet second 20 writes, then kill -9: 17 lost.
};

struct RedisServerConfig {
  std::string folder;  // absolute, DATA/redis; made with mode 0700 when it is not there
  std::string binary = "redis-server";
  Fsync fsync = Fsync::kAlways;
};

class RedisServer {
 public:
  enum class State { kStopped, kStarting, kReady, kBackingOff, kStopping };

  // From start to ready; loading a large append-only file takes its time.
  static constexpr Duration kReadyTimeout = std::chrono::seconds(60);
  // Asked whether it is ready this often.
  static constexpr Duration kProbeInterval = std::chrono::milliseconds(5);
  // Between death and next start: doubles from min to max, from min again once it was ready.
  static constexpr Duration kBackoffMin = std::chrono::milliseconds(50);
  static constexpr Duration kBackoffMax = std::chrono::seconds(5);
  // From SIGTERM to SIGKILL.
  static constexpr Duration kStopGrace = std::chrono::seconds(5);

  // Every change of state with its reason: for logs, and to know that users must be made again.
  using Observer = std::function<void(State state, const std::string& reason)>;

  RedisServer(Loop& loop, Dialer& dialer, RedisServerConfig config, Observer observer);
  ~RedisServer();  // kills it if it still runs; prefer stop()
  RedisServer(const RedisServer&) = delete;
  RedisServer& operator=(const RedisServer&) = delete;

  // Ends a stale one, then starts. An error: it could not even be spawned, or the folder is another
  // node's; nothing runs. Success: it is kStarting; `ready` is called once, when it is kReady or
  // has died before it ever was ("start redis-server: exited with status 1: <its last words>").
  Status start(std::function<void(Status)> ready);
  // `done` when it is gone. It writes and syncs its file first, within kStopGrace.
  void stop(std::function<void()> done);

  State state() const { return state_; }
  // Where and as whom the node connects.
  RedisEndpoint endpoint() const;
  pid_t pid() const { return child_.pid(); }
  std::uint32_t restarts() const { return restarts_; }

 private:
  void transition(State to, const std::string& reason);
  Status prepare_folder();
  Status end_stale() const;
  Status spawn();
  std::string configuration() const;
  void probe();
  void on_probe_connected(UniqueFd fd);
  void on_probe_reply(const std::vector<RedisReplyPtr>& replies);
  void stop_probing();
  void on_ended();
  void on_timer();
  void tell_ready(Status status);
  std::string path(const char* name) const { return config_.folder + "/" + name; }
  std::string last_words() const;

  Loop& loop_;
  Dialer& dialer_;
  const RedisServerConfig config_;
  const std::string password_;
  Observer observer_;
  State state_ = State::kStopped;
  std::function<void(Status)> ready_;
  std::function<void()> stopped_;
  UniqueFd lock_;
  std::int64_t log_bytes_before_ = 0;  // size of the log when this child was started
  Duration backoff_ = kBackoffMin;
  std::uint32_t restarts_ = 0;
  ChildProcess child_;
  std::optional<Poll> end_watch_;  // after child_: goes before its descriptor
  DialId probe_dial_;
  UniqueFd probe_fd_;
  std::optional<RedisConversation> probe_talk_;
  Timer probe_timer_;
  Timer timer_;  // ready deadline, backoff or stop grace, by state
};

std::string_view to_string(RedisServer::State state);  // "ready", "backing off"

}  // namespace subito::bindings

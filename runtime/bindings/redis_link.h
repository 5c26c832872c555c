// RedisLink: one connection of the node itself to Redis that stays: dialled again whenever it is
// lost, logged in as the administrator, with any number of commands under way, in order.
//
// Owned by whoever asks, on the loop's thread. Callbacks run on the loop, never inside a call here.
// A link that is lost answers each command under way with kUnavailable: it may have been done or
// not. What one turn of the loop asks leaves with one write. Destroying it forgets what is asked.
//
//   Away ──dialled──▶ LoggingIn ──AUTH──▶ Up
//     ▲                   │               │ closed, no reply in time, not RESP
//     └───────────────────┴───────────────┘ again after 50 ms, 100 ms, ... 2 s
#pragma once

#include <cstdint>
#include <deque>
#include <functional>
#include <memory>
#include <optional>
#include <string>

#include "runtime/bindings/dialer.h"
#include "runtime/bindings/endpoint.h"
#include "runtime/bindings/redis_conversation.h"
#include "runtime/loop/loop.h"

namespace subito::bindings {

class RedisLink {
 public:
  // Commands under way; beyond it kResourceExhausted at once.
  static constexpr std::size_t kAskedMax = 8192;
  // Without any reply for so long while some are awaited the connection counts as lost.
  static constexpr Duration kReplyTimeout = std::chrono::seconds(30);
  static constexpr Duration kRedialMin = std::chrono::milliseconds(50);
  static constexpr Duration kRedialMax = std::chrono::seconds(2);
  // A reply of more bytes loses the connection: ask for less.
  static constexpr std::size_t kReplyBytesMax = 64 << 20;

  // An error of Redis is a reply too.
  using Callback = std::function<void(Result<RedisReplyPtr>)>;
  struct Events {
    std::function<void()> up;
    std::function<void(const std::string& reason)> down;  // after the callbacks of what was asked
    std::function<void(const redisReply&)> pushed;        // what nobody asked for: of post()
    std::function<void()> pushed_all;                     // after those that were read in one go
  };

  // What is pushed waits in the socket for `push_gap` and is read in one go, so that many pushes
  // wake this process once.
  RedisLink(Loop& loop, Dialer& dialer, RedisEndpoint redis, Events events, Duration push_gap = {});
  ~RedisLink();
  RedisLink(const RedisLink&) = delete;
  RedisLink& operator=(const RedisLink&) = delete;

  bool up() const { return state_ == State::kUp; }
  const std::string& last_failure() const { return last_failure_; }  // why it is or was away
  void ask(RedisCommand command, Callback callback);
  // Its replies are pushed: SUBSCRIBE and its kin, on a link that asks nothing. Dropped while away.
  void post(const RedisCommand& command);

 private:
  enum class State : std::uint8_t { kAway, kLoggingIn, kUp };
  struct FreeReader {
    void operator()(redisReader* reader) const { redisReaderFree(reader); }
  };

  void transition(State to);
  void dial();
  void on_dialled(UniqueFd fd);
  void on_login(const Result<RedisReplyPtr>& reply);
  void enqueue(const RedisCommand& command, Callback callback);
  void flush();
  void watch();
  void begin_gap();
  void end_gap();
  void on_ready(int status, int events);
  void read_more();
  bool take_replies();
  void give(RedisReplyPtr reply);
  void lose(const std::string& reason);

  Loop& loop_;
  Dialer& dialer_;
  const RedisEndpoint redis_;
  const Events events_;
  const Duration push_gap_;
  State state_ = State::kAway;
  std::string last_failure_ = "it was not reached yet";
  Duration redial_ = kRedialMin;
  Timer redial_timer_;
  Timer reply_timer_;
  Timer gap_timer_;
  bool in_gap_ = false;
  TurnEnd flush_;
  DialId dial_;
  UniqueFd fd_;
  std::optional<Poll> poll_;  // after fd_: goes before it
  std::string out_;
  std::size_t unread_ = 0;  // bytes of a reply that is not whole
  std::unique_ptr<redisReader, FreeReader> reader_;
  std::deque<Callback> asked_;
};

}  // namespace subito::bindings

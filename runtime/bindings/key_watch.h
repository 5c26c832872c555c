// KeyWatch: tells that a stream or a sorted set of a Redis may have changed, without asking again
// and again: by keyspace notifications (https://redis.io/docs/manual/keyspace-notifications/) on a
// connection of its own. A Redis from outside that does not send them is its owner's to configure:
// there every key is told each second.
//
// Owned by the node, on the loop's thread; callbacks run on the loop, never inside a call. What
// changes while the connection is away is not told: each key is once it is back.
#pragma once

#include <functional>
#include <set>
#include <string>

#include "runtime/bindings/redis_link.h"

namespace subito::bindings {

constexpr Duration kPollInterval = std::chrono::seconds(1);
// So long after a first change what came meanwhile is told, each key once: what is written in one
// go is one piece of news, and none competes with its writer.
constexpr Duration kNewsGap = std::chrono::milliseconds(10);

class KeyWatch {
 public:
  using Callback = std::function<void(const std::string& key)>;

  KeyWatch(Loop& loop, Dialer& dialer, RedisEndpoint redis, Callback callback);

  // In place of those before.
  void set_keys(std::set<std::string> keys);
  // It has none: keys are told each second.
  bool polls() const { return mode_ == Mode::kPolls; }

 private:
  enum class Mode : std::uint8_t { kUnknown, kNotified, kPolls };

  void on_up();
  void on_settings(const Result<RedisReplyPtr>& reply);
  void on_pushed(const redisReply& reply);
  void tell(const std::set<std::string>& keys);
  void poll();

  const Callback callback_;
  Mode mode_ = Mode::kUnknown;  // of the Redis that is there
  std::set<std::string> keys_;
  std::set<std::string> changed_;  // not told yet
  Timer poll_timer_;
  RedisLink link_;
};

}  // namespace subito::bindings

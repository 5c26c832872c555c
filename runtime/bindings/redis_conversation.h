// RedisConversation: commands sent to a Redis and their replies read, once, on a connected socket
// that somebody else owns. hiredis does the format (its reader does no I/O), the loop the waiting.
//
// Lives on the loop's thread; belongs to whoever asks. Destroying it forgets the question. Nothing
// beyond the replies is ever read, so the socket can be handed on afterwards.
#pragma once

#include <hiredis/hiredis.h>

#include <functional>
#include <memory>
#include <optional>
#include <string>
#include <vector>

#include "runtime/base/result.h"
#include "runtime/base/time.h"
#include "runtime/loop/loop.h"

namespace subito::bindings {

using RedisCommand = std::vector<std::string>;

struct FreeRedisReply {
  void operator()(redisReply* reply) const { freeReplyObject(reply); }
};
using RedisReplyPtr = std::unique_ptr<redisReply, FreeRedisReply>;

// As Redis wants it on the wire.
std::string encode_command(const RedisCommand& command);
// "" unless the reply is an error.
std::string_view redis_error(const redisReply& reply);

class RedisConversation {
 public:
  // All replies may take together at most this much.
  static constexpr std::size_t kReplyBytesMax = 1 << 20;

  // One reply a command, errors of Redis among them; or what went wrong on the way:
  // kUnavailable (it closed), kDeadlineExceeded, kProtocol.
  using Callback = std::function<void(Result<std::vector<RedisReplyPtr>>)>;

  // The descriptor must stay open as long as this lives; it is non-blocking meanwhile.
  RedisConversation(Loop& loop, int fd, const std::vector<RedisCommand>& commands, Duration timeout,
                    Callback callback);
  RedisConversation(const RedisConversation&) = delete;
  RedisConversation& operator=(const RedisConversation&) = delete;

 private:
  enum class State { kSending, kReading, kDone };
  struct FreeReader {
    void operator()(redisReader* reader) const { redisReaderFree(reader); }
  };

  void transition(State to);
  void on_ready(int status);
  void send_more();
  void read_more();
  bool take_replies();  // false: the replies are not RESP
  void end(Result<std::vector<RedisReplyPtr>> result);

  const int fd_;
  const std::size_t replies_wanted_;
  Callback callback_;
  State state_ = State::kSending;
  std::string out_;
  std::size_t sent_ = 0;
  std::size_t received_ = 0;
  std::unique_ptr<redisReader, FreeReader> reader_;
  std::vector<RedisReplyPtr> replies_;
  Poll poll_;
  Timer deadline_;
};

}  // namespace subito::bindings

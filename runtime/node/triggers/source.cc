#include "runtime/node/triggers/source.h"

namespace subito::node {

bindings::RedisCommand script(const char* text, std::vector<std::string> keys,
                              std::vector<std::string> arguments) {
  bindings::RedisCommand command{"EVAL", text, std::to_string(keys.size())};
  std::move(keys.begin(), keys.end(), std::back_inserter(command));
  std::move(arguments.begin(), arguments.end(), std::back_inserter(command));
  return command;
}

std::string reply_text(const redisReply& reply) {
  if (reply.type == REDIS_REPLY_INTEGER) return std::to_string(reply.integer);
  if (reply.str == nullptr) return {};
  return {reply.str, static_cast<std::size_t>(reply.len)};
}

const redisReply& element(const redisReply& reply, std::size_t at) {
  static const redisReply kNil = [] {
    redisReply nil{};
    nil.type = REDIS_REPLY_NIL;
    return nil;
  }();
  if (reply.type != REDIS_REPLY_ARRAY || at >= reply.elements) return kNil;
  return *reply.element[at];
}

std::vector<std::pair<std::string, std::string>> pairs_of(const redisReply& reply) {
  std::vector<std::pair<std::string, std::string>> pairs;
  if (reply.type != REDIS_REPLY_ARRAY) return pairs;
  for (std::size_t i = 0; i + 1 < reply.elements; i += 2)
    pairs.emplace_back(reply_text(*reply.element[i]), reply_text(*reply.element[i + 1]));
  return pairs;
}

bindings::RedisLink::Callback tell_replayed(Source::Replayed done) {
  return [done = std::move(done)](const Result<bindings::RedisReplyPtr>& reply) {
    if (!reply) return done(reply.error());
    if (const auto error = bindings::redis_error(**reply); !error.empty())
      return done(Error{ErrorCode::kInternal, std::string(error), 0});
    done((*reply)->integer == 1);
  };
}

}  // namespace subito::node

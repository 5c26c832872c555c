#include "runtime/sdk/redis_client.h"

#include <fcntl.h>
#include <hiredis/sds.h>
#include <poll.h>

#include <algorithm>
#include <utility>

#include "runtime/sdk/include/subito/redis_script.h"

namespace subito {

RedisReply::RedisReply(redisReply* reply)
    : owner_(reply, [](redisReply* owned) { freeReplyObject(owned); }), reply_(reply) {}

bool RedisReply::is_nil() const {
  return reply_->type == REDIS_REPLY_NIL;
}
bool RedisReply::is_error() const {
  return reply_->type == REDIS_REPLY_ERROR;
}
bool RedisReply::is_string() const {
  return reply_->type == REDIS_REPLY_STRING || reply_->type == REDIS_REPLY_STATUS;
}
bool RedisReply::is_integer() const {
  return reply_->type == REDIS_REPLY_INTEGER;
}
bool RedisReply::is_array() const {
  return reply_->type == REDIS_REPLY_ARRAY;
}

std::int64_t RedisReply::integer() const {
  if (!is_integer()) throw RedisError("read reply of Redis: it is no integer");
  return reply_->integer;
}

std::string_view RedisReply::text() const {
  if (!is_string() && !is_error()) throw RedisError("read reply of Redis: it is no string");
  return {reply_->str, reply_->len};
}

std::size_t RedisReply::size() const {
  return is_array() ? reply_->elements : 0;
}

RedisReply RedisReply::operator[](std::size_t i) const {
  if (i >= size()) throw std::out_of_range("read reply of Redis: no element " + std::to_string(i));
  RedisReply element = *this;
  element.reply_ = reply_->element[i];
  return element;
}

RedisReply Redis::eval(const RedisScript& script, const std::vector<std::string>& keys,
                       const std::vector<std::string>& arguments) {
  std::vector<std::string> words;
  words.reserve(3 + keys.size() + arguments.size());
  words.insert(words.end(), {"EVALSHA", std::string(script.sha1()), std::to_string(keys.size())});
  words.insert(words.end(), keys.begin(), keys.end());
  words.insert(words.end(), arguments.begin(), arguments.end());
  try {
    return command(words);
  } catch (const RedisError& error) {
    // Redis forgets its scripts when it starts anew.
    if (!std::string_view(error.what()).starts_with("NOSCRIPT")) throw;
  }
  words[0] = "EVAL";
  words[1] = script.text();
  return command(words);
}

namespace sdk {

RedisConnection RedisPool::take(std::string_view binding) {
  const std::lock_guard lock(mutex_);
  const auto at = std::find_if(idle_.rbegin(), idle_.rend(),
                               [binding](const auto& idle) { return idle.first == binding; });
  if (at == idle_.rend()) return nullptr;
  RedisConnection connection = std::move(at->second);
  idle_.erase(std::next(at).base());
  return connection;
}

void RedisPool::give(std::string_view binding, RedisConnection connection) {
  const std::lock_guard lock(mutex_);
  idle_.emplace_back(binding, std::move(connection));
}

RedisClient::RedisClient(std::string binding, std::string prefix, RedisPool& pool, Dial dial,
                         Waiter& waiter, RedisSpans* spans)
    : Redis(std::move(prefix)),
      binding_(std::move(binding)),
      pool_(pool),
      dial_(std::move(dial)),
      waiter_(waiter),
      spans_(spans) {}

RedisClient::~RedisClient() {
  if (connection_) pool_.give(binding_, std::move(connection_));
}

void RedisClient::connect() {
  while ((connection_ = pool_.take(binding_))) {
    // Idle, it has nothing to say: if it can be read, it was closed or is out of step.
    pollfd readable = {connection_->fd, POLLIN, 0};
    if (::poll(&readable, 1, 0) == 0) return;
  }
  UniqueFd fd = dial_();
  // Non-blocking, so that every wait goes through the Waiter and is bounded by it.
  ::fcntl(fd.get(), F_SETFL, ::fcntl(fd.get(), F_GETFL) | O_NONBLOCK);
  connection_.reset(redisConnectFd(fd.get()));
  if (!connection_) throw RedisError("connect " + binding_ + ": out of memory");
  static_cast<void>(fd.release());
  connection_->flags &= ~REDIS_BLOCK;
}

void RedisClient::append(const std::vector<std::string>& arguments) {
  std::vector<const char*> texts;
  std::vector<std::size_t> sizes;
  texts.reserve(arguments.size());
  sizes.reserve(arguments.size());
  for (const auto& argument : arguments) {
    texts.push_back(argument.data());
    sizes.push_back(argument.size());
  }
  const int count = static_cast<int>(arguments.size());
  if (redisAppendCommandArgv(connection_.get(), count, texts.data(), sizes.data()) != REDIS_OK) {
    fail_connection();
  }
}

bool RedisClient::send() {
  const std::size_t all = sdslen(connection_->obuf);
  for (int done = 0; done == 0;) {
    if (redisBufferWrite(connection_.get(), &done) != REDIS_OK) {
      if (sdslen(connection_->obuf) == all) return false;
      fail_connection();
    }
    if (done == 0) waiter_.wait_for(connection_->fd, POLLOUT);
  }
  return true;
}

RedisReply RedisClient::read_reply() {
  void* reply = nullptr;
  for (;;) {
    if (redisGetReplyFromReader(connection_.get(), &reply) != REDIS_OK) fail_connection();
    if (reply != nullptr) return RedisReply(static_cast<redisReply*>(reply));
    waiter_.wait_for(connection_->fd, POLLIN);
    if (redisBufferRead(connection_.get()) != REDIS_OK) fail_connection();
  }
}

void RedisClient::fail_connection() {
  const std::string reason = connection_->errstr;
  connection_.reset();
  throw RedisError("ask Redis " + binding_ + ": " + reason);
}

std::vector<RedisReply> RedisClient::ask(std::span<const std::vector<std::string>> commands) {
  std::vector<RedisReply> replies;
  if (commands.empty()) return replies;
  RedisSpans::Batch batch(spans_, binding_, commands);
  try {
    for (int attempt = 0;; ++attempt) {
      if (!connection_) connect();
      for (const auto& arguments : commands) append(arguments);
      if (send()) break;
      if (attempt != 0) fail_connection();
      connection_.reset();
    }
    bool failed = false;
    for (std::size_t i = 0; i < commands.size(); ++i) {
      replies.push_back(read_reply());
      failed = failed || replies.back().is_error();
    }
    if (!failed) batch.succeeded();
  } catch (const Cancelled&) {
    connection_.reset();  // replies are still on their way: it is out of step
    throw;
  }
  return replies;
}

std::vector<RedisReply> RedisClient::pipeline(
    const std::vector<std::vector<std::string>>& commands) {
  return ask(commands);
}

RedisReply RedisClient::command(const std::vector<std::string>& arguments) {
  RedisReply reply = ask({&arguments, 1}).front();
  if (reply.is_error()) throw RedisError(std::string(reply.text()));
  return reply;
}

}  // namespace sdk
}  // namespace subito

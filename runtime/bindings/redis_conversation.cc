#include "runtime/bindings/redis_conversation.h"

#include <sys/socket.h>

#include <array>
#include <utility>

#include "runtime/base/check.h"

namespace subito::bindings {

std::string encode_command(const RedisCommand& command) {
  std::vector<const char*> arguments;
  std::vector<std::size_t> sizes;
  for (const std::string& argument : command) {
    arguments.push_back(argument.data());
    sizes.push_back(argument.size());
  }
  char* text = nullptr;
  const auto size = redisFormatCommandArgv(&text, static_cast<int>(arguments.size()),
                                           arguments.data(), sizes.data());
  CHECK(size > 0);  // only lack of memory
  std::string out(text, static_cast<std::size_t>(size));
  redisFreeCommand(text);
  return out;
}

std::string_view redis_error(const redisReply& reply) {
  if (reply.type != REDIS_REPLY_ERROR) return {};
  return {reply.str, static_cast<std::size_t>(reply.len)};
}

RedisConversation::RedisConversation(Loop& loop, int fd, const std::vector<RedisCommand>& commands,
                                     Duration timeout, Callback callback)
    : fd_(fd),
      replies_wanted_(commands.size()),
      callback_(std::move(callback)),
      reader_(redisReaderCreate()),
      poll_(loop, fd, [this](int status, int) { on_ready(status); }),
      deadline_(loop, [this] { end(fail(ErrorCode::kDeadlineExceeded, "no reply in time")); }) {
  CHECK(replies_wanted_ > 0);
  for (const RedisCommand& command : commands) out_ += encode_command(command);
  poll_.start(UV_WRITABLE);
  deadline_.start(timeout);
}

void RedisConversation::transition(State to) {
  CHECK((state_ == State::kSending && to != State::kSending) ||
        (state_ == State::kReading && to == State::kDone));
  state_ = to;
}

void RedisConversation::on_ready(int status) {
  if (status < 0) return end(errno_error("wait for socket", -status));
  if (state_ == State::kSending) return send_more();
  read_more();
}

void RedisConversation::send_more() {
  const ssize_t n = send(fd_, out_.data() + sent_, out_.size() - sent_, MSG_NOSIGNAL);
  if (n < 0) {
    if (errno == EAGAIN || errno == EINTR) return;
    return end(errno_error("send command"));
  }
  sent_ += static_cast<std::size_t>(n);
  if (sent_ < out_.size()) return;
  transition(State::kReading);
  poll_.start(UV_READABLE);
}

void RedisConversation::read_more() {
  std::array<char, 4096> buffer;
  const ssize_t n = recv(fd_, buffer.data(), buffer.size(), 0);
  if (n < 0) {
    if (errno == EAGAIN || errno == EINTR) return;
    return end(errno_error("read reply"));
  }
  if (n == 0) return end(fail(ErrorCode::kUnavailable, "it closed the connection"));
  received_ += static_cast<std::size_t>(n);
  if (received_ > kReplyBytesMax) return end(fail(ErrorCode::kProtocol, "reply over 1 MiB"));
  redisReaderFeed(reader_.get(), buffer.data(), static_cast<std::size_t>(n));
  if (!take_replies()) return end(fail(ErrorCode::kProtocol, "it does not speak Redis"));
  if (replies_.size() == replies_wanted_) end(std::move(replies_));
}

bool RedisConversation::take_replies() {
  while (replies_.size() < replies_wanted_) {
    void* reply = nullptr;
    if (redisReaderGetReply(reader_.get(), &reply) != REDIS_OK) return false;
    if (reply == nullptr) return true;
    replies_.emplace_back(static_cast<redisReply*>(reply));
  }
  return true;
}

void RedisConversation::end(Result<std::vector<RedisReplyPtr>> result) {
  transition(State::kDone);
  poll_.stop();
  deadline_.stop();
  // The callback may destroy this.
  const Callback callback = std::move(callback_);
  callback(std::move(result));
}

}  // namespace subito::bindings

#include "runtime/bindings/redis_link.h"

#include <sys/socket.h>

#include <algorithm>
#include <array>
#include <utility>

#include "runtime/base/check.h"

namespace subito::bindings {

RedisLink::RedisLink(Loop& loop, Dialer& dialer, RedisEndpoint redis, Events events,
                     Duration push_gap)
    : loop_(loop),
      dialer_(dialer),
      redis_(std::move(redis)),
      events_(std::move(events)),
      push_gap_(push_gap),
      redial_timer_(loop, [this] { dial(); }),
      reply_timer_(loop, [this] { lose("no reply in time"); }),
      gap_timer_(loop, [this] { end_gap(); }),
      flush_(loop, [this] { flush(); }) {
  dial();
}

RedisLink::~RedisLink() {
  if (dial_) dialer_.cancel(dial_);
}

void RedisLink::transition(State to) {
  CHECK(to == State::kAway || static_cast<int>(to) == static_cast<int>(state_) + 1);
  state_ = to;
}

void RedisLink::dial() {
  dial_ = dialer_.dial({"redis", redis_.endpoint}, kDialTimeout, [this](Result<UniqueFd> fd) {
    dial_ = {};
    if (!fd) return lose(fd.error().message);
    on_dialled(*std::move(fd));
  });
}

void RedisLink::on_dialled(UniqueFd fd) {
  fd_ = std::move(fd);
  reader_.reset(redisReaderCreate());
  unread_ = 0;
  poll_.emplace(loop_, fd_.get(), [this](int status, int events) { on_ready(status, events); });
  watch();
  transition(State::kLoggingIn);
  // On its own: Redis hangs up on who sends long commands before it knows him.
  RedisCommand login{"PING"};
  if (!redis_.password.empty())
    login = {"AUTH", redis_.user.empty() ? "default" : redis_.user, redis_.password};
  enqueue(login, [this](const Result<RedisReplyPtr>& reply) { on_login(reply); });
}

void RedisLink::on_login(const Result<RedisReplyPtr>& reply) {
  if (!reply) return;  // lost: told already
  if (const auto error = redis_error(**reply); !error.empty())
    return lose("log in as administrator: " + std::string(error));
  transition(State::kUp);
  redial_ = kRedialMin;
  if (events_.up) events_.up();
}

void RedisLink::ask(RedisCommand command, Callback callback) {
  const bool full = asked_.size() >= kAskedMax;
  if (state_ == State::kUp && !full) return enqueue(command, std::move(callback));
  const Error error =
      full ? Error{ErrorCode::kResourceExhausted, "ask redis: too many commands under way", 0}
           : Error{ErrorCode::kUnavailable, "ask redis: " + last_failure_, 0};
  loop_.defer([callback = std::move(callback), error] { callback(error); });
}

void RedisLink::post(const RedisCommand& command) {
  if (state_ != State::kUp) return;
  out_ += encode_command(command);
  flush_.schedule();
}

void RedisLink::enqueue(const RedisCommand& command, Callback callback) {
  out_ += encode_command(command);
  if (asked_.empty()) reply_timer_.start(kReplyTimeout);
  asked_.push_back(std::move(callback));
  flush_.schedule();
}

void RedisLink::flush() {
  if (!fd_.valid() || out_.empty()) return;
  const ssize_t n = send(fd_.get(), out_.data(), out_.size(), MSG_NOSIGNAL | MSG_DONTWAIT);
  if (n < 0 && errno != EAGAIN && errno != EINTR) return lose(errno_error("send").message);
  if (n > 0) out_.erase(0, static_cast<std::size_t>(n));
  watch();
}

void RedisLink::watch() {
  const int events = (in_gap_ ? 0 : UV_READABLE) | (out_.empty() ? 0 : UV_WRITABLE);
  if (events == 0) return poll_->stop();
  poll_->start(events);
}

void RedisLink::begin_gap() {
  in_gap_ = true;
  gap_timer_.start(push_gap_);
  watch();
}

void RedisLink::end_gap() {
  in_gap_ = false;
  watch();
  read_more();
}

void RedisLink::on_ready(int status, int events) {
  if (status < 0) return lose(errno_error("wait for socket", -status).message);
  if ((events & UV_WRITABLE) != 0) flush();
  if ((events & UV_READABLE) == 0 || !fd_.valid() || in_gap_) return;
  const bool pushed = state_ == State::kUp && asked_.empty();
  if (pushed && push_gap_ > Duration::zero()) return begin_gap();
  read_more();
}

void RedisLink::read_more() {
  std::array<char, 64 << 10> buffer;
  const ssize_t n = recv(fd_.get(), buffer.data(), buffer.size(), MSG_DONTWAIT);
  if (n < 0) {
    if (errno == EAGAIN || errno == EINTR) return;
    return lose(errno_error("read reply").message);
  }
  if (n == 0) return lose("it closed the connection");
  unread_ += static_cast<std::size_t>(n);
  redisReaderFeed(reader_.get(), buffer.data(), static_cast<std::size_t>(n));
  if (!take_replies()) return lose("it does not speak Redis");
  if (unread_ > kReplyBytesMax) return lose("a reply over 64 MiB");
  if (events_.pushed_all) events_.pushed_all();
}

// A callback may ask more; only lose() takes the reader away.
bool RedisLink::take_replies() {
  while (reader_) {
    void* reply = nullptr;
    if (redisReaderGetReply(reader_.get(), &reply) != REDIS_OK) return false;
    if (reply == nullptr) return true;
    unread_ = 0;
    give(RedisReplyPtr(static_cast<redisReply*>(reply)));
  }
  return true;
}

void RedisLink::give(RedisReplyPtr reply) {
  if (asked_.empty()) {
    if (events_.pushed) events_.pushed(*reply);
    return;
  }
  const Callback callback = std::move(asked_.front());
  asked_.pop_front();
  if (asked_.empty())
    reply_timer_.stop();
  else
    reply_timer_.start(kReplyTimeout);
  callback(std::move(reply));
}

void RedisLink::lose(const std::string& reason) {
  const bool was_up = state_ == State::kUp;
  last_failure_ = reason;
  transition(State::kAway);
  reply_timer_.stop();
  gap_timer_.stop();
  in_gap_ = false;
  poll_.reset();
  fd_.reset();
  reader_.reset();
  out_.clear();
  redial_timer_.start(redial_);
  redial_ = std::min(redial_ * 2, kRedialMax);
  for (const Callback& callback : std::exchange(asked_, {}))
    callback(Error{ErrorCode::kUnavailable, "ask redis: " + reason, 0});
  if (was_up && events_.down) events_.down(reason);
}

}  // namespace subito::bindings

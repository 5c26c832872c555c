#include "runtime/bindings/redis_dialer.h"

#include <algorithm>
#include <optional>
#include <string_view>
#include <utility>
#include <vector>

#include "runtime/base/check.h"

namespace subito::bindings {
namespace {

using Replies = std::vector<RedisReplyPtr>;

// ACL GETUSER answers name, value, name, value...: is "nopass" among the flags of a user that is
// on?
bool needs_no_password(const redisReply& user) {
  if (user.type != REDIS_REPLY_ARRAY) return false;
  for (std::size_t i = 0; i + 1 < user.elements; i += 2) {
    const redisReply& name = *user.element[i];
    const redisReply& flags = *user.element[i + 1];
    if (name.type != REDIS_REPLY_STRING || flags.type != REDIS_REPLY_ARRAY) continue;
    if (std::string_view(name.str) != "flags") continue;
    const auto has = [&](std::string_view flag) {
      return std::any_of(flags.element, flags.element + flags.elements, [&](const redisReply* f) {
        return f->str != nullptr && std::string_view(f->str) == flag;
      });
    };
    return has("on") && has("nopass");
  }
  return false;
}

}  // namespace

// One connection being made. Every outcome goes through RedisDialer::finish(), which may destroy
// this: the last thing its caller does.
class RedisDialer::Connect {
 public:
  Connect(RedisDialer& dialer, RedisConnectId id, std::string function, std::string key_prefix,
          Duration timeout, Callback callback)
      : dialer_(dialer),
        id_(id),
        function_(std::move(function)),
        key_prefix_(std::move(key_prefix)),
        deadline_(dialer.loop_.now() + timeout),
        callback_(std::move(callback)) {
    dial_ = dialer_.dialer_.dial({"redis", dialer_.config_.redis.endpoint, function_}, timeout,
                                 [this](Result<UniqueFd> fd) {
                                   dial_ = {};
                                   if (!fd) return end(std::move(fd).error());
                                   fd_ = *std::move(fd);
                                   log_in();
                                 });
  }

  ~Connect() {
    if (dial_) dialer_.dialer_.cancel(dial_);
  }

  Callback take_callback() { return std::move(callback_); }

 private:
  enum class State { kDialling, kLoggingIn, kMakingUser, kDone };

  void transition(State to) {
    CHECK(state_ < to);  // forwards only; any step may be skipped
    state_ = to;
  }

  void log_in() {
    const auto user = dialer_.users_.of(function_, key_prefix_);
    if (!user) return end(user.error());
    if (!(*user)->made) return become_administrator();
    transition(State::kLoggingIn);
    ask({(*user)->login()}, [this](const Replies& replies) { on_login(*replies.front()); });
  }

  void on_login(const redisReply& reply) {
    const std::string_view error = redis_error(reply);
    if (error.empty()) return hand_over();
    // Redis was restarted and has lost its users. Make ours again, once.
    const auto user = dialer_.users_.of(function_, key_prefix_);
    if (!user || !error.starts_with("WRONGPASS")) return refuse("log in", error);
    (*user)->made = false;
    become_administrator();
  }

  void become_administrator() {
    transition(State::kMakingUser);
    const RedisEndpoint& redis = dialer_.config_.redis;
    if (redis.password.empty()) return make_user();
    // On its own: Redis hangs up on who sends long commands before it knows him.
    const std::string user = redis.user.empty() ? "default" : redis.user;
    ask({{"AUTH", user, redis.password}}, [this](const Replies& replies) {
      const std::string_view error = redis_error(*replies.front());
      if (!error.empty()) return refuse("log in as administrator", error);
      make_user();
    });
  }

  void make_user() {
    const auto user = dialer_.users_.of(function_, key_prefix_);
    if (!user) return end(user.error());
    ask({{"ACL", "GETUSER", "default"}, (*user)->make(), (*user)->login()},
        [this](const Replies& replies) { on_user_made(replies); });
  }

  void on_user_made(const Replies& replies) {
    for (std::size_t i = 1; i < replies.size(); ++i) {
      if (const auto error = redis_error(*replies[i]); !error.empty()) {
        return refuse("make user of " + function_, error);
      }
    }
    if (needs_no_password(*replies.front())) {
      return end(fail(ErrorCode::kFailedPrecondition,
                      doing() + ": its default user needs no password, so any function could "
                                "become it; set one (requirepass) and give it with the address"));
    }
    if (RedisUser* user = dialer_.users_.find(function_, key_prefix_)) user->made = true;
    hand_over();
  }

  template <typename OnReplies>
  void ask(std::vector<RedisCommand> commands, OnReplies on_replies) {
    const Duration left = std::max(deadline_ - dialer_.loop_.now(), Duration::zero());
    talk_.emplace(dialer_.loop_, fd_.get(), std::move(commands), left,
                  [this, on_replies](Result<Replies> replies) {
                    talk_.reset();
                    if (!replies) return end(std::move(replies.error()).annotate(doing()));
                    on_replies(*replies);
                  });
  }

  void refuse(std::string_view step, std::string_view error) {
    // LOADING passes by itself; anything else a person must look at.
    const bool loading = error.starts_with("LOADING");
    std::string message = doing() + ": ";
    message.append(step).append(": ").append(error);
    end(fail(loading ? ErrorCode::kUnavailable : ErrorCode::kPermissionDenied, std::move(message)));
  }

  void hand_over() {
    // The loop's watch has made it non-blocking.
    if (auto blocking = make_blocking(fd_.get()); !blocking) return end(blocking.error());
    end(std::move(fd_));
  }

  std::string doing() const { return "connect redis at " + dialer_.config_.redis.endpoint.text(); }

  void end(Result<UniqueFd>&& result) {
    transition(State::kDone);
    dialer_.finish(id_, std::move(result));
  }

  RedisDialer& dialer_;
  const RedisConnectId id_;
  const std::string function_;
  const std::string key_prefix_;
  const TimePoint deadline_;
  Callback callback_;
  State state_ = State::kDialling;
  DialId dial_;
  UniqueFd fd_;
  std::optional<RedisConversation> talk_;  // after fd_: goes before it
};

RedisDialer::RedisDialer(Loop& loop, Dialer& dialer, RedisDialerConfig config)
    : loop_(loop), dialer_(dialer), config_(std::move(config)) {}
RedisDialer::~RedisDialer() = default;

RedisConnectId RedisDialer::connect(const std::string& function, const std::string& key_prefix,
                                    Duration timeout, Callback callback) {
  const RedisConnectId id = ids_.next();
  connects_.emplace(
      id, std::make_unique<Connect>(*this, id, function, key_prefix, timeout, std::move(callback)));
  return id;
}

void RedisDialer::cancel(RedisConnectId id) {
  connects_.erase(id);
}

void RedisDialer::finish(RedisConnectId id, Result<UniqueFd>&& result) {
  const auto node = connects_.extract(id);  // alive until the callback is through
  CHECK(!node.empty());
  const Callback callback = node.mapped()->take_callback();
  callback(std::move(result));
}

}  // namespace subito::bindings

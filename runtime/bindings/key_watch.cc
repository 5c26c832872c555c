#include "runtime/bindings/key_watch.h"

#include <string_view>
#include <utility>

namespace subito::bindings {
namespace {

constexpr std::string_view kChannel = "__keyspace@0__:";

// Does "AKE" or "Ktz" tell of streams and sorted sets by key?
bool tells_changes(std::string_view flags) {
  const auto has = [&](char flag) { return flags.find(flag) != flags.npos; };
  return has('K') && (has('A') || (has('t') && has('z')));
}

}  // namespace

KeyWatch::KeyWatch(Loop& loop, Dialer& dialer, RedisEndpoint redis, Callback callback)
    : callback_(std::move(callback)),
      poll_timer_(loop, [this] { poll(); }),
      link_(loop, dialer, std::move(redis),
            {[this] { on_up(); },
             [this](const std::string&) {
               mode_ = Mode::kUnknown;
               poll_timer_.stop();
             },
             [this](const redisReply& reply) { on_pushed(reply); },
             [this] { tell(std::exchange(changed_, {})); }},
            kNewsGap) {}

void KeyWatch::set_keys(std::set<std::string> keys) {
  if (mode_ == Mode::kNotified) {
    for (const std::string& key : keys_) {
      if (!keys.contains(key)) link_.post({"UNSUBSCRIBE", std::string(kChannel) + key});
    }
    for (const std::string& key : keys) {
      if (!keys_.contains(key)) link_.post({"SUBSCRIBE", std::string(kChannel) + key});
    }
  }
  keys_ = std::move(keys);
}

void KeyWatch::on_up() {
  link_.ask({"CONFIG", "GET", "notify-keyspace-events"},
            [this](const Result<RedisReplyPtr>& reply) { on_settings(reply); });
}

void KeyWatch::on_settings(const Result<RedisReplyPtr>& reply) {
  if (!reply) return;
  const redisReply& settings = **reply;
  const bool told = settings.type == REDIS_REPLY_ARRAY && settings.elements == 2 &&
                    settings.element[1]->str != nullptr && tells_changes(settings.element[1]->str);
  mode_ = told ? Mode::kNotified : Mode::kPolls;
  if (!told) return poll();
  for (const std::string& key : keys_) link_.post({"SUBSCRIBE", std::string(kChannel) + key});
}

// "message", channel, event; and "subscribe", channel, count, from which on nothing is missed.
void KeyWatch::on_pushed(const redisReply& reply) {
  if (reply.type != REDIS_REPLY_ARRAY || reply.elements != 3) return;
  const auto text = [&](std::size_t i) {
    const redisReply& one = *reply.element[i];
    return one.str == nullptr ? std::string_view()
                              : std::string_view(one.str, static_cast<std::size_t>(one.len));
  };
  if (text(0) != "message" && text(0) != "subscribe") return;
  if (text(1).substr(0, kChannel.size()) != kChannel) return;
  changed_.emplace(text(1).substr(kChannel.size()));
}

void KeyWatch::tell(const std::set<std::string>& keys) {
  for (const std::string& key : keys) callback_(key);
}

void KeyWatch::poll() {
  poll_timer_.start(kPollInterval);
  tell(std::set(keys_));
}

}  // namespace subito::bindings

#include "runtime/sdk/listen_triggers.h"

#include <poll.h>
#include <sys/eventfd.h>
#include <unistd.h>

#include <climits>
#include <cstdio>
#include <map>
#include <optional>
#include <string>
#include <utility>

#include "runtime/base/check.h"
#include "runtime/sdk/crash.h"
#include "runtime/sdk/listen_local.h"
#include "runtime/sdk/logger.h"

namespace subito::sdk {
namespace {

// How often due work is looked for, and after a failure anything is tried again.
constexpr int kPauseMs = 1000;
constexpr int kBlockMs = 5000;            // XREADGROUP waits so long for an entry
constexpr int kRedisPatienceMs = 30'000;  // beyond it Redis counts as away
constexpr auto kTakeOverEvery = std::chrono::seconds(30);
constexpr auto kTakeOverSlack = std::chrono::seconds(30);
constexpr std::size_t kDueAtOnce = 64;
constexpr std::size_t kTriesMax = 10'000;  // that are counted; beyond it counts begin anew
constexpr const char* kRedisBinding = "triggers";

// KEYS due; ARGV offset count -> {member, score, ...}
constexpr char kDueLookScript[] = R"(
local time = redis.call('TIME')
local now = string.format('%.0f', time[1] * 1000 + math.floor(time[2] / 1000))
return redis.call('ZRANGE', KEYS[1], '-inf', now, 'BYSCORE', 'LIMIT', ARGV[1], ARGV[2],
                  'WITHSCORES')
)";

// KEYS due; ARGV member score. One that was put there anew for later stays.
constexpr char kDueDoneScript[] = R"(
if redis.call('ZSCORE', KEYS[1], ARGV[1]) == ARGV[2] then redis.call('ZREM', KEYS[1], ARGV[1]) end
return 1
)";

Delivery delivery_of(const RedisReply& entry) {
  Delivery delivery;
  delivery.id = entry[0].text();
  const RedisReply fields = entry[1];
  for (std::size_t f = 0; f + 1 < fields.size(); f += 2) {
    delivery.fields.emplace_back(fields[f].text(), fields[f + 1].text());
  }
  return delivery;
}

// The name by which a group knows this process, also when it starts again.
std::string consumer_at(const std::string& address) {
  char host[HOST_NAME_MAX + 1] = {};
  static_cast<void>(::gethostname(host, sizeof host - 1) < 0);
  return "listen " + std::string(host) + " " + address;
}

}  // namespace

// One trigger, on its own thread.
class ListenTriggers::Reader final : public Waiter {
 public:
  Reader(ListenTriggers& owner, ListenTrigger trigger, Endpoint endpoint)
      : owner_(owner),
        trigger_(std::move(trigger)),
        target_(owner.service_.find(trigger_.path)),
        group_(target_.function.name + ":" + trigger_.name),
        redis_(
            kRedisBinding, "", owner.pool_,
            [this, endpoint = std::move(endpoint)] {
              return dial_redis(kRedisBinding, endpoint, *this);
            },
            *this) {}

  void work() {
    while (!stopped(0)) {
      try {
        trigger_.kind == ListenTrigger::Kind::kDue ? look_for_due() : look_for_entry();
        said_.clear();
      } catch (const std::exception& error) {
        prepared_ = false;
        if (stopped(0)) return;
        complain(error.what());
        stopped(kPauseMs);
      }
    }
  }

  void wait_for(int fd, short events) override {
    pollfd watched[] = {{fd, events, 0}, {owner_.stop_.get(), POLLIN, 0}};
    const int ready = ::poll(watched, 2, kRedisPatienceMs);
    if (watched[1].revents != 0) throw Cancelled("it ends");
    if (ready == 0) throw Cancelled("Redis does not answer");
  }

 private:
  // Waits so long; true: it is over.
  bool stopped(int milliseconds) const {
    pollfd watched = {owner_.stop_.get(), POLLIN, 0};
    return ::poll(&watched, 1, milliseconds) > 0;
  }

  struct Tries {
    std::uint64_t count = 0;
    int status = 0;           // of the last one; 0: none yet, or its answer broke off
    std::uint64_t round = 0;  // the last one's
  };

  void warn(const std::string& reason) const {
    const std::string line = as_json_line(2, "trigger " + trigger_.name + ": " + reason, {}, {});
    static_cast<void>(::write(STDERR_FILENO, line.data(), line.size()) < 0);
  }

  // Once, however often it happens in a row.
  void complain(const std::string& reason) {
    if (reason == said_) return;
    said_ = reason;
    warn(reason);
  }

  void make_group() {
    try {
      redis_.command({"XGROUP", "CREATE", trigger_.key, group_, "0", "MKSTREAM"});
    } catch (const RedisError& error) {
      if (std::string_view(error.what()).find("BUSYGROUP") == std::string_view::npos) throw;
    }
    prepared_ = true;
    held_ = true;
    take_over_at_ = {};
  }

  // What somebody who died had taken, one at a time. True: it is ours now.
  bool take_over() {
    const auto now = std::chrono::steady_clock::now();
    if (now < take_over_at_) return false;
    const auto idle = std::chrono::milliseconds(owner_.timeout_ + kTakeOverSlack).count();
    std::string from = "0-0";
    do {
      const RedisReply reply = redis_.command({"XAUTOCLAIM", trigger_.key, group_, owner_.consumer_,
                                               std::to_string(idle), from, "COUNT", "1", "JUSTID"});
      if (reply[1].size() != 0) return true;
      from = reply[0].text();
    } while (from != "0-0");
    take_over_at_ = now + kTakeOverEvery;
    return false;
  }

  // The first entry that is taken and not acknowledged, else the next one that nobody has taken.
  // To read it once more tells the others that it is not left lying: it counts as taken anew.
  std::optional<Delivery> take() {
    std::vector<std::string> words = {"XREADGROUP",     "GROUP", group_,
                                      owner_.consumer_, "COUNT", "1"};
    if (!held_) words.insert(words.end(), {"BLOCK", std::to_string(kBlockMs)});
    words.insert(words.end(), {"STREAMS", trigger_.key, held_ ? "0" : ">"});
    const RedisReply reply = redis_.command(words);
    if (reply.is_nil() || reply[0][1].size() == 0) {
      held_ = false;
      return std::nullopt;
    }
    return delivery_of(reply[0][1][0]);
  }

  void look_for_entry() {
    if (!prepared_) make_group();
    if (!held_) held_ = take_over();
    const bool again = held_;
    const std::optional<Delivery> entry = take();
    if (!entry) return;
    const bool trimmed = again && entry->fields.empty();
    if (!trimmed && !deliver(*entry)) {
      held_ = true;
      stopped(kPauseMs);
      return;
    }
    redis_.command({"XACK", trigger_.key, group_, entry->id});
  }

  // A round passes by what fails, so that it holds up nothing behind it, and ends with a pause.
  void look_for_due() {
    const RedisReply due = redis_.command({"EVAL", kDueLookScript, "1", trigger_.key,
                                           std::to_string(passed_by_), std::to_string(kDueAtOnce)});
    for (std::size_t i = 0; i + 1 < due.size() && !stopped(0); i += 2) {
      const std::string member(due[i].text());
      const std::string score(due[i + 1].text());
      Delivery delivery{member, {}};
      delivery.id.append("@").append(score);
      if (deliver(delivery)) {
        redis_.command({"EVAL", kDueDoneScript, "1", trigger_.key, member, score});
      } else {
        ++passed_by_;
      }
    }
    if (due.size() >= 2 * kDueAtOnce) return;
    passed_by_ = 0;
    std::erase_if(tries_, [this](const auto& one) { return one.second.round != round_; });
    ++round_;
    stopped(kPauseMs);
  }

  // Whether it is answered 2xx. That it is not is said once, until it is answered otherwise.
  bool deliver(const Delivery& delivery) {
    const std::lock_guard slot(owner_.slots_);
    if (stopped(0)) return false;
    if (tries_.size() >= kTriesMax) tries_.clear();
    Tries& tries = tries_[delivery.id];
    tries.round = round_;
    const auto deadline = std::chrono::steady_clock::now() + owner_.timeout_;
    LocalRun run(owner_.service_, target_.function, {new_request_id(), {}}, deadline, nullptr);
    int status = 0;
    try {
      status = run.run(request_of(trigger_, delivery, target_.path, ++tries.count)).status();
    } catch (const CallError&) {  // a body that broke off
    }
    if (status >= 200 && status < 300) {
      tries_.erase(delivery.id);
      return true;
    }
    if (tries.count == 1 || status != tries.status) {
      warn("delivery of " + delivery.id + " is answered " + std::to_string(status));
    }
    tries.status = status;
    return false;
  }

  ListenTriggers& owner_;
  const ListenTrigger trigger_;
  const ListenService::Target target_;
  const std::string group_;
  RedisClient redis_;
  bool prepared_ = false;
  bool held_ = false;  // there may be an entry that is taken and not acknowledged
  std::chrono::steady_clock::time_point take_over_at_{};
  std::size_t passed_by_ = 0;           // due work that failed in this round
  std::uint64_t round_ = 0;             // of due work
  std::map<std::string, Tries> tries_;  // of what fails, by the id of its delivery
  std::string said_;
};

ListenTriggers::ListenTriggers(ListenService& service, HandlerSlots& slots,
                               std::chrono::seconds timeout)
    : service_(service), slots_(slots), timeout_(timeout) {}

ListenTriggers::~ListenTriggers() {
  stop();
  for (std::thread& thread : threads_) thread.join();
}

Status ListenTriggers::set(std::vector<ListenTrigger> triggers) {
  if (triggers.empty()) return ok();
  const auto fault = [](const ListenTrigger& trigger, const std::string& reason) {
    return Error{ErrorCode::kInvalidArgument, "start trigger " + trigger.name + ": " + reason, 0};
  };
  try {
    redis_ = redis_endpoint(kRedisBinding);
  } catch (const std::exception& error) {
    return fault(triggers.front(), error.what());
  }
  if (!redis_) return fault(triggers.front(), "set REDIS_URL, or REDIS_URL_TRIGGERS");
  for (const ListenTrigger& trigger : triggers) {
    if (!service_.knows(service_.find(trigger.path))) {
      return fault(trigger, "no function of this process has the path " + trigger.path);
    }
  }
  triggers_ = std::move(triggers);
  return ok();
}

void ListenTriggers::start(const std::string& address) {
  if (triggers_.empty()) return;
  stop_.reset(::eventfd(0, EFD_CLOEXEC));
  CHECK(stop_.valid());
  consumer_ = consumer_at(address);
  running_ = triggers_.size();
  for (const ListenTrigger& trigger : triggers_) {
    threads_.emplace_back([this, trigger, redis = *redis_] {
      const auto stack = std::make_unique_for_overwrite<char[]>(kCrashStackBytes);
      use_crash_stack(stack.get());
      Reader(*this, trigger, redis).work();
      drop_crash_stack();
      --running_;
    });
  }
}

void ListenTriggers::stop() {
  const std::uint64_t one = 1;
  if (stop_.valid()) static_cast<void>(::write(stop_.get(), &one, sizeof one) < 0);
}

bool ListenTriggers::ended() const {
  return running_ == 0;
}

}  // namespace subito::sdk

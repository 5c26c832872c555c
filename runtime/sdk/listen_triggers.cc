#include "runtime/sdk/listen_triggers.h"

#include <poll.h>
#include <sys/eventfd.h>
#include <unistd.h>

#include <cstdio>
#include <deque>
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
constexpr const char* kAtOnce = "64";
constexpr const char* kConsumer = "listen";
constexpr const char* kRedisBinding = "triggers";

// KEYS due; ARGV count -> {member, score, ...}
constexpr char kDueLookScript[] = R"(
local time = redis.call('TIME')
local now = string.format('%.0f', time[1] * 1000 + math.floor(time[2] / 1000))
return redis.call('ZRANGE', KEYS[1], '-inf', now, 'BYSCORE', 'LIMIT', 0, ARGV[1], 'WITHSCORES')
)";

// KEYS due; ARGV member score. One that was put there anew for later stays.
constexpr char kDueDoneScript[] = R"(
if redis.call('ZSCORE', KEYS[1], ARGV[1]) == ARGV[2] then redis.call('ZREM', KEYS[1], ARGV[1]) end
return 1
)";

void append_entries(const RedisReply& entries, std::deque<Delivery>& out) {
  for (std::size_t i = 0; i < entries.size(); ++i) {
    const RedisReply fields = entries[i][1];
    if (fields.is_nil()) continue;  // trimmed from the stream meanwhile
    Delivery delivery;
    delivery.id = entries[i][0].text();
    for (std::size_t f = 0; f + 1 < fields.size(); f += 2) {
      delivery.fields.emplace_back(fields[f].text(), fields[f + 1].text());
    }
    out.push_back(std::move(delivery));
  }
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
        trigger_.kind == ListenTrigger::Kind::kDue ? look_for_due() : look_for_entries();
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

  // Once, however often it happens in a row.
  void complain(const std::string& reason) {
    if (reason == said_) return;
    said_ = reason;
    const std::string line = as_json_line(2, "trigger " + trigger_.name + ": " + reason, {}, {});
    static_cast<void>(::write(STDERR_FILENO, line.data(), line.size()) < 0);
  }

  void make_group() {
    try {
      redis_.command({"XGROUP", "CREATE", trigger_.key, group_, "0", "MKSTREAM"});
    } catch (const RedisError& error) {
      if (std::string_view(error.what()).find("BUSYGROUP") == std::string_view::npos) throw;
    }
    prepared_ = true;
    take_over_at_ = {};
  }

  // What somebody who died had taken.
  void take_over() {
    const auto now = std::chrono::steady_clock::now();
    if (now < take_over_at_) return;
    const auto idle = std::chrono::milliseconds(owner_.timeout_ + kTakeOverSlack).count();
    const RedisReply reply = redis_.command({"XAUTOCLAIM", trigger_.key, group_, kConsumer,
                                             std::to_string(idle), "0-0", "COUNT", kAtOnce});
    append_entries(reply[1], taken_);
    take_over_at_ = now + kTakeOverEvery;
  }

  void look_for_entries() {
    if (!prepared_) make_group();
    if (taken_.empty()) take_over();
    if (taken_.empty()) {
      const RedisReply reply =
          redis_.command({"XREADGROUP", "GROUP", group_, kConsumer, "COUNT", kAtOnce, "BLOCK",
                          std::to_string(kBlockMs), "STREAMS", trigger_.key, ">"});
      if (reply.is_nil()) return;
      append_entries(reply[0][1], taken_);
    }
    for (; !taken_.empty(); taken_.pop_front()) {
      for (std::uint64_t number = 1; !deliver(taken_.front(), number); ++number) {
        if (stopped(kPauseMs)) return;
      }
      redis_.command({"XACK", trigger_.key, group_, taken_.front().id});
      if (stopped(0)) return;
    }
  }

  void look_for_due() {
    const RedisReply due = redis_.command({"EVAL", kDueLookScript, "1", trigger_.key, kAtOnce});
    for (std::size_t i = 0; i + 1 < due.size() && !stopped(0); i += 2) {
      const std::string member(due[i].text());
      const std::string score(due[i + 1].text());
      if (!deliver({member + "@" + score, {}}, 1)) continue;
      redis_.command({"EVAL", kDueDoneScript, "1", trigger_.key, member, score});
    }
    stopped(kPauseMs);
  }

  bool deliver(const Delivery& delivery, std::uint64_t number) {
    const auto deadline = std::chrono::steady_clock::now() + owner_.timeout_;
    LocalRun run(owner_.service_, target_.function, {new_request_id(), {}}, deadline, nullptr);
    int status = 0;
    try {
      status = run.run(request_of(trigger_, delivery, target_.path, number)).status();
    } catch (const CallError&) {  // a body that broke off
    }
    if (status >= 200 && status < 300) return true;
    complain("delivery of " + delivery.id + " is answered " + std::to_string(status));
    return false;
  }

  ListenTriggers& owner_;
  const ListenTrigger trigger_;
  const ListenService::Target target_;
  const std::string group_;
  RedisClient redis_;
  bool prepared_ = false;
  std::chrono::steady_clock::time_point take_over_at_{};
  std::deque<Delivery> taken_;  // and not acknowledged
  std::string said_;
};

ListenTriggers::ListenTriggers(ListenService& service, std::chrono::seconds timeout)
    : service_(service), timeout_(timeout) {}

ListenTriggers::~ListenTriggers() {
  stop();
  for (std::thread& thread : threads_) thread.join();
}

Status ListenTriggers::start(const std::vector<ListenTrigger>& triggers) {
  if (triggers.empty()) return ok();
  const auto fault = [](const ListenTrigger& trigger, const std::string& reason) {
    return Error{ErrorCode::kInvalidArgument, "start trigger " + trigger.name + ": " + reason, 0};
  };
  std::optional<Endpoint> endpoint;
  try {
    endpoint = redis_endpoint(kRedisBinding);
  } catch (const std::exception& error) {
    return fault(triggers.front(), error.what());
  }
  if (!endpoint) return fault(triggers.front(), "set REDIS_URL, or REDIS_URL_TRIGGERS");
  for (const ListenTrigger& trigger : triggers) {
    if (!service_.knows(service_.find(trigger.path))) {
      return fault(trigger, "no function of this process has the path " + trigger.path);
    }
  }
  stop_.reset(::eventfd(0, EFD_CLOEXEC));
  CHECK(stop_.valid());
  running_ = triggers.size();
  for (const ListenTrigger& trigger : triggers) {
    threads_.emplace_back([this, trigger, address = *endpoint] {
      const auto stack = std::make_unique_for_overwrite<char[]>(kCrashStackBytes);
      use_crash_stack(stack.get());
      Reader(*this, trigger, address).work();
      drop_crash_stack();
      --running_;
    });
  }
  return ok();
}

void ListenTriggers::stop() {
  const std::uint64_t one = 1;
  if (stop_.valid()) static_cast<void>(::write(stop_.get(), &one, sizeof one) < 0);
}

bool ListenTriggers::ended() const {
  return running_ == 0;
}

}  // namespace subito::sdk

#include "runtime/node/triggers/schedule_source.h"

#include <algorithm>
#include <charconv>
#include <chrono>
#include <utility>

namespace subito::node {

ScheduleSource::ScheduleSource(Loop& loop, bindings::RedisLink* link, SourceEvents& events,
                               SourceKeys keys, triggers::Cron cron, std::string source,
                               UnixClock clock)
    : loop_(loop),
      events_(events),
      keys_(std::move(keys)),
      cron_(cron),
      source_(std::move(source)),
      clock_(std::move(clock)),
      next_(cron_.next_after(clock_())) {
  if (link != nullptr && !keys_.dead.empty()) asker_.emplace(*link, events);
}

void ScheduleSource::answer(std::function<void()> tell) {
  loop_.defer([alive = std::weak_ptr<const bool>(alive_), tell = std::move(tell)] {
    if (!alive.expired()) tell();
  });
}

void ScheduleSource::recover() {
  answer([this] {
    std::vector<std::string> ids;
    for (const auto& [id, count] : runs_) ids.push_back(id);
    events_.on_recovered(ids, std::nullopt);
    count_dead_letters();
  });
}

void ScheduleSource::count_dead_letters() {
  if (!asker_) return;
  asker_->ask({"XLEN", keys_.dead}, [this](const redisReply& reply) {
    events_.on_dead_letters(static_cast<std::uint64_t>(reply.integer));
  });
}

void ScheduleSource::look(std::size_t, std::size_t) {
  answer([this] {
    const triggers::UnixMs now = clock_();
    triggers::Found found;
    if (now >= next_) {
      runs_.try_emplace(std::to_string(next_), 0);
      next_ = cron_.next_after(now);
    } else {
      next_ = std::min(next_, cron_.next_after(now));  // a clock that was set back
    }
    for (const auto& [id, count] : runs_) found.items.push_back({id});
    // A clock that was set must not delay it by more than this.
    constexpr triggers::UnixMs kLookAtLeastMs = 60'000;
    const auto wait = std::clamp<triggers::UnixMs>(next_ - now, 1, kLookAtLeastMs);
    found.next_in = std::chrono::milliseconds(wait);
    events_.on_found(found, {}, std::nullopt);
  });
}

void ScheduleSource::take(const std::string& id) {
  answer([this, id] {
    const auto run = runs_.find(id);
    if (run == runs_.end()) return events_.on_gone(id);
    Occurrence occurrence;
    occurrence.id = id;
    occurrence.source = source_;
    occurrence.type = "subito.schedule";
    occurrence.unix_ms = entry_unix_ms(id);
    events_.on_taken(id, ++run->second, std::move(occurrence));
  });
}

void ScheduleSource::untake(const std::string& id, std::uint32_t number) {
  if (const auto run = runs_.find(id); run != runs_.end()) run->second = number;
}

void ScheduleSource::acknowledge(const std::vector<std::string>& ids) {
  for (const std::string& id : ids) runs_.erase(id);
  answer([this, ids] { events_.on_settled(ids, std::nullopt); });
}

void ScheduleSource::dead_letter(const std::string& id, std::uint32_t number,
                                 const std::string& why) {
  if (!asker_) return acknowledge({id});
  // Where Redis is away the event that tells of it is all that stays.
  asker_->ask_whole(
      {"XADD", keys_.dead, "*", "subito-id", id, "subito-why", why, "subito-deliveries",
       std::to_string(number), "subito-source", source_, "type", "subito.schedule"},
      [this, id,
       alive = std::weak_ptr<const bool>(alive_)](const Result<bindings::RedisReplyPtr>&) {
        if (alive.expired()) return;
        acknowledge({id});
        count_dead_letters();
      });
}

void ScheduleSource::replay(const DeadLetter& letter, Replayed done) {
  if (!asker_) return done(false);
  asker_->ask_whole({"XDEL", keys_.dead, letter.letter},
                    [this, id = letter.id, alive = std::weak_ptr<const bool>(alive_),
                     done = std::move(done)](const Result<bindings::RedisReplyPtr>& reply) {
                      if (!reply) return done(reply.error());
                      if (!alive.expired()) runs_.try_emplace(id, 0);
                      done(true);
                    });
}

}  // namespace subito::node

#include "runtime/node/triggers/due_source.h"

#include <algorithm>
#include <charconv>
#include <chrono>

#include "runtime/node/triggers/scripts.h"

namespace subito::node {
namespace {

// Ids of items: "MEMBER@SCORE". A score has no '@'.
std::string member_of(const std::string& id) {
  return id.substr(0, id.rfind('@'));
}
std::string score_of(const std::string& id) {
  return id.substr(id.rfind('@') + 1);
}

// A score as Redis writes it; one that is no moment ("inf") is none.
std::optional<std::int64_t> score_millis(const std::string& score) {
  double value = 0;
  const char* end = score.data() + score.size();
  const auto [stop, error] = std::from_chars(score.data(), end, value);
  constexpr double kLatest = 1e15;  // the year 33658
  if (error != std::errc() || stop != end || !(value < kLatest) || value < -kLatest)
    return std::nullopt;
  return static_cast<std::int64_t>(value);
}

Occurrence occurrence_of(const std::string& key, const std::string& id) {
  Occurrence out = http::event_of_due(key, id, member_of(id));
  out.unix_ms = std::max<std::int64_t>(score_millis(score_of(id)).value_or(0), 0);
  return out;
}

}  // namespace

void DueSource::recover() {
  asker_.ask(script(scripts::kDueRecover, all_keys(), {}), [this](const redisReply& reply) {
    events_.on_recovered({}, static_cast<std::uint64_t>(element(reply, 1).integer));
  });
}

void DueSource::look(std::size_t room, std::size_t known) {
  const std::size_t limit = room + known;
  asker_.ask(script(scripts::kDueLook, {keys_.items}, {std::to_string(limit)}),
             [this, limit](const redisReply& reply) { found(reply, limit); });
}

void DueSource::found(const redisReply& reply, std::size_t limit) {
  triggers::Found found;
  std::vector<std::string> unfit;
  const auto due = pairs_of(element(reply, 0));
  for (const auto& [member, score] : due) {
    std::string id = member + "@" + score;
    if (member.size() > kMemberBytesMax)
      unfit.push_back(std::move(id));
    else
      found.items.push_back({std::move(id)});
  }
  const auto now = score_millis(reply_text(element(reply, 1)));
  const auto next = score_millis(reply_text(element(reply, 2)));
  if (now && next) {
    found.next_in = std::chrono::milliseconds(std::max<std::int64_t>(*next - *now, 1));
  }
  const auto waiting = static_cast<std::uint64_t>(element(reply, 3).integer);
  found.more = due.size() == limit && waiting > limit;
  events_.on_found(found, {}, waiting);
  for (const std::string& id : unfit)
    events_.on_unfit(
        id, "is too long to be delivered: at most " + std::to_string(kMemberBytesMax) + " bytes");
}

void DueSource::take(const std::string& id) {
  asker_.ask(script(scripts::kDueTake, all_keys(), {member_of(id), score_of(id)}),
             [this, id](const redisReply& reply) {
               if (reply.integer == 0) return events_.on_gone(id);
               events_.on_taken(id, static_cast<std::uint32_t>(reply.integer),
                                occurrence_of(keys_.items, id));
             });
}

void DueSource::untake(const std::string& id, std::uint32_t number) {
  asker_.ask(script(scripts::kDueUntake, all_keys(),
                    {member_of(id), score_of(id), std::to_string(number)}),
             [](const redisReply&) {});
}

void DueSource::acknowledge(const std::vector<std::string>& ids) {
  for (const std::string& id : ids) {
    asker_.ask(script(scripts::kDueSettle, all_keys(), {member_of(id), score_of(id)}),
               [this, id](const redisReply&) { events_.on_settled({id}, std::nullopt); });
  }
}

void DueSource::dead_letter(const std::string& id, std::uint32_t number, const std::string& why) {
  asker_.ask(
      script(scripts::kDueSettle, all_keys(),
             {member_of(id), score_of(id), id, why, std::to_string(number), "/due/" + keys_.items}),
      [this, id](const redisReply& reply) {
        events_.on_settled({id}, static_cast<std::uint64_t>(reply.integer));
      });
}

void DueSource::replay(const DeadLetter& letter, Replayed done) {
  asker_.ask_whole(script(scripts::kDueReplay, {keys_.items, keys_.dead},
                          {letter.letter, letter.member, letter.score}),
                   tell_replayed(std::move(done)));
}

}  // namespace subito::node

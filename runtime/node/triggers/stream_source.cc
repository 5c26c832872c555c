#include "runtime/node/triggers/stream_source.h"

#include <chrono>

#include "runtime/node/triggers/scripts.h"

namespace subito::node {
namespace {

// More than a feed can hold are never taken at once.
constexpr std::size_t kPendingMax = triggers::kAsideMax + triggers::kLookMax + 100;

std::string too_large(const redisReply& size) {
  return "is too large to be delivered: " + reply_text(size) + " bytes, at most " +
         std::to_string(kEntryBytesMax);
}

}  // namespace

void StreamSource::recover() {
  const auto idle = std::chrono::ceil<std::chrono::milliseconds>(keys_.idle).count();
  asker_.ask(
      script(scripts::kStreamRecover, {keys_.items, keys_.dead},
             {keys_.group, keys_.consumer, std::to_string(idle), std::to_string(kPendingMax)}),
      [this](const redisReply& reply) {
        std::vector<std::string> ids;
        const redisReply& list = element(reply, 0);
        for (std::size_t i = 0; i < list.elements; ++i) ids.push_back(reply_text(*list.element[i]));
        const auto dead = static_cast<std::uint64_t>(element(reply, 1).integer);
        events_.on_recovered(ids, dead);
      });
}

void StreamSource::look(std::size_t room, std::size_t) {
  asker_.ask(script(scripts::kStreamLook, {keys_.items},
                    {keys_.group, keys_.consumer, std::to_string(room),
                     std::to_string(kEntryBytesMax), std::to_string(kLookBytesMax)}),
             [this, room](const redisReply& reply) { found(reply, room); });
}

void StreamSource::found(const redisReply& reply, std::size_t room) {
  triggers::Found found;
  std::vector<Occurrence> taken;
  std::vector<std::pair<std::string, std::string>> unfit;
  const redisReply& entries = element(reply, 0);
  const std::size_t count = entries.type == REDIS_REPLY_ARRAY ? entries.elements : 0;
  for (std::size_t i = 0; i < count; ++i) {
    const std::string id = reply_text(element(*entries.element[i], 0));
    const redisReply& fields = element(*entries.element[i], 1);
    if (fields.type != REDIS_REPLY_ARRAY) {
      unfit.emplace_back(id, too_large(fields));
      continue;
    }
    taken.push_back(occurrence(id, fields));
    found.items.push_back({id, true, taken.back().data.size()});
  }
  const redisReply& lag = element(reply, 1);
  std::optional<std::uint64_t> waiting;
  if (lag.type == REDIS_REPLY_INTEGER) waiting = static_cast<std::uint64_t>(lag.integer);
  // The look may have ended for its bytes, and Redis does not always know how many wait.
  found.more = count == room || (count > 0 && waiting.value_or(1) > 0);
  events_.on_found(found, std::move(taken), waiting);
  for (auto& [id, why] : unfit) events_.on_unfit(id, std::move(why));
}

void StreamSource::take(const std::string& id) {
  asker_.ask(script(scripts::kStreamTake, {keys_.items},
                    {keys_.group, keys_.consumer, id, std::to_string(kEntryBytesMax)}),
             [this, id](const redisReply& reply) {
               if (reply.elements == 0) return events_.on_gone(id);
               const redisReply& fields = element(reply, 1);
               if (fields.type != REDIS_REPLY_ARRAY) return events_.on_unfit(id, too_large(fields));
               events_.on_taken(id, static_cast<std::uint32_t>(element(reply, 0).integer),
                                occurrence(id, fields));
             });
}

void StreamSource::untake(const std::string& id, std::uint32_t number) {
  asker_.ask({"XCLAIM", keys_.items, keys_.group, keys_.consumer, "0", id, "RETRYCOUNT",
              std::to_string(number), "JUSTID"},
             [](const redisReply&) {});
}

void StreamSource::acknowledge(const std::vector<std::string>& ids) {
  bindings::RedisCommand command{"XACK", keys_.items, keys_.group};
  command.insert(command.end(), ids.begin(), ids.end());
  asker_.ask(std::move(command),
             [this, ids](const redisReply&) { events_.on_settled(ids, std::nullopt); });
}

void StreamSource::dead_letter(const std::string& id, std::uint32_t number,
                               const std::string& why) {
  asker_.ask(script(scripts::kStreamDead, {keys_.items, keys_.dead},
                    {keys_.group, id, why, std::to_string(number), "/streams/" + keys_.items}),
             [this, id](const redisReply& reply) {
               events_.on_settled({id}, static_cast<std::uint64_t>(reply.integer));
             });
}

void StreamSource::replay(const DeadLetter& letter, Replayed done) {
  asker_.ask_whole(script(scripts::kStreamReplay, {keys_.items, keys_.dead},
                          {keys_.group, keys_.consumer, letter.letter, letter.id}),
                   tell_replayed(std::move(done)));
}

Occurrence StreamSource::occurrence(const std::string& id, const redisReply& fields) const {
  return occurrence_of_entry(keys_.items, id, pairs_of(fields));
}

}  // namespace subito::node

// Source: where the items of a trigger are kept: a stream's group, a sorted set, a schedule.
// Carries out what its feed (runtime/triggers/feed.h) decides, and tells the trigger what came of
// it.
//
// Owned by its trigger, on the loop's thread. Answers never come from inside a call; destroyed, it
// gives none any more.
#pragma once

#include <cstdint>
#include <functional>
#include <memory>
#include <optional>
#include <string>
#include <utility>
#include <vector>

#include "runtime/bindings/redis_link.h"
#include "runtime/node/triggers/occurrence.h"
#include "runtime/triggers/feed.h"

namespace subito::node {

// An entry of more bytes is not delivered but a dead letter at once.
inline constexpr std::size_t kEntryBytesMax = 16 << 20;
// What one look brings in at most, one entry more or less.
inline constexpr std::size_t kLookBytesMax = 4 << 20;
// A due member of more bytes cannot be a header: it is a dead letter at once.
inline constexpr std::size_t kMemberBytesMax = 1024;

struct SourceKeys {
  std::string items;  // the stream or sorted set; of a schedule empty
  std::string dead;   // the stream of dead letters; empty: there are none
  std::string tries;  // of due work: counts of deliveries
  std::string group;  // of a stream
  std::string consumer;
  Duration idle{};  // what another consumer left lying so long is taken over
  friend bool operator==(const SourceKeys&, const SourceKeys&) = default;
};

struct DeadLetter {
  std::string letter;  // its id in the stream of dead letters
  std::int64_t unix_ms = 0;
  std::string id;  // of what was to be delivered
  std::string type;
  std::string why;
  std::uint32_t deliveries = 0;
  std::string member;  // of due work, with its score
  std::string score;
};

class SourceEvents {
 public:
  virtual ~SourceEvents() = default;
  virtual void on_recovered(const std::vector<std::string>& ids,
                            std::optional<std::uint64_t> dead_letters) = 0;
  // How many there are now.
  virtual void on_dead_letters(std::uint64_t count) = 0;
  // `taken`: of the found items that are taken already. `waiting`: items not yet taken, if known.
  virtual void on_found(const triggers::Found& found, std::vector<Occurrence> taken,
                        std::optional<std::uint64_t> waiting) = 0;
  virtual void on_taken(const std::string& id, std::uint32_t number, Occurrence occurrence) = 0;
  virtual void on_gone(const std::string& id) = 0;
  virtual void on_unfit(const std::string& id, std::string why) = 0;
  virtual void on_settled(const std::vector<std::string>& ids,
                          std::optional<std::uint64_t> dead_letters) = 0;
  virtual void on_source_error(const std::string& message) = 0;
};

class Source {
 public:
  using Replayed =
      std::function<void(Result<bool>)>;  // false: it cannot be, what it was of is gone

  virtual ~Source() = default;
  virtual void recover() = 0;
  virtual void look(std::size_t room, std::size_t known) = 0;
  virtual void take(const std::string& id) = 0;
  virtual void untake(const std::string& id, std::uint32_t number) = 0;
  virtual void acknowledge(const std::vector<std::string>& ids) = 0;
  virtual void dead_letter(const std::string& id, std::uint32_t number, const std::string& why) = 0;
  virtual void replay(const DeadLetter& letter, Replayed done) = 0;
};

// What takes the reply of a replay script: 1 if it was done, 0 if what it was of is gone.
bindings::RedisLink::Callback tell_replayed(Source::Replayed done);

// Asks Redis on behalf of a source, which may go before the reply comes.
class SourceAsker {
 public:
  SourceAsker(bindings::RedisLink& link, SourceEvents& events) : link_(link), events_(events) {}

  // `take` gets replies that are no errors; an error of Redis is told to the events, one of the
  // link is not: whoever owns the link tells.
  template <typename Take>
  void ask(bindings::RedisCommand command, Take take) {
    link_.ask(std::move(command),
              [this, alive = std::weak_ptr<const bool>(alive_),
               take = std::move(take)](const Result<bindings::RedisReplyPtr>& reply) {
                if (alive.expired()) return;
                if (!reply) {
                  if (reply.error().code != ErrorCode::kUnavailable)
                    events_.on_source_error(reply.error().message);
                  return;
                }
                const auto error = bindings::redis_error(**reply);
                if (error.empty()) return take(**reply);
                events_.on_source_error(std::string(error));
              });
  }
  // Every outcome.
  void ask_whole(bindings::RedisCommand command,
                 std::function<void(Result<bindings::RedisReplyPtr>)> take) {
    link_.ask(std::move(command), [alive = std::weak_ptr<const bool>(alive_),
                                   take = std::move(take)](Result<bindings::RedisReplyPtr> reply) {
      if (alive.expired())
        return take(Error{ErrorCode::kCancelled, "ask redis: the trigger is gone", 0});
      take(std::move(reply));
    });
  }

 private:
  bindings::RedisLink& link_;
  SourceEvents& events_;
  const std::shared_ptr<const bool> alive_ = std::make_shared<const bool>(true);
};

// EVAL as a command.
bindings::RedisCommand script(const char* text, std::vector<std::string> keys,
                              std::vector<std::string> arguments);
// A reply as text; what is no text is empty.
std::string reply_text(const redisReply& reply);
// The element at that place, or one that is nil.
const redisReply& element(const redisReply& reply, std::size_t at);
// A flat list of names and values.
std::vector<std::pair<std::string, std::string>> pairs_of(const redisReply& reply);

}  // namespace subito::node

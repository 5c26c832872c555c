// Triggers: what became of what could not be delivered.
#include <algorithm>
#include <charconv>
#include <memory>
#include <utility>

#include "runtime/node/triggers/triggers.h"

namespace subito::node {
namespace {

using bindings::RedisReplyPtr;

DeadLetter read_letter(const redisReply& entry) {
  DeadLetter letter;
  letter.letter = reply_text(element(entry, 0));
  letter.unix_ms = entry_unix_ms(letter.letter);
  for (auto& [name, value] : pairs_of(element(entry, 1))) {
    if (name == "subito-id")
      letter.id = std::move(value);
    else if (name == "subito-why")
      letter.why = std::move(value);
    else if (name == "subito-member")
      letter.member = std::move(value);
    else if (name == "subito-score")
      letter.score = std::move(value);
    else if (name == "type")
      letter.type = std::move(value);
    else if (name == "subito-deliveries")
      std::from_chars(value.data(), value.data() + value.size(), letter.deliveries);
  }
  return letter;
}

Result<std::vector<DeadLetter>> read_letters(const Result<RedisReplyPtr>& reply) {
  if (!reply) return reply.error();
  if (const auto error = bindings::redis_error(**reply); !error.empty())
    return fail(ErrorCode::kFailedPrecondition, "read dead letters: " + std::string(error));
  std::vector<DeadLetter> letters;
  for (std::size_t i = 0; i < (*reply)->elements; ++i)
    letters.push_back(read_letter(*(*reply)->element[i]));
  return letters;
}

api::DeadLetterView view_of(const std::string& trigger, const DeadLetter& letter) {
  api::DeadLetterView view;
  view.id = trigger + "/" + letter.letter;
  view.trigger = trigger;
  view.unix_ns = letter.unix_ms * 1'000'000;
  view.event_id = letter.id;
  view.type = letter.type;
  view.why = letter.why;
  view.deliveries = letter.deliveries;
  return view;
}

}  // namespace

Result<std::vector<Trigger*>> Triggers::chosen(const std::string& function,
                                               const std::string& trigger) {
  std::vector<Trigger*> found;
  for (const auto& [key, one] : triggers_) {
    const bool wanted = key.first == function && (trigger.empty() || key.second == trigger);
    if (wanted && !one->spec().keys.dead.empty()) found.push_back(one.get());
  }
  if (found.empty() && !trigger.empty())
    return fail(ErrorCode::kNotFound, "find trigger " + trigger + " of " + function +
                                          ": there is none with dead letters; `subito describe " +
                                          function + "` lists its triggers");
  if (link_ == nullptr && !found.empty())
    return fail(ErrorCode::kFailedPrecondition, "read dead letters: this node runs without Redis");
  return found;
}

void Triggers::list_dead_letters(const std::string& function, const std::string& trigger,
                                 Listed done) {
  const auto triggers = chosen(function, trigger);
  if (!triggers || triggers->empty()) {
    Result<std::vector<api::DeadLetterView>> none = std::vector<api::DeadLetterView>();
    if (!triggers) none = triggers.error();
    return loop_.defer([done = std::move(done), none] { done(none); });
  }
  struct Listing {
    std::size_t open = 0;
    std::vector<api::DeadLetterView> views;
    std::optional<Error> error;
    Listed done;
  };
  auto listing = std::make_shared<Listing>();
  listing->open = triggers->size();
  listing->done = std::move(done);
  for (const Trigger* one : *triggers) {
    link_->ask(
        {"XRANGE", one->spec().keys.dead, "-", "+", "COUNT", std::to_string(api::kDeadLettersMax)},
        [listing, name = one->spec().manifest.name()](const Result<RedisReplyPtr>& reply) {
          const auto letters = read_letters(reply);
          if (!letters) listing->error = letters.error();
          for (std::size_t i = 0; letters && i < letters->size(); ++i)
            listing->views.push_back(view_of(name, (*letters)[i]));
          if (--listing->open > 0) return;
          if (listing->error) return listing->done(*listing->error);
          if (listing->views.size() > api::kDeadLettersMax)
            listing->views.resize(api::kDeadLettersMax);
          listing->done(std::move(listing->views));
        });
  }
}

// One letter after the other, each looked up first: of one trigger or of all.
class Triggers::Settling : public std::enable_shared_from_this<Settling> {
 public:
  Settling(Triggers& triggers, std::string function, api::DeadLetterChoice choice, Settled done)
      : triggers_(triggers),
        function_(std::move(function)),
        choice_(std::move(choice)),
        done_(std::move(done)) {}

  void start() {
    triggers_.list_dead_letters(
        function_, choice_.trigger,
        [self = shared_from_this()](Result<std::vector<api::DeadLetterView>> views) {
          if (!views) return self->done_(views.error());
          for (const api::DeadLetterView& view : *views) {
            if (self->choice_.id.empty() || view.id == self->choice_.id)
              self->left_.push_back(view);
          }
          std::reverse(self->left_.begin(), self->left_.end());  // the oldest is taken first
          if (self->left_.empty() && !self->choice_.id.empty())
            return self->done_(Error{ErrorCode::kNotFound,
                                     "find dead letter " + self->choice_.id +
                                         ": there is none; `subito dead-letters " +
                                         self->function_ + "` lists them",
                                     0});
          self->next();
        });
  }

 private:
  void next() {
    if (left_.empty()) return done_(settled_);
    const api::DeadLetterView view = left_.back();
    left_.pop_back();
    const auto found = triggers_.triggers_.find({function_, view.trigger});
    if (found == triggers_.triggers_.end()) return next();
    Trigger& trigger = *found->second;
    const std::string letter = view.id.substr(view.id.rfind('/') + 1);
    triggers_.link_->ask({"XRANGE", trigger.spec().keys.dead, letter, letter},
                         [self = shared_from_this(), view](const Result<RedisReplyPtr>& reply) {
                           const auto letters = read_letters(reply);
                           if (!letters) return self->done_(letters.error());
                           if (letters->empty()) return self->next();
                           self->settle(view, letters->front());
                         });
  }

  void settle(const api::DeadLetterView& view, const DeadLetter& letter) {
    const auto found = triggers_.triggers_.find({function_, view.trigger});
    if (found == triggers_.triggers_.end()) return next();
    if (choice_.replay) {
      return found->second->replay(
          letter, [self = shared_from_this(), view](Result<bool> replayed) {
            if (!replayed) return self->done_(replayed.error());
            if (!*replayed)
              return self->done_(Error{ErrorCode::kFailedPrecondition,
                                       "replay " + view.id + ": its stream has no entry " +
                                           view.event_id + " any more; delete the dead letter",
                                       0});
            self->settled(view);
          });
    }
    triggers_.link_->ask({"XDEL", found->second->spec().keys.dead, letter.letter},
                         [self = shared_from_this(), view](const Result<RedisReplyPtr>& reply) {
                           if (!reply) return self->done_(reply.error());
                           self->settled(view);
                         });
  }

  void settled(const api::DeadLetterView& view) {
    ++settled_;
    const auto found = triggers_.triggers_.find({function_, view.trigger});
    if (found != triggers_.triggers_.end()) found->second->recover();
    next();
  }

  Triggers& triggers_;
  const std::string function_;
  const api::DeadLetterChoice choice_;
  const Settled done_;
  std::vector<api::DeadLetterView> left_;
  std::size_t settled_ = 0;
};

void Triggers::settle_dead_letters(const std::string& function, const api::DeadLetterChoice& choice,
                                   Settled done) {
  std::make_shared<Settling>(*this, function, choice, std::move(done))->start();
}

}  // namespace subito::node

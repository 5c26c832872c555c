#include "runtime/sdk/testing/fake_redis.h"

#include <array>
#include <utility>

#include "runtime/sdk/text.h"

namespace subito::testing {
namespace {

const Command* find_command(std::string_view name) {
  for (const auto& commands :
       {key_commands(), string_commands(), number_commands(), hash_commands(), list_commands(),
        set_commands(), sorted_set_commands()}) {
    for (const Command& command : commands) {
      if (is_option(name, command.name)) return &command;
    }
  }
  return nullptr;
}

bool has_arity(const Command& command, std::size_t count) {
  const auto arguments = static_cast<int>(count);
  return command.arity >= 0 ? arguments == command.arity : arguments >= -command.arity;
}

}  // namespace

FakeRedis::FakeRedis(std::string binding, std::string prefix, const TestClock& clock)
    : TestRedis(std::move(binding), std::move(prefix), clock), keyspace_([&clock] {
        return std::chrono::duration_cast<Keyspace::Time>(clock.now().time_since_epoch());
      }) {}

std::vector<RedisReply> FakeRedis::ask(const std::vector<std::vector<std::string>>& commands) {
  std::vector<RedisReply> replies;
  for (const auto& arguments : commands) {
    try {
      replies.push_back(read_reply(answer(arguments)));
    } catch (const NotFaked& unknown) {
      throw RedisError("ask fake Redis " + binding() + ": it does not know " + unknown.what() +
                       "; take a real one: context.use_redis(\"" + binding() +
                       "\", \"127.0.0.1:6379\")");
    }
  }
  return replies;
}

Reply FakeRedis::answer(const std::vector<std::string>& arguments) {
  if (arguments.empty()) throw NotFaked("a command without a name");
  try {
    if (auto reply = transaction(arguments)) return *std::move(reply);
    const Command* command = find_command(arguments[0]);
    if (command == nullptr) throw NotFaked(arguments[0]);
    return accept(*command, arguments);
  } catch (const ErrorReply& error) {
    return error_reply(error.what());
  }
}

// Checks in the order in which Redis does.
Reply FakeRedis::accept(const Command& command, const std::vector<std::string>& arguments) {
  try {
    if (!has_arity(command, arguments.size())) throw wrong_number_of_arguments(arguments[0]);
    check_rights(command, arguments);
  } catch (const ErrorReply&) {
    queue_spoilt_ = true;
    throw;
  }
  if (!queue_) return run(command, arguments);
  queue_->push_back({command, arguments});
  return status_reply("QUEUED");
}

Reply FakeRedis::run(const Command& command, Arguments arguments) {
  try {
    return command.run(keyspace_, arguments);
  } catch (const ErrorReply& error) {
    return error_reply(error.what());
  }
}

void FakeRedis::check_rights(const Command& command, Arguments arguments) const {
  if (command.run == nullptr) {
    throw ErrorReply("NOPERM this user has no permissions to run the '" +
                     sdk::lower_case(command.name) + "' command");
  }
  const KeyPositions& keys = command.keys;
  if (keys.first == 0) return;
  const int last = keys.last >= 0 ? keys.last : static_cast<int>(arguments.size()) + keys.last;
  for (int i = keys.first; i <= last; i += keys.step) {
    if (!arguments[static_cast<std::size_t>(i)].starts_with(prefix())) {
      throw ErrorReply(
          "NOPERM this user has no permissions to access one of the keys used as arguments");
    }
  }
}

std::optional<Reply> FakeRedis::transaction(const std::vector<std::string>& arguments) {
  static constexpr std::array<std::pair<std::string_view, Reply (FakeRedis::*)()>, 3> kCommands = {
      {{"MULTI", &FakeRedis::multi}, {"EXEC", &FakeRedis::exec}, {"DISCARD", &FakeRedis::discard}}};
  for (const auto& [name, run] : kCommands) {
    if (!is_option(arguments[0], name)) continue;
    if (arguments.size() == 1) return (this->*run)();
    if (name != "EXEC") {
      queue_spoilt_ = true;
      throw wrong_number_of_arguments(name);
    }
    queue_.reset();
    throw ErrorReply(
        "EXECABORT Transaction discarded because of: wrong number of arguments for "
        "'exec' command");
  }
  return std::nullopt;
}

Reply FakeRedis::multi() {
  if (queue_) throw ErrorReply("ERR MULTI calls can not be nested");
  queue_.emplace();
  queue_spoilt_ = false;
  return ok_reply();
}

Reply FakeRedis::exec() {
  if (!queue_) throw ErrorReply("ERR EXEC without MULTI");
  const std::vector<Queued> queued = *std::exchange(queue_, std::nullopt);
  if (queue_spoilt_) {
    throw ErrorReply("EXECABORT Transaction discarded because of previous errors.");
  }
  std::vector<Reply> replies;
  for (const auto& [command, arguments] : queued) replies.push_back(run(command, arguments));
  return array_reply(replies);
}

Reply FakeRedis::discard() {
  if (!queue_) throw ErrorReply("ERR DISCARD without MULTI");
  queue_.reset();
  return ok_reply();
}

}  // namespace subito::testing

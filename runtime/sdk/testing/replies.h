// Replies of the fake Redis: written in Redis's own protocol (RESP2) and read by hiredis, so that a
// handler gets the very objects that a real Redis gives it. Pure; any thread.
#pragma once

#include <cstdint>
#include <stdexcept>
#include <string>
#include <string_view>
#include <vector>

#include "runtime/sdk/include/subito/function.h"

namespace subito::testing {

// One reply, encoded.
using Reply = std::string;

Reply status_reply(std::string_view line);
Reply error_reply(std::string_view line);  // "ERR syntax error"
Reply integer_reply(std::int64_t value);
Reply text_reply(std::string_view text);
Reply nil_reply();
Reply text_or_nil(const std::string* text);  // null is nil
Reply array_reply(const std::vector<Reply>& elements);
Reply texts_reply(const std::vector<std::string>& texts);
inline Reply ok_reply() {
  return status_reply("OK");
}

RedisReply read_reply(const Reply& reply);

// A command that Redis answers with an error: what() is the reply.
class ErrorReply : public std::runtime_error {
  using std::runtime_error::runtime_error;
};
inline constexpr const char* kSyntaxError = "ERR syntax error";
ErrorReply wrong_number_of_arguments(std::string_view command);

// A command, or an option of one, that only a real Redis knows.
class NotFaked : public std::runtime_error {
  using std::runtime_error::runtime_error;
};

}  // namespace subito::testing

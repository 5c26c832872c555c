#include "runtime/sdk/testing/replies.h"

#include <hiredis/hiredis.h>

#include <memory>

#include "runtime/base/check.h"
#include "runtime/sdk/text.h"

namespace subito::testing {
namespace {

struct ReaderFree {
  void operator()(redisReader* reader) const { redisReaderFree(reader); }
};

}  // namespace

Reply status_reply(std::string_view line) {
  return "+" + std::string(line) + "\r\n";
}

Reply error_reply(std::string_view line) {
  return "-" + std::string(line) + "\r\n";
}

Reply integer_reply(std::int64_t value) {
  return ":" + std::to_string(value) + "\r\n";
}

Reply text_reply(std::string_view text) {
  return "$" + std::to_string(text.size()) + "\r\n" + std::string(text) + "\r\n";
}

Reply nil_reply() {
  return "$-1\r\n";
}

Reply text_or_nil(const std::string* value) {
  return value == nullptr ? nil_reply() : text_reply(*value);
}

Reply array_reply(const std::vector<Reply>& elements) {
  Reply reply = "*" + std::to_string(elements.size()) + "\r\n";
  for (const Reply& element : elements) reply += element;
  return reply;
}

Reply texts_reply(const std::vector<std::string>& texts) {
  std::vector<Reply> elements;
  for (const std::string& text : texts) elements.push_back(text_reply(text));
  return array_reply(elements);
}

RedisReply read_reply(const Reply& reply) {
  const std::unique_ptr<redisReader, ReaderFree> reader(redisReaderCreate());
  void* read = nullptr;
  CHECK(redisReaderFeed(reader.get(), reply.data(), reply.size()) == REDIS_OK);
  CHECK(redisReaderGetReply(reader.get(), &read) == REDIS_OK && read != nullptr);
  return RedisReply(static_cast<redisReply*>(read));
}

ErrorReply wrong_number_of_arguments(std::string_view command) {
  return ErrorReply("ERR wrong number of arguments for '" + sdk::lower_case(command) + "' command");
}

}  // namespace subito::testing

#include "functions/shop/test_triggers.h"

namespace shop {
namespace {

using subito::RedisReply;
using subito::Request;

bool taken(int status) {
  return status >= 200 && status < 300;
}

}  // namespace

std::size_t TestTriggers::deliver_due() {
  const RedisReply time = command_({"TIME"});
  const std::string now = std::to_string(std::stoll(std::string(time[0].text())) * 1000 +
                                         std::stoll(std::string(time[1].text())) / 1000);
  const RedisReply due = command_({"ZRANGE", key("due"), "0", now, "BYSCORE", "WITHSCORES"});
  for (std::size_t i = 0; i + 1 < due.size(); i += 2) {
    const std::string member(due[i].text());
    const std::string score(due[i + 1].text());
    const Request delivery("POST", "/due",
                           {{"ce-specversion", "1.0"},
                            {"ce-id", member + "@" + score},
                            {"ce-source", "/due/" + key("due")},
                            {"ce-type", "subito.due"},
                            {"ce-subject", member}});
    if (!taken(ask_(delivery))) continue;
    const RedisReply still = command_({"ZSCORE", key("due"), member});
    if (!still.is_nil() && still.text() == score) command_({"ZREM", key("due"), member});
  }
  return static_cast<std::size_t>(command_({"ZCARD", key("due")}).integer());
}

void TestTriggers::let_time_pass() {
  const RedisReply due = command_({"ZRANGE", key("due"), "0", "-1"});
  for (std::size_t i = 0; i < due.size(); ++i) {
    const std::string member(due[i].text());
    command_({"HSET", key("order:" + member), "lease", "0"});
    command_({"ZADD", key("due"), "XX", "0", member});
  }
}

bool TestTriggers::deliver_events(int times) {
  const RedisReply entries = command_({"XRANGE", key("events"), taken_, "+"});
  for (std::size_t i = 0; i < entries.size(); ++i) {
    const std::string id(entries[i][0].text());
    const RedisReply fields = entries[i][1];
    subito::Headers headers{{"ce-specversion", "1.0"},
                            {"ce-id", id},
                            {"ce-source", "/streams/" + key("events")},
                            {"content-type", "application/protobuf"}};
    std::string body;
    for (std::size_t f = 0; f + 1 < fields.size(); f += 2) {
      const std::string value(fields[f + 1].text());
      if (fields[f].text() == "type") headers.set("ce-type", value);
      if (fields[f].text() == "data") body = value;
    }
    for (int n = 0; n < times; ++n) {
      if (!taken(ask_(Request("POST", "/events", headers, body)))) return false;
    }
    taken_ = "(" + id;
  }
  return true;
}

}  // namespace shop

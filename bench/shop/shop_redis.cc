#include "bench/shop/shop_redis.h"

#include <fcntl.h>
#include <hiredis/hiredis.h>
#include <sys/stat.h>
#include <unistd.h>

#include <charconv>
#include <random>
#include <sstream>

#include "runtime/base/unique_fd.h"

namespace subito::bench {

namespace {

constexpr timeval kRedisReplyMax = {10, 0};
constexpr const char* kUser = "bench";
constexpr const char* kOrderKeys = "checkout:order:*";

std::string random_hex() {
  std::random_device device;
  std::ostringstream text;
  for (int i = 0; i < 4; ++i) text << std::hex << (device() | 0x10000000U);
  return text.str();
}

Status write_file(const std::string& path, const std::string& text, ::mode_t mode) {
  const UniqueFd file(::open(path.c_str(), O_WRONLY | O_CREAT | O_EXCL | O_CLOEXEC, mode));
  if (!file.valid()) return errno_error("open " + path);
  const ::ssize_t written = ::write(file.get(), text.data(), text.size());
  if (written != static_cast<::ssize_t>(text.size())) return errno_error("write " + path);
  return ok();
}

void flatten(const redisReply& reply, std::vector<std::optional<std::string>>& out) {
  switch (reply.type) {
    case REDIS_REPLY_ARRAY:
      for (std::size_t i = 0; i < reply.elements; ++i) flatten(*reply.element[i], out);
      break;
    case REDIS_REPLY_NIL:
      out.emplace_back();
      break;
    case REDIS_REPLY_INTEGER:
      out.emplace_back(std::to_string(reply.integer));
      break;
    default:
      out.emplace_back(std::string(reply.str, reply.len));
  }
}

Result<std::int64_t> stored_figure(const std::string& key, const std::string& text) {
  std::int64_t value = 0;
  const auto [stop, error] = std::from_chars(text.data(), text.data() + text.size(), value);
  if (error == std::errc() && stop == text.data() + text.size()) return value;
  return fail(ErrorCode::kProtocol, "read " + key + " in Redis: '" + text + "' is no number");
}

}  // namespace

void ShopRedis::Close::operator()(redisContext* context) const {
  redisFree(context);
}

// The node starts `redis-server -` and writes the configuration to it: ours goes before the dash.
Result<ShopRedis> ShopRedis::prepare() {
  ASSIGN_OR_RETURN(TempFolder folder, TempFolder::make());
  ShopRedis redis(std::move(folder), random_hex());
  const std::string user = redis.folder_.path() + "/user.conf";
  RETURN_IF_ERROR(write_file(
      user, std::string("user ") + kUser + " on >" + redis.password_ + " ~* &* +@all\n", 0600));
  RETURN_IF_ERROR(write_file(
      redis.program(), "#!/bin/sh\nexec redis-server --include '" + user + "' \"$@\"\n", 0700));
  return redis;
}

Status ShopRedis::connect(const std::string& data) {
  const std::string socket = data + "/redis/redis.sock";
  context_.reset(redisConnectUnixWithTimeout(socket.c_str(), kRedisReplyMax));
  if (context_ == nullptr || context_->err != 0) {
    return fail(ErrorCode::kUnavailable,
                "connect to " + socket + ": " + (context_ ? context_->errstr : "no memory"));
  }
  redisSetTimeout(context_.get(), kRedisReplyMax);
  RETURN_IF_ERROR(command({"AUTH", kUser, password_}));
  return ok();
}

Status ShopRedis::sync(const char* when) {
  RETURN_IF_ERROR(command({"CONFIG", "SET", "appendfsync", when}));
  return ok();
}

Result<ShopRedis::Reply> ShopRedis::command(const std::vector<std::string>& words) {
  std::vector<const char*> texts;
  std::vector<std::size_t> sizes;
  for (const std::string& word : words) {
    texts.push_back(word.data());
    sizes.push_back(word.size());
  }
  const std::unique_ptr<redisReply, void (*)(void*)> reply(
      static_cast<redisReply*>(redisCommandArgv(context_.get(), static_cast<int>(words.size()),
                                                texts.data(), sizes.data())),
      freeReplyObject);
  const std::string doing = "ask Redis for " + words[0] + ": ";
  if (reply == nullptr) return fail(ErrorCode::kUnavailable, doing + context_->errstr);
  if (reply->type == REDIS_REPLY_ERROR) {
    return fail(ErrorCode::kFailedPrecondition, doing + std::string(reply->str, reply->len));
  }
  Reply values;
  flatten(*reply, values);
  return values;
}

Result<std::optional<std::vector<std::int64_t>>> ShopRedis::figures(
    const std::string& key, const std::vector<std::string>& names) {
  std::vector<std::string> words = {"HMGET", key};
  words.insert(words.end(), names.begin(), names.end());
  ASSIGN_OR_RETURN(const Reply reply, command(words));
  std::vector<std::int64_t> values;
  for (const auto& text : reply) {
    if (!text) return std::optional<std::vector<std::int64_t>>();
    ASSIGN_OR_RETURN(const std::int64_t value, stored_figure(key, *text));
    values.push_back(value);
  }
  return std::optional(std::move(values));
}

Result<Books> ShopRedis::books() {
  Books books;
  ASSIGN_OR_RETURN(const Reply products, command({"ZRANGE", "stock:products", "0", "-1"}));
  for (const auto& product : products) {
    ASSIGN_OR_RETURN(const auto found, figures("stock:level:" + product.value_or(""),
                                               {"received", "available", "reserved", "sold"}));
    if (found) {
      books.levels[product.value_or("")] = {(*found)[0], (*found)[1], (*found)[2], (*found)[3]};
    }
  }
  ASSIGN_OR_RETURN(const auto guest,
                   figures("payment:customer:guest", {"limit", "available", "held", "spent"}));
  if (guest) books.guest = Credit{(*guest)[0], (*guest)[1], (*guest)[2], (*guest)[3]};
  return books;
}

// SCAN may tell a key twice while the table grows; nothing writes meanwhile, and a set helps.
Result<StoredOrders> ShopRedis::orders() {
  StoredOrders orders;
  std::map<std::string, bool> seen;
  std::string cursor = "0";
  do {
    ASSIGN_OR_RETURN(const Reply reply,
                     command({"SCAN", cursor, "MATCH", kOrderKeys, "COUNT", "1000"}));
    cursor = reply.at(0).value_or("0");
    for (std::size_t i = 1; i < reply.size(); ++i) {
      const std::string key = reply[i].value_or("");
      if (!seen.emplace(key, true).second) continue;
      ASSIGN_OR_RETURN(const Reply order, command({"HMGET", key, "status", "total"}));
      const std::string status = order.at(0).value_or("");
      if (status == "COMPLETED") {
        ++orders.completed;
        ASSIGN_OR_RETURN(const std::int64_t total, stored_figure(key, order.at(1).value_or("")));
        orders.total_minor += total;
      } else {
        ++(status == "CANCELLED" ? orders.cancelled : orders.open);
      }
    }
  } while (cursor != "0");
  return orders;
}

}  // namespace subito::bench

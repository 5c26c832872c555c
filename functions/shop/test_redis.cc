#include "functions/shop/test_redis.h"

#include <hiredis/hiredis.h>

#include <chrono>
#include <cstdlib>
#include <fstream>
#include <stdexcept>
#include <thread>

namespace shop {
namespace {

constexpr std::chrono::seconds kStartMax{20};
constexpr std::chrono::milliseconds kStartPoll{2};

std::string user_line(const std::string& function) {
  return "user subito-fn-" + function + " on >" + function + " ~" + function + ":* &" + function +
         ":* +@all -@admin -@dangerous\n";
}

// While it loads its file it takes logins, but answers PING with LOADING.
bool answers(const std::string& socket_path) {
  try {
    return RealRedis(socket_path, "stock").command({"PING"}).text() == "PONG";
  } catch (const subito::RedisError&) {
    return false;
  }
}

}  // namespace

bool TestRedis::installed() {
  return std::system("command -v redis-server >/dev/null") == 0;
}

TestRedis::TestRedis(bool open) : socket_(folder() + "/redis.sock") {
  std::ofstream config(folder() + "/redis.conf");
  config << "port 0\nunixsocket " << socket_ << "\ndir " << folder()
         << "\nsave \"\"\nappendonly yes\nappendfsync no\nloglevel warning\n";
  // One who is off must still be allowed everything: Redis loads its file in his name.
  config << "user default " << (open ? "on nopass" : "off") << " ~* &* +@all\n";
  for (const char* function : {"catalogue", "stock", "checkout"}) config << user_line(function);
}

void TestRedis::start() {
  process_ = TestProcess({"redis-server", folder() + "/redis.conf"});
  const auto end = std::chrono::steady_clock::now() + kStartMax;
  while (!answers(socket_)) {
    if (std::chrono::steady_clock::now() > end) throw std::runtime_error("redis-server is silent");
    std::this_thread::sleep_for(kStartPoll);
  }
}

RealRedis::RealRedis(std::string socket_path, std::string function)
    : Redis(function + ":"), socket_path_(std::move(socket_path)), function_(std::move(function)) {}

RealRedis::~RealRedis() {
  if (connection_ != nullptr) redisFree(connection_);
}

void RealRedis::connect() {
  connection_ = redisConnectUnix(socket_path_.c_str());
  if (connection_ == nullptr || connection_->err != 0) {
    throw subito::RedisError("connect redis: it is away");
  }
  const std::string user = "subito-fn-" + function_;
  subito::RedisReply reply(static_cast<redisReply*>(
      redisCommand(connection_, "AUTH %s %s", user.c_str(), function_.c_str())));
  if (reply.is_error()) throw subito::RedisError(std::string(reply.text()));
}

std::vector<subito::RedisReply> RealRedis::pipeline(
    const std::vector<std::vector<std::string>>& commands) {
  if (connection_ == nullptr) connect();
  for (const auto& command : commands) {
    std::vector<const char*> texts;
    std::vector<std::size_t> sizes;
    for (const std::string& argument : command) {
      texts.push_back(argument.data());
      sizes.push_back(argument.size());
    }
    redisAppendCommandArgv(connection_, static_cast<int>(texts.size()), texts.data(), sizes.data());
  }
  std::vector<subito::RedisReply> replies;
  for (std::size_t i = 0; i < commands.size(); ++i) {
    void* reply = nullptr;
    if (redisGetReply(connection_, &reply) != REDIS_OK) {
      throw subito::RedisError("ask redis: the connection broke");
    }
    replies.emplace_back(static_cast<redisReply*>(reply));
  }
  return replies;
}

subito::RedisReply RealRedis::command(const std::vector<std::string>& arguments) {
  subito::RedisReply reply = pipeline({arguments}).front();
  if (reply.is_error()) throw subito::RedisError(std::string(reply.text()));
  return reply;
}

}  // namespace shop

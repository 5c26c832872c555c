#include "functions/shop/test_redis.h"

#include <fcntl.h>
#include <hiredis/hiredis.h>
#include <spawn.h>
#include <sys/wait.h>
#include <unistd.h>

#include <chrono>
#include <csignal>
#include <cstdlib>
#include <filesystem>
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

TestRedis::TestRedis() {
  std::string name = "/tmp/subito-shop-XXXXXX";
  if (mkdtemp(name.data()) == nullptr) throw std::runtime_error("make folder: no /tmp?");
  folder_ = name;
  socket_ = folder_ + "/redis.sock";
  std::ofstream config(folder_ + "/redis.conf");
  config << "port 0\nunixsocket " << socket_ << "\ndir " << folder_
         << "\nsave \"\"\nappendonly yes\nappendfsync no\nloglevel warning\nlogfile " << folder_
         << "/redis.log\nuser default off ~* &* +@all\n";
  for (const char* function : {"catalogue", "stock", "checkout"}) config << user_line(function);
}

TestRedis::~TestRedis() {
  kill();
  std::error_code ignored;
  std::filesystem::remove_all(folder_, ignored);
}

void TestRedis::start() {
  std::vector<std::string> words{"setpriv", "--pdeathsig", "KILL", "redis-server",
                                 folder_ + "/redis.conf"};
  std::vector<char*> argv;
  for (std::string& word : words) argv.push_back(word.data());
  argv.push_back(nullptr);
  posix_spawn_file_actions_t actions;
  posix_spawn_file_actions_init(&actions);
  posix_spawn_file_actions_addopen(&actions, 1, "/dev/null", O_WRONLY, 0);
  const int error = posix_spawnp(&pid_, argv[0], &actions, nullptr, argv.data(), environ);
  posix_spawn_file_actions_destroy(&actions);
  if (error != 0) throw std::runtime_error("start redis-server: not there");
  const auto end = std::chrono::steady_clock::now() + kStartMax;
  while (!answers(socket_)) {
    if (std::chrono::steady_clock::now() > end) throw std::runtime_error("redis-server is silent");
    std::this_thread::sleep_for(kStartPoll);
  }
}

void TestRedis::kill() {
  if (pid_ == 0) return;
  ::kill(pid_, SIGKILL);
  waitpid(pid_, nullptr, 0);
  pid_ = 0;
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

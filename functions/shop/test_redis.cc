#include "functions/shop/test_redis.h"

#include <subito/testing.h>

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
bool answers(const std::string& address) {
  subito::testing::TestContext context;
  try {
    return context.use_redis("redis", address).command({"PING"}).text() == "PONG";
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
  for (const char* function : {"catalogue", "stock", "checkout", "payment"}) {
    config << user_line(function);
  }
}

void TestRedis::start() {
  process_ = TestProcess({"redis-server", folder() + "/redis.conf"});
  const auto end = std::chrono::steady_clock::now() + kStartMax;
  while (!answers(address_of("stock"))) {
    if (std::chrono::steady_clock::now() > end) throw std::runtime_error("redis-server is silent");
    std::this_thread::sleep_for(kStartPoll);
  }
}

std::string TestRedis::address_of(const std::string& function) const {
  return "unix://subito-fn-" + function + ":" + function + "@" + socket_;
}

}  // namespace shop

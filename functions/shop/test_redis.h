// TestRedis: a redis-server of the test's own, with one ACL user a function as the node makes them.
// Test code only.
#pragma once

#include <string>

#include "functions/shop/test_process.h"

namespace shop {

class TestRedis {
 public:
  // `open`: who brings no login may do everything, as in a Redis of one's own.
  explicit TestRedis(bool open = false);

  static bool installed();
  void start();  // returns once it answers; data of an earlier start are there again
  void kill() { process_.kill(); }
  // For TestContext::use_redis(): as the user of `function`, whose keys begin with "FUNCTION:".
  std::string address_of(const std::string& function) const;
  const std::string& socket_path() const { return socket_; }
  const std::string& folder() const { return folder_.path(); }

 private:
  TestFolder folder_;
  std::string socket_;
  TestProcess process_;
};

}  // namespace shop

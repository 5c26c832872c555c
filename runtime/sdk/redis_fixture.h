// RedisFixture: a redis-server of a test's own, on a Unix socket in a folder of its own, gone with
// the fixture. Keeps nothing on disk.
#pragma once

#include <sys/types.h>

#include <string>

#include "runtime/base/unique_fd.h"

namespace subito::sdk {

class RedisFixture {
 public:
  RedisFixture();
  ~RedisFixture();
  RedisFixture(const RedisFixture&) = delete;
  RedisFixture& operator=(const RedisFixture&) = delete;

  bool available() const { return pid_ > 0; }
  void restart();
  UniqueFd connect() const;
  const std::string& path() const { return path_; }

 private:
  void start();
  void stop();

  std::string folder_;
  std::string path_;
  pid_t pid_ = -1;
};

}  // namespace subito::sdk

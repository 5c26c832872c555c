// TestProcess: a child of a test that is gone when the test is. Test code only.
#pragma once

#include <sys/types.h>

#include <string>
#include <vector>

namespace shop {

class TestProcess {
 public:
  TestProcess() = default;
  // The program is searched in PATH; `settings` ("NAME=value") come on top of our environment.
  TestProcess(std::vector<std::string> words, const std::vector<std::string>& settings = {});
  TestProcess(TestProcess&& other) noexcept;
  TestProcess& operator=(TestProcess&& other) noexcept;
  ~TestProcess() { kill(); }

  void kill();  // as kill -9
  pid_t pid() const { return pid_; }

 private:
  pid_t pid_ = 0;
};

// A folder of the test's own in /tmp, removed with all that is in it.
class TestFolder {
 public:
  TestFolder();
  ~TestFolder();
  TestFolder(const TestFolder&) = delete;
  TestFolder& operator=(const TestFolder&) = delete;
  const std::string& path() const { return path_; }

 private:
  std::string path_;
};

}  // namespace shop

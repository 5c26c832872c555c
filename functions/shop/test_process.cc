#include "functions/shop/test_process.h"

#include <fcntl.h>
#include <spawn.h>
#include <sys/wait.h>
#include <unistd.h>

#include <csignal>
#include <cstdlib>
#include <filesystem>
#include <stdexcept>
#include <utility>

namespace shop {
namespace {

std::vector<char*> pointers(std::vector<std::string>& words) {
  std::vector<char*> out;
  for (std::string& word : words) out.push_back(word.data());
  out.push_back(nullptr);
  return out;
}

}  // namespace

TestProcess::TestProcess(std::vector<std::string> words, const std::vector<std::string>& settings) {
  // The child dies with us even if we are killed.
  words.insert(words.begin(), {"setpriv", "--pdeathsig", "KILL"});
  std::vector<std::string> variables = settings;
  for (char** at = environ; *at != nullptr; ++at) variables.emplace_back(*at);
  const std::vector<char*> argv = pointers(words);
  const std::vector<char*> envp = pointers(variables);
  posix_spawn_file_actions_t actions;
  posix_spawn_file_actions_init(&actions);
  posix_spawn_file_actions_addopen(&actions, 1, "/dev/null", O_WRONLY, 0);
  posix_spawn_file_actions_addopen(&actions, 2, "/dev/null", O_WRONLY, 0);
  const int error = posix_spawnp(&pid_, argv[0], &actions, nullptr, argv.data(), envp.data());
  posix_spawn_file_actions_destroy(&actions);
  if (error != 0) throw std::runtime_error("start " + words[3] + ": setpriv is not installed");
}

TestProcess::TestProcess(TestProcess&& other) noexcept : pid_(std::exchange(other.pid_, 0)) {}

TestProcess& TestProcess::operator=(TestProcess&& other) noexcept {
  if (this != &other) {
    kill();
    pid_ = std::exchange(other.pid_, 0);
  }
  return *this;
}

void TestProcess::kill() {
  if (pid_ == 0) return;
  ::kill(pid_, SIGKILL);
  waitpid(pid_, nullptr, 0);
  pid_ = 0;
}

TestFolder::TestFolder() {
  std::string name = "/tmp/subito-shop-XXXXXX";
  if (mkdtemp(name.data()) == nullptr) throw std::runtime_error("make folder: no /tmp?");
  path_ = name;
}

TestFolder::~TestFolder() {
  std::error_code ignored;
  std::filesystem::remove_all(path_, ignored);
}

}  // namespace shop

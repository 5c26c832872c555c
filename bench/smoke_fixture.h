// For tests of `subito bench` of the built program, whole: a temporary folder for all it makes,
// which must be empty behind it, and no control group left. Tests only.
#pragma once

#include <gtest/gtest.h>
#include <sys/wait.h>
#include <unistd.h>

#include <chrono>
#include <csignal>
#include <cstdlib>
#include <filesystem>
#include <nlohmann/json.hpp>
#include <optional>
#include <string>
#include <vector>

#include "bench/child.h"
#include "bench/node_client.h"
#include "bench/temp_folder.h"

namespace subito::bench {

inline constexpr char kProgram[] = SUBITO_PROGRAM;
inline constexpr std::chrono::seconds kBenchMax{110};  // ctest waits 120

class BenchSmoke : public testing::Test {
 protected:
  void SetUp() override {
    if (::geteuid() != 0) GTEST_SKIP() << "needs root: a node isolates pods";
    auto folder = TempFolder::make();
    ASSERT_TRUE(folder);
    folder_.emplace(*std::move(folder));
    ::setenv("TMPDIR", folder_->path().c_str(), 1);
  }
  void TearDown() override {
    ::unsetenv("TMPDIR");
    if (!folder_) return;
    EXPECT_TRUE(std::filesystem::is_empty(folder_->path())) << "something was left behind";
    for (const char* name : {"/sys/fs/cgroup", "/sys/fs/cgroup/memory"}) {
      std::error_code ignored;
      for (const auto& entry : std::filesystem::directory_iterator(name, ignored)) {
        const std::string left = entry.path().filename();
        EXPECT_FALSE(left.starts_with("subito-bench-")) << left;
      }
    }
  }

  // The private node of a bench that runs has come up when its API socket is there.
  bool node_is_up() const {
    for (const auto& entry : std::filesystem::directory_iterator(folder_->path())) {
      if (std::filesystem::exists(entry.path() / "data/api.sock")) return true;
    }
    return false;
  }

  // What `subito bench ARGUMENTS -o json` tells; null, and a failure, unless it ended with 0.
  static nlohmann::json bench(std::vector<std::string> arguments) {
    arguments.insert(arguments.begin(), {"subito", "bench"});
    arguments.insert(arguments.end(), {"-o", "json"});
    const auto finished = run({kProgram, std::move(arguments)}, kBenchMax);
    EXPECT_TRUE(finished);
    if (!finished) return {};
    EXPECT_EQ(finished->exit_code, 0) << finished->output;
    auto json = nlohmann::json::parse(finished->output, nullptr, false);
    EXPECT_TRUE(json.is_object()) << finished->output;
    return json.is_object() ? json : nlohmann::json();
  }

  // Ctrl-C for `bench ARGUMENTS`, so long after its node has come up: it ends with 130.
  void interrupt(std::vector<std::string> arguments, std::chrono::seconds after) const {
    arguments.insert(arguments.begin(), {"subito", "bench"});
    UniqueFd output;
    auto running = start_service({kProgram, std::move(arguments)}, output, STDERR_FILENO);
    ASSERT_TRUE(running);
    for (int tries = 0; !node_is_up() && tries < 3000; ++tries) {
      ASSERT_TRUE(rest(std::chrono::milliseconds(10)));
    }
    ASSERT_TRUE(node_is_up());
    ASSERT_TRUE(rest(after));
    running->signal(SIGINT);
    const auto status = running->end(std::chrono::seconds(45));
    ASSERT_TRUE(status) << status.error().message;
    ASSERT_TRUE(WIFEXITED(*status));
    EXPECT_EQ(WEXITSTATUS(*status), 130);
  }

  std::optional<TempFolder> folder_;
};

}  // namespace subito::bench

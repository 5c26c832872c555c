// docs/kubectl.md: every command of ours that stands in its tables is run, in their order, on a
// live node. A line that does not work any more fails.
#include <gmock/gmock.h>

#include <filesystem>
#include <fstream>
#include <sstream>

#include "runtime/node/e2e/live_node.h"

namespace subito::e2e {
namespace {

namespace fs = std::filesystem;

constexpr std::size_t kCommandsMin = 30;  // fewer: the page was not read

std::vector<std::string> words_of(const std::string& command) {
  std::istringstream in(command);
  std::vector<std::string> words;
  for (std::string word; in >> word;) words.push_back(word);
  return words;
}

// What stands as `subito ...` in the second cell of each row.
std::vector<std::string> commands_of(const std::string& page) {
  std::ifstream in(page);
  std::vector<std::string> commands;
  for (std::string line; std::getline(in, line);) {
    if (line.substr(0, 2) != "| ") continue;
    const std::size_t cell = line.find(" | ");
    if (cell == line.npos) continue;
    const std::string rest = line.substr(cell + 3);
    if (rest.substr(0, 8) != "`subito ") {
      const bool heading = line.substr(0, 10) == "| kubectl ";
      EXPECT_TRUE(heading || rest.substr(0, 3) == "no:" || rest.substr(0, 8) == "no line ") << line;
      continue;
    }
    commands.push_back(rest.substr(8, rest.find('`', 1) - 8));
  }
  return commands;
}

bool stays(const std::string& command) {
  return command.find(" -w") != command.npos || command.find("logs -f") != command.npos;
}

class KubectlPageTest : public NodeTest {
 protected:
  void SetUp() override {
    NodeTest::SetUp();
    if (IsSkipped()) return;
    before_ = fs::current_path();
    folder_ = fs::path(testing::TempDir()) / ("subito-kubectl-" + std::to_string(::getpid()));
    fs::create_directories(folder_ / "shop");
    for (const std::string name : {"stock", "cart"}) {
      std::ofstream(folder_ / "shop" / (name + ".yaml"))
          << "apiVersion: subito.dev/v1\nkind: Function\nmetadata:\n  name: " << name
          << "\n  labels: {app: shop, tier: " << (name == "cart" ? "web" : "data")
          << "}\nspec:\n  binary: " << function_binary("echo") << "\n";
    }
    fs::copy_file(function_binary("echo"), folder_ / "stock");
    fs::current_path(folder_);
  }
  void TearDown() override {
    if (IsSkipped()) return;
    fs::current_path(before_);
    fs::remove_all(folder_);
  }
  fs::path before_;
  fs::path folder_;
};

TEST_F(KubectlPageTest, EveryCommandOfThePageWorks) {
  const auto commands = commands_of(SUBITO_SOURCE_DIR "/docs/kubectl.md");
  EXPECT_GE(commands.size(), kCommandsMin);
  for (const std::string& command : commands) {
    SCOPED_TRACE(command);
    if (stays(command)) {
      Child follower = node.follow(words_of(command), "followed");
      EXPECT_TRUE(eventually([&] { return !node.followed("followed").empty(); }));
      follower.signal(SIGTERM);
      EXPECT_TRUE(follower.wait());
      continue;
    }
    const Ran ran = node.cli(words_of(command), seconds(40));
    EXPECT_EQ(ran.exit_code, 0) << ran.out << ran.err;
  }
}

}  // namespace
}  // namespace subito::e2e

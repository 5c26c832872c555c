// Revisions that take each other's place under load, from outside.
#include <gmock/gmock.h>

#include <atomic>
#include <cstdlib>
#include <map>
#include <mutex>
#include <thread>

#include "runtime/node/e2e/live_node.h"

namespace subito::e2e {
namespace {

using testing::HasSubstr;

constexpr int kClients = 8;
constexpr int kRollouts = 50;  // a thousand by hand: SUBITO_ROLLOUTS=1000
constexpr int kCalls = 10'000;

int rollouts() {
  const char* asked = std::getenv("SUBITO_ROLLOUTS");
  return asked == nullptr ? kRollouts : std::atoi(asked);
}

// Clients that call one function without a pause, and what they were answered.
class Load {
 public:
  Load(const LiveNode& node, std::string path) : node_(node), path_(std::move(path)) {
    for (int i = 0; i < kClients; ++i) clients_.emplace_back([this] { call(); });
  }
  ~Load() { stop(); }
  // What was no 2xx, a line a kind.
  std::string stop() {
    done_ = true;
    for (std::thread& client : clients_) client.join();
    clients_.clear();
    std::string all;
    for (const auto& [answer, count] : bad_) all += std::to_string(count) + " x " + answer + "\n";
    return all;
  }
  int good() const { return good_; }

 private:
  void call() {
    HttpClient client = node_.client(seconds(60));
    while (!done_) {
      const HttpResponse answer = client.post(path_, "x");
      if (answer.status / 100 == 2 && answer.whole()) {
        ++good_;
        continue;
      }
      {
        const std::lock_guard lock(mutex_);
        ++bad_[std::to_string(answer.status) + " " + answer.error + " " + answer.body];
      }
      client = node_.client(seconds(60));
    }
  }

  const LiveNode& node_;
  const std::string path_;
  std::vector<std::thread> clients_;
  std::atomic<bool> done_ = false;
  std::atomic<int> good_ = 0;
  std::mutex mutex_;
  std::map<std::string, int> bad_;
};

class RolloutTest : public NodeTest {
 protected:
  static std::string spec(int number, const std::string& more = {}) {
    return "settings: {NUMBER: \"" + std::to_string(number) + "\"}\n" + more;
  }
  // What each of so many calls was answered: the setting of its revision.
  std::map<std::string, int> answers(int calls) {
    std::map<std::string, int> counts;
    HttpClient client = node.client();
    for (int i = 0; i < calls; ++i) ++counts[client.get("/function/probe/setting/NUMBER").body];
    return counts;
  }
  void expect_no_answer_lost(const std::string& strategy) {
    node.deploy("echo", "echo", spec(1, strategy));
    node.deploy("echo", "echo", spec(2, strategy));
    Load load(node, "/function/echo");
    ASSERT_TRUE(eventually([&] { return load.good() > 100; }));
    for (int i = 0; i < rollouts(); ++i) {
      const Ran undone = node.cli({"rollout", "undo", "echo"});
      ASSERT_EQ(undone.exit_code, 0) << undone.err;
      const Ran status = node.cli({"rollout", "status", "echo", "-w"});
      ASSERT_EQ(status.exit_code, 0) << status.out << status.err;
    }
    EXPECT_EQ(load.stop(), "");
    std::printf("%d rollouts, %d calls\n", rollouts(), load.good());
  }
};

TEST_F(RolloutTest, LosesNoAnswerAtOnce) {
  expect_no_answer_lost("scaling: {max: 4}");
}

TEST_F(RolloutTest, LosesNoAnswerPodByPod) {
  expect_no_answer_lost(
      "scaling: {min: 2, max: 4}\nrollout: {strategy: rolling, maxSurge: 1, maxUnavailable: 0}");
}

TEST_F(RolloutTest, SplitsTenThousandCallsByTheirWeightsAlsoAfterAKill) {
  node.deploy("probe", "probe", spec(1));
  node.deploy("probe", "probe", spec(2), {"--no-traffic"});
  EXPECT_EQ(answers(10), (std::map<std::string, int>{{"1", 10}}));
  const Ran set = node.cli({"traffic", "set", "probe", "r1=90,r2=10"});
  ASSERT_EQ(set.exit_code, 0) << set.err;
  std::map<std::string, int> counts = answers(kCalls);
  EXPECT_NEAR(counts["1"], kCalls * 9 / 10, kCalls / 50);
  EXPECT_NEAR(counts["2"], kCalls / 10, kCalls / 50);
  std::printf("%d and %d\n", counts["1"], counts["2"]);
  node.kill();
  ASSERT_TRUE(eventually([] { return reap_orphans() == 0; })) << node.leftovers();
  node.start();
  EXPECT_EQ(answers(100), (std::map<std::string, int>{{"1", 90}, {"2", 10}}));
}

TEST_F(RolloutTest, StopsByItselfAndTheOldRevisionGoesOn) {
  const std::string rolling = "scaling: {min: 2}\nrollout: {strategy: rolling}";
  node.deploy("probe", "probe", spec(1, rolling));
  ASSERT_TRUE(eventually([&] { return node.pods().size() == 2; }));
  const Ran deployed = node.try_deploy("probe", function_binary("look"),
                                       spec(2, rolling + "\nargs: [quit]"), {"--no-check"});
  ASSERT_EQ(deployed.exit_code, 0) << deployed.err;
  const Ran status = node.cli({"rollout", "status", "probe", "-w"});
  EXPECT_EQ(status.exit_code, 1) << status.out << status.err;
  EXPECT_THAT(status.out, HasSubstr("the rollout of revision 2 failed: a pod of it "));
  EXPECT_THAT(node.events("probe"), HasSubstr("RolloutFailed "));
  EXPECT_EQ(answers(20), (std::map<std::string, int>{{"1", 20}}));
}

}  // namespace
}  // namespace subito::e2e

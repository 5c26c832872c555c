// Requests beside everything that starts, drains and stops pods: none may notice.
#include <gmock/gmock.h>

#include <array>
#include <atomic>
#include <csignal>
#include <map>
#include <mutex>
#include <random>
#include <sstream>
#include <thread>

#include "runtime/node/e2e/live_node.h"

namespace subito::e2e {
namespace {

constexpr int kConnections = 64;
constexpr int kRequests = 30'000;
// More than run at once (2 functions of 8 pods): whatever was asked before a kill is over.
constexpr int kAnswersBetweenKills = 20;
// Clients think between requests, else no pod is ever idle.
constexpr int kPauseMsMax = 20;

// What 64 clients were answered, by kind.
class Crowd {
 public:
  Crowd(const LiveNode& node, std::vector<std::string> functions)
      : node_(node), functions_(std::move(functions)) {}

  void run() {
    std::vector<std::thread> clients;
    for (int i = 0; i < kConnections; ++i) clients.emplace_back([this, i] { client(i); });
    for (auto& client : clients) client.join();
    done_ = true;
  }
  bool done() const { return done_; }
  int good() const { return good_; }
  int good(std::size_t function) const { return good_of_[function]; }
  std::string bad() const {
    std::string all;
    for (const auto& [answer, count] : bad_) all += std::to_string(count) + " x " + answer + "\n";
    return all;
  }

 private:
  void client(int number) {
    HttpClient client = node_.client(seconds(60));
    std::minstd_rand random(static_cast<unsigned>(number) + 1);
    for (int i = 0; i < kRequests / kConnections + 1; ++i) {
      std::this_thread::sleep_for(milliseconds(random() % kPauseMsMax));
      const std::size_t which = random() % functions_.size();
      const std::string& function = functions_[which];
      const std::string body = std::to_string(number) + "/" + std::to_string(i);
      const HttpResponse answer = i % 3 == 0 ? client.get("/function/" + function)
                                             : client.post("/function/" + function, body);
      const bool right = answer.status == 200 && answer.whole() && answer.kept &&
                         answer.body == (i % 3 == 0 ? "" : body);
      if (right) {
        ++good_;
        ++good_of_[which];
        continue;
      }
      const std::lock_guard lock(mutex_);
      ++bad_[function + " " + std::to_string(answer.status) + " " + answer.error + " " +
             answer.body];
      if (!client.connected()) client = node_.client(seconds(60));
    }
  }

  const LiveNode& node_;
  const std::vector<std::string> functions_;
  std::atomic<int> good_ = 0;
  std::array<std::atomic<int>, 2> good_of_{};
  std::atomic<bool> done_ = false;
  std::mutex mutex_;
  std::map<std::string, int> bad_;
};

class ChurnTest : public NodeTest {
 protected:
  // The crowd calls while `disturb(round)` is done over and over.
  void expect_all_answered(const std::vector<std::string>& functions,
                           const std::function<void(int)>& disturb) {
    Crowd crowd(node, functions);
    std::thread calling([&] { crowd.run(); });
    int rounds = 0;
    for (; !crowd.done(); ++rounds) disturb(rounds);
    calling.join();
    EXPECT_EQ(crowd.bad(), "");
    EXPECT_GE(crowd.good(), kRequests);
    EXPECT_GT(rounds, 5) << "nothing disturbed them";
    for (const std::string& function : functions) {
      EXPECT_GT(node.pods_started(function), 30U) << "pods of " << function << " came and went";
      RecordProperty(function + "-pods", static_cast<int>(node.pods_started(function)));
    }
    std::printf("%d rounds, %llu and %llu pods\n", rounds,
                static_cast<unsigned long long>(node.pods_started(functions[0])),
                static_cast<unsigned long long>(node.pods_started(functions[1])));
  }
};

TEST_F(ChurnTest, AnswersEveryRequestWhilePodsFallAsleepAfterAMillisecond) {
  node.deploy("pooled", "echo", "scaling: {idle: 1ms}");
  node.deploy("fresh", "echo", "start: fresh\nscaling: {idle: 1ms}");
  expect_all_answered({"pooled", "fresh"}, [&](int) { (void)node.pod_list(); });
}

TEST_F(ChurnTest, AnswersEveryRequestWhilePodsAreScaledUpAndDown) {
  node.deploy("pooled", "echo");
  node.deploy("fresh", "echo", "start: fresh\nconcurrency: 4");
  expect_all_answered({"pooled", "fresh"}, [&](int round) {
    const bool up = round % 2 == 0;
    for (const char* name : {"pooled", "fresh"}) {
      const Ran ran = node.cli({"scale", name, "--min", up ? "8" : "0", "--max", up ? "20" : "1"});
      EXPECT_EQ(ran.exit_code, 0) << ran.err;
    }
  });
}

TEST_F(ChurnTest, AnswersAllButWhatAKilledPodHadTakenWhilePodsAreKilled) {
  node.deploy("pooled", "echo", "scaling: {max: 8}");
  node.deploy("fresh", "echo", "start: fresh\nscaling: {max: 8}");
  Crowd crowd(node, {"pooled", "fresh"});
  std::thread calling([&] { crowd.run(); });
  int killed = 0;
  while (!crowd.done()) {
    const auto pods = node.pods();
    if (pods.empty()) continue;
    ::kill(pods[static_cast<std::size_t>(killed) % pods.size()], SIGKILL);
    ++killed;
    // The pace is in answers, not in milliseconds: on a slow machine pods that are killed faster
    // than they complete anything are a crash loop, and it is right to refuse then.
    const int first = crowd.good(0), second = crowd.good(1);
    while (!crowd.done() && (crowd.good(0) < first + kAnswersBetweenKills ||
                             crowd.good(1) < second + kAnswersBetweenKills)) {
      std::this_thread::sleep_for(milliseconds(1));
    }
  }
  calling.join();
  EXPECT_GT(killed, 50);
  // At most one request ran in each: concurrency is 1. None is lost that was in no killed pod.
  EXPECT_GE(crowd.good() + killed, kRequests);
  std::istringstream kinds(crowd.bad());
  for (std::string kind; std::getline(kinds, kind);) {
    if (kind.empty()) continue;
    EXPECT_THAT(kind, testing::HasSubstr("ended by SIGKILL"));
  }
  std::printf("%d killed\n%s", killed, crowd.bad().c_str());
}

TEST_F(ChurnTest, AnswersEveryRequestWhileRevisionsReplaceEachOther) {
  node.deploy("pooled", "echo");
  node.deploy("fresh", "echo", "start: fresh");
  expect_all_answered({"pooled", "fresh"}, [&](int round) {
    const std::string setting = "settings: {ROUND: \"" + std::to_string(round) + "\"}\n";
    node.deploy("pooled", "echo", setting + "scaling: {idle: 20ms}");
    node.deploy("fresh", "echo", setting + "start: fresh", {"--no-check"});
  });
}

}  // namespace
}  // namespace subito::e2e

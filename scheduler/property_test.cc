// Generated lives of a node: a hundred thousand random steps a seed. FakeNode checks every effect
// and, after every step, that nobody is forgotten; here we see to it that all ends well.
#include <gtest/gtest.h>

#include <random>

#include "scheduler/fake_node.h"

namespace subito::scheduler {
namespace {

using namespace std::chrono_literals;
using CallState = FakeNode::CallState;

constexpr int kSteps = 25'000;  // by 4 seeds
constexpr std::size_t kFunctions = 5;

class Generator {
 public:
  explicit Generator(std::uint32_t seed)
      : random_(seed),
        node_({.pods_max = 12,
               .starting_max = 3,
               .waiting_max = 60,
               .pod_dispatches_max = 40,
               .cores = 2}) {}

  FakeNode& node() { return node_; }

  void step() {
    const std::uint32_t dice = below(1000);
    if (node_.functions().size() < kFunctions && dice < 100) return add();
    if (dice < 350) return call();
    if (dice < 620) return done();
    if (dice < 740) return hello();
    if (dice < 775) return leave();
    if (dice < 780) return give_back();
    if (dice < 850) return exit_gracefully();
    if (dice < 880) return die();
    if (dice < 885) return scale();
    if (dice < 890) return update();
    if (dice < 892) return remove();
    node_.advance(below(20) == 0 ? Duration(below(40) * 1s) : Duration(below(3000) * 1us));
  }

  // Everything gets what it needs to end. Bounded: else something hangs.
  void wind_down() {
    node_.close();
    for (int round = 0; round < 10'000 && !node_.scheduler().empty(); ++round) {
      for (const std::string& name : pods_where([](const auto& pod) { return !pod.said_hello; })) {
        if (node_.pods().contains(name)) node_.ready(name);
      }
      for (const std::uint64_t call : calls_in_pods()) node_.done(call);
      exit_gracefully();
      node_.advance(50ms);
    }
    EXPECT_TRUE(node_.scheduler().empty());
    EXPECT_EQ(node_.scheduler().node().waiting, 0u);
    EXPECT_EQ(node_.scheduler().node().running, 0u);
    for (const auto& [number, call] : node_.all_calls()) {
      EXPECT_TRUE(call.state != CallState::kWaiting && call.state != CallState::kRunning &&
                  call.state != CallState::kCancelled)
          << number;
    }
  }

 private:
  std::uint32_t below(std::uint32_t bound) { return random_() % bound; }

  template <typename T>
  const typename T::value_type& any(const T& all) {
    return *std::next(all.begin(), below(static_cast<std::uint32_t>(all.size())));
  }

  template <typename Test>
  std::vector<std::string> pods_where(Test test) const {
    std::vector<std::string> out;
    for (const auto& [name, pod] : node_.pods()) {
      if (test(pod)) out.push_back(name);
    }
    return out;
  }

  // A pod answers, whether to a Cancel or not, only once it has said hello.
  std::vector<std::uint64_t> calls_in_pods() const {
    std::vector<std::uint64_t> out;
    for (const auto& [name, pod] : node_.pods()) {
      if (pod.said_hello) out.insert(out.end(), pod.running.begin(), pod.running.end());
    }
    return out;
  }

  FunctionLimits limits() {
    FunctionLimits out;
    out.pods_min = below(4) == 0 ? 1 + below(2) : 0;
    if (below(2) == 0) out.pods_max = 2 + below(4);
    out.concurrency = below(2) == 0 ? 1 : 1 + below(4);
    out.queue_limit = below(12);
    out.queue_timeout = (1 + below(4)) * 1s;
    out.idle_timeout = below(10) * 1s;
    out.start_timeout = (1 + below(3)) * 1s;
    out.drain_timeout = (1 + below(3)) * 1s;
    out.cancel_grace = (1 + below(500)) * 1ms;
    out.weight = 1 + below(3);
    out.height = below(4);
    if (below(4) == 0) out.in_flight_max = 1 + below(20);
    out.memory_bytes = (1 + below(512)) << 20;
    out.policy = policy();
    return out;
  }

  autoscaler::PolicyOptions policy() {
    autoscaler::PolicyOptions out;
    out.kind = static_cast<autoscaler::PolicyKind>(below(4));
    out.concurrency.stable_window = (6 + below(60)) * 1s;
    out.concurrency.to_zero_grace = below(3) * 10s;
    out.concurrency.scale_down_delay = below(3) * 5s;
    out.concurrency.initial_scale = below(3);
    return out;
  }

  void add() { node_.add("F" + std::to_string(++functions_made_), limits()); }

  void call() {
    if (node_.functions().empty()) return;
    const std::string name = any(node_.functions()).first;
    for (std::uint32_t i = below(4) == 0 ? below(10) : 1; i > 0; --i) {
      node_.call(name, below(5) == 0 ? Duration::max() : Duration(below(8000) * 1ms),
                 below(3) == 0);
    }
  }

  void done() {
    const auto calls = calls_in_pods();
    if (calls.empty()) return;
    // Mostly short ones, so that some functions come to be given calls ahead.
    const Duration handler = below(300) == 0 ? Duration(below(2) * 5ms) : (1 + below(60)) * 1us;
    node_.done(any(calls), {Duration(below(5) * 1ms), Duration(below(2) * 1ms), handler});
  }

  void hello() {
    const auto pods = pods_where([](const auto& pod) { return !pod.said_hello; });
    if (pods.empty()) return;
    const std::string name = any(pods);
    node_.ready(name, node_.pods().at(name).concurrency == 1 ? below(2) * 15 : 0);
  }

  void leave() {
    std::vector<std::uint64_t> calls;
    for (const auto& [number, call] : node_.all_calls()) {
      if (call.state == CallState::kWaiting || call.state == CallState::kRunning) {
        calls.push_back(number);
      }
    }
    if (!calls.empty()) node_.leave(any(calls));
  }

  void give_back() {
    std::vector<std::uint64_t> calls;
    for (const auto& [name, pod] : node_.pods()) {
      if (pod.ahead > 0) calls.insert(calls.end(), pod.running.begin(), pod.running.end());
    }
    if (!calls.empty()) node_.give_back(any(calls));
  }

  void exit_gracefully() {
    const auto pods = pods_where([](const auto& pod) {
      return pod.state == PodState::kStopping ||
             (pod.state == PodState::kDraining && pod.running.empty());
    });
    for (const std::string& name : pods) {
      const bool killed = node_.pods().at(name).state == PodState::kStopping;
      node_.exit(name, killed ? ExitKind::kKilled : ExitKind::kDrained, some_of(name));
    }
  }

  void die() {
    const auto pods = pods_where([](const auto&) { return true; });
    if (pods.empty()) return;
    const std::string name = any(pods);
    const ExitKind kinds[] = {ExitKind::kCrashed, ExitKind::kStartFailed, ExitKind::kOutOfMemory,
                              ExitKind::kDrained};
    node_.exit(name, kinds[below(4)], some_of(name));
  }

  std::vector<std::uint64_t> some_of(const std::string& pod) {
    std::vector<std::uint64_t> out;
    for (const std::uint64_t call : node_.pods().at(pod).running) {
      if (below(2) == 0) out.insert(out.begin(), call);
    }
    return out;
  }

  void scale() {
    if (node_.functions().empty()) return;
    const std::uint32_t min = below(3);
    const auto max = below(2) == 0 ? std::nullopt : std::optional(min + 1 + below(3));
    node_.scale(any(node_.functions()).first, min, max);
  }

  void update() {
    if (!node_.functions().empty()) node_.update(any(node_.functions()).first, limits());
  }

  void remove() {
    if (!node_.functions().empty()) node_.remove(std::string(any(node_.functions()).first));
  }

  std::mt19937 random_;
  FakeNode node_;
  int functions_made_ = 0;
};

std::uint64_t live(std::uint32_t seed, int steps) {
  Generator generator(seed);
  for (int i = 0; i < steps && !testing::Test::HasFailure(); ++i) {
    SCOPED_TRACE("seed " + std::to_string(seed) + ", step " + std::to_string(i));
    generator.step();
    generator.node().said();
    if (i % 64 == 0) generator.node().forget_ended_calls();
  }
  if (testing::Test::HasFailure()) return 0;
  generator.wind_down();
  EXPECT_GT(generator.node().effects_seen(), static_cast<std::uint64_t>(steps) / 4);
  return generator.node().digest();
}

class AnyLife : public testing::TestWithParam<std::uint32_t> {};

TEST_P(AnyLife, EndsEveryInvocationOnceAndNeverBreaksALimit) {
  live(GetParam(), kSteps);
}

INSTANTIATE_TEST_SUITE_P(Seeds, AnyLife, testing::Values(1u, 2u, 3u, 4u));

TEST(Digest, WithTheSameSeedDecidesTheSame) {
  const std::uint64_t first = live(7, 5000);
  EXPECT_EQ(first, live(7, 5000));
  EXPECT_NE(first, live(8, 5000));
}

}  // namespace
}  // namespace subito::scheduler

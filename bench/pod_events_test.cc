#include "bench/pod_events.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>
#include <sys/socket.h>
#include <sys/un.h>
#include <unistd.h>

#include <thread>

namespace subito::bench {
namespace {

using testing::ElementsAre;
using testing::Pair;

std::string event(const std::string& pod, const std::string& reason) {
  return R"({"type": "event", "pod": ")" + pod + R"(", "reason": ")" + reason + R"("})";
}

TEST(PodTally, CountsStartsAndTheMostAtOnce) {
  PodTally tally;
  const std::vector<std::pair<const char*, const char*>> said = {
      {"step-1", "PodStarted"}, {"step-2", "PodStarted"},  {"step-1", "PodAsleep"},
      {"step-3", "PodStarted"},  // step-1 is on its way, not gone
      {"step-1", "PodEnded"},   {"step-2", "PodDraining"}, {"step-2", "PodEnded"},
      {"step-4", "PodStarted"}, {"step-3", "PodEnded"},    {"step-4", "PodEnded"}};
  for (const auto& [pod, reason] : said) {
    const auto taken = tally.take(event(pod, reason));
    ASSERT_TRUE(taken);
    EXPECT_EQ(*taken, reason);
  }
  EXPECT_EQ(tally.started(), 4U);
  EXPECT_EQ(tally.most_at_once(), 3U);
  EXPECT_TRUE(tally.faults().empty());
}

TEST(PodTally, NamesEndsThatNobodyAskedFor) {
  PodTally tally;
  ASSERT_TRUE(tally.take(event("step-1", "PodStarted")));
  ASSERT_TRUE(tally.take(event("step-1", "PodCrashed")));
  ASSERT_TRUE(tally.take(event("step-2", "PodStartFailed")));
  ASSERT_TRUE(tally.take(event("step-3", "PodStarted")));
  EXPECT_EQ(tally.started(), 2U);
  EXPECT_EQ(tally.most_at_once(), 1U);
  EXPECT_THAT(tally.faults(), ElementsAre(Pair("PodCrashed", 1U), Pair("PodStartFailed", 1U)));
}

TEST(PodTally, LeavesAloneWhatIsOfNoPod) {
  PodTally tally;
  const auto first = tally.take(R"({"type": "pods", "items": [], "ready": {}})");
  ASSERT_TRUE(first);
  EXPECT_EQ(*first, "");
  const auto scaled = tally.take(event("", "Scaled"));
  ASSERT_TRUE(scaled);
  EXPECT_EQ(*scaled, "Scaled");
  EXPECT_TRUE(tally.faults().empty());
  EXPECT_FALSE(tally.take("no json"));
}

// An API that has much to say to whoever watches.
class TalkingApi {
 public:
  TalkingApi() {
    listener_.reset(::socket(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0));
    sockaddr_un address{};
    address.sun_family = AF_UNIX;
    path_.copy(address.sun_path, sizeof address.sun_path - 1);
    EXPECT_EQ(::bind(listener_.get(), reinterpret_cast<sockaddr*>(&address), sizeof address), 0);
    EXPECT_EQ(::listen(listener_.get(), 1), 0);
  }
  ~TalkingApi() { ::unlink(path_.c_str()); }

  const std::string& path() const { return path_; }
  // Whether all was taken; gives up when nobody takes any for 20 s.
  bool say(const std::string& lines) {
    const UniqueFd watcher(::accept4(listener_.get(), nullptr, nullptr, SOCK_CLOEXEC));
    const timeval limit = {20, 0};
    ::setsockopt(watcher.get(), SOL_SOCKET, SO_SNDTIMEO, &limit, sizeof limit);
    return send_all(watcher.get(), "HTTP/1.1 200 OK\r\n\r\n" + lines).has_value();
  }

 private:
  const std::string path_ = testing::TempDir() + "subito-talking-" + std::to_string(::getpid());
  UniqueFd listener_;
};

TEST(PodEvents, TakesWhatComesWhileNobodyAsks) {
  TalkingApi api;
  std::string lines;
  constexpr std::uint32_t kPods = 20'000;  // of 2 MB: more than a socket holds
  for (std::uint32_t pod = 0; pod < kPods; ++pod) {
    lines += event("step-" + std::to_string(pod), "PodStarted") + "\n";
    lines += event("step-" + std::to_string(pod), "PodEnded") + "\n";
  }
  lines += event("", "Scaled") + "\n";
  bool taken = false;
  std::thread node([&] { taken = api.say(lines); });
  auto events = PodEvents::open(api.path(), "step");
  node.join();
  ASSERT_TRUE(events);
  ASSERT_TRUE(taken) << "the node waited for its watcher";
  ASSERT_TRUE(events->read_until("Scaled"));
  EXPECT_EQ(events->tally().started(), kPods);
  EXPECT_EQ(events->tally().most_at_once(), 1U);
  EXPECT_FALSE(events->read_until("Scaled")) << "the node has gone";
}

}  // namespace
}  // namespace subito::bench

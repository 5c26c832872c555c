#include "runtime/node/triggers/schedule_source.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

namespace subito::node {
namespace {

using testing::IsEmpty;
using testing::SizeIs;

constexpr triggers::UnixMs kMinute = 60'000;
constexpr triggers::UnixMs kYear = 365LL * 24 * 60 * kMinute;
constexpr triggers::UnixMs kNow = 50 * kYear;

class ScheduleSourceTest : public testing::Test, public SourceEvents {
 protected:
  void on_recovered(const std::vector<std::string>&, std::optional<std::uint64_t>) override {}
  void on_dead_letters(std::uint64_t) override {}
  void on_found(const triggers::Found& found, std::vector<Occurrence>,
                std::optional<std::uint64_t>) override {
    last = found;
  }
  void on_taken(const std::string&, std::uint32_t, Occurrence) override {}
  void on_gone(const std::string&) override {}
  void on_unfit(const std::string&, std::string) override {}
  void on_settled(const std::vector<std::string>&, std::optional<std::uint64_t>) override {}
  void on_source_error(const std::string&) override {}

  triggers::Found look() {
    last.reset();
    source.look(1, 0);
    while (!last) loop.turn(true);
    return *last;
  }

  Loop loop;
  triggers::UnixMs now = kNow;
  std::optional<triggers::Found> last;
  ScheduleSource source{loop,
                        nullptr,
                        *this,
                        {},
                        *triggers::Cron::parse("*/5 * * * *"),
                        "test",
                        [this] { return now; }};
};

TEST_F(ScheduleSourceTest, IsDueWhenItsTimeHasCome) {
  EXPECT_THAT(look().items, IsEmpty());
  now = source.next();
  EXPECT_THAT(look().items, SizeIs(1));
}

TEST_F(ScheduleSourceTest, AClockThatIsSetBackDoesNotSilenceIt) {
  now += kYear;
  look();  // due, and the next time is a year ahead of the right clock
  source.acknowledge({last->items.front().id});
  now = kNow;
  EXPECT_THAT(look().items, IsEmpty());
  now = kNow + 5 * kMinute;
  EXPECT_THAT(look().items, SizeIs(1));
}

TEST_F(ScheduleSourceTest, LooksAtAClockThatMayBeSetOnceAMinute) {
  EXPECT_LE(look().next_in, std::chrono::minutes(1));
}

}  // namespace
}  // namespace subito::node

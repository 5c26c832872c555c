#include "runtime/node/journal.h"

#include <gtest/gtest.h>

#include "runtime/node/log_book.h"

namespace subito::node {
namespace {

api::Event event(const std::string& function, const std::string& message) {
  api::Event event;
  event.function = function;
  event.message = message;
  return event;
}

api::LogRecord record(const std::string& pod, const std::string& message) {
  api::LogRecord record;
  record.function = "stock";
  record.pod = pod;
  record.message = message;
  record.unix_ns = 100;
  return record;
}

TEST(JournalTest, KeepsTheLastEventsOfEachFunction) {
  Journal journal;
  for (int i = 0; i < 60; ++i) journal.add(event("stock", std::to_string(i)));
  journal.add(event("checkout", "other"));
  const auto events = journal.events("stock");
  ASSERT_EQ(events.size(), api::kEventsKept);
  EXPECT_EQ(events.front().message, "10");
  EXPECT_EQ(events.back().message, "59");
  journal.forget("stock");
  EXPECT_TRUE(journal.events("stock").empty());
}

TEST(JournalTest, TellsSubscribersWhoMayLeaveFromInside) {
  Journal journal;
  std::vector<std::string> seen;
  const api::SubscriptionId once(1);
  journal.subscribe(once, "stock", [&](const api::Event& e) {
    seen.push_back("once " + e.message);
    journal.unsubscribe(once);
  });
  journal.subscribe(api::SubscriptionId(2), "",
                    [&](const api::Event& e) { seen.push_back("all " + e.message); });
  journal.add(event("stock", "a"));
  journal.add(event("stock", "b"));
  EXPECT_EQ(seen, (std::vector<std::string>{"once a", "all a", "all b"}));
}

TEST(LogBookTest, ForgetsTheOldestWhenItsBytesAreUsedUp) {
  LogBook book;
  for (int i = 0; i < 400; ++i) book.add(record("stock-1", std::string(8000, 'x')));
  api::LogQuery query;
  query.function = "stock";
  query.tail = 10'000;
  const auto kept = book.query(query);
  EXPECT_GT(kept.size(), 100U);
  EXPECT_LT(kept.size() * 8000, kLogBytesMax);
}

TEST(LogBookTest, ShowsThePreviousPodAfterItsEnd) {
  LogBook book;
  book.add(record("stock-1", "crashing"));
  book.pod_ended("stock", "stock-1", true);
  book.add(record("stock-2", "fine"));
  api::LogQuery query;
  query.function = "stock";
  query.previous = true;
  const auto records = book.query(query);
  ASSERT_EQ(records.size(), 1U);
  EXPECT_EQ(records[0].message, "crashing");
  EXPECT_EQ(book.of_pod("stock", "stock-2", 5).size(), 1U);
}

TEST(LogBookTest, APodThatFellAsleepDoesNotHideTheOneThatCrashed) {
  LogBook book;
  EXPECT_EQ(book.previous_pod("stock"), "");
  book.pod_ended("stock", "stock-1", false);
  EXPECT_EQ(book.previous_pod("stock"), "stock-1") << "though it never said anything";
  book.pod_ended("stock", "stock-2", true);
  book.pod_ended("stock", "stock-3", false);
  EXPECT_EQ(book.previous_pod("stock"), "stock-2");
  book.pod_ended("stock", "stock-4", true);
  EXPECT_EQ(book.previous_pod("stock"), "stock-4");
  book.forget("stock");
  EXPECT_EQ(book.previous_pod("stock"), "");
}

TEST(LogBookTest, CutsAMessageThatIsTooLong) {
  LogBook book;
  book.add(record("stock-1", std::string(20'000, 'y')));
  api::LogQuery query;
  query.function = "stock";
  EXPECT_LT(book.query(query).at(0).message.size(), kLogMessageBytesMax + 20);
}

TEST(LogBookTest, AnswersWithinSinceAndTail) {
  LogBook book;
  for (int i = 0; i < 10; ++i) {
    api::LogRecord r = record("stock-1", std::to_string(i));
    r.unix_ns = i;
    book.add(r);
  }
  api::LogQuery query;
  query.function = "stock";
  query.since_unix_ns = 5;
  EXPECT_EQ(book.query(query).size(), 5U);
  query.tail = 2;
  EXPECT_EQ(book.query(query).at(0).message, "8");
}

// What a burst holds of lines of 10 bytes and a name.
constexpr int kBurst = static_cast<int>(kPodLineRates.lines_burst);

class FloodTest : public testing::Test {
 protected:
  void say(const std::string& function, int lines) {
    for (int i = 0; i < lines; ++i) {
      api::LogRecord line = record(function + "-1", "line");
      line.function = function;
      book.add(line);
    }
  }
  std::vector<api::LogRecord> said(const std::string& function) const {
    api::LogQuery query;
    query.function = function;
    query.tail = 100'000;
    return book.query(query);
  }
  ManualClock clock;
  LogBook book{clock};
};

TEST_F(FloodTest, WhoeverFloodsLosesItsOwnLinesAndNobodyElses) {
  int begun = 0;
  book.on_losses([&] { ++begun; });
  for (int i = 0; i < 100; ++i) {
    say("loud", 1000);
    say("quiet", 1);
  }
  EXPECT_EQ(said("quiet").size(), 100U);
  EXPECT_EQ(book.lost("quiet"), 0U);
  EXPECT_EQ(begun, 1);
  const auto lost = static_cast<int>(book.lost("loud"));
  EXPECT_GE(lost, 100'000 - kBurst);
  EXPECT_LT(lost, 100'000);
}

TEST_F(FloodTest, TellsHowManyWereLostInOneLine) {
  say("loud", kBurst * 2);
  const std::uint64_t lost = book.lost("loud");
  book.tell_losses(200);
  EXPECT_EQ(said("loud").back().message,
            std::to_string(lost) + " lines lost: it logs faster than is kept");
  EXPECT_EQ(said("loud").back().fields_json, "{\"lost\":" + std::to_string(lost) + "}");
  EXPECT_EQ(said("loud").back().unix_ns, 200);
  book.tell_losses(201);
  EXPECT_EQ(said("loud").back().unix_ns, 200) << "once";
  say("loud", 1);
  book.tell_losses(202);
  EXPECT_EQ(said("loud").back().message, "1 line lost: it logs faster than is kept");
  EXPECT_EQ(book.lost("loud"), lost + 1);
}

TEST_F(FloodTest, GoesOnWhenTheFloodIsOver) {
  say("loud", kBurst * 2);
  clock.advance(std::chrono::seconds(1));
  const std::uint64_t before = book.lost("loud");
  say("loud", 100);
  EXPECT_EQ(book.lost("loud"), before);
}

TEST_F(FloodTest, TheNodesOwnWordsAboutItAreNotLostWithThem) {
  say("loud", kBurst * 2);
  api::LogRecord crash = record("loud-1", "crashed: SIGSEGV");
  crash.function = "loud";
  crash.stream = api::LogStream::kSystem;
  book.add(crash);
  EXPECT_EQ(said("loud").back().message, "crashed: SIGSEGV");
}

TEST(LogBookTest, LeavesOutFieldsThatAreTooLarge) {
  LogBook book;
  api::LogRecord large = record("stock-1", "x");
  large.fields_json = "{\"a\":\"" + std::string(40'000, 'x') + "\"}";
  book.add(large);
  api::LogQuery query;
  query.function = "stock";
  EXPECT_EQ(book.query(query).at(0).fields_json, "{\"left_out\":\"fields of 40008 bytes\"}");
}

class SeenSink final : public LogSink {
 public:
  void on_record(std::uint64_t number, const api::LogRecord& seen) override {
    words += std::to_string(number) + seen.message + " ";
  }
  void on_forgotten(std::string_view function) override {
    words += "forget:" + std::string(function) + " ";
  }
  std::string words;
};

TEST(LogBookTest, NumbersWhatGoesToTheSinkAndKnowsWhatOnlyThatHas) {
  LogBook book;
  SeenSink sink;
  book.set_sink(&sink);
  EXPECT_EQ(book.oldest_number("stock"), 1U);
  book.add(record("stock-1", "a"));
  book.add(record("stock-1", "b"));
  EXPECT_EQ(book.oldest_number("stock"), 1U);
  for (int i = 0; i < 200; ++i) book.add(record("stock-1", std::string(8000, 'x')));
  EXPECT_GT(book.oldest_number("stock"), 50U);
  book.forget("stock");
  book.add(record("stock-1", "c"));
  EXPECT_EQ(sink.words.substr(0, 6), "1a 2b ");
  EXPECT_EQ(sink.words.substr(sink.words.size() - 16), "forget:stock 1c ");
}

TEST(LogBookTest, TellsFollowersOfOneFunctionAndOfAll) {
  LogBook book;
  std::string seen;
  book.subscribe(api::SubscriptionId(1), "cart",
                 [&](const auto& r) { seen += "cart:" + r.message; });
  book.subscribe(api::SubscriptionId(2), "", [&](const auto& r) { seen += "all:" + r.message; });
  book.add(record("stock-1", "a"));
  EXPECT_EQ(seen, "all:a");
}

}  // namespace
}  // namespace subito::node

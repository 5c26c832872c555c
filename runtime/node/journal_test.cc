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

}  // namespace
}  // namespace subito::node

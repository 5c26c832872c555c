#include "runtime/node/logs/log_files.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <filesystem>
#include <fstream>
#include <optional>

#include "deploy/store/store_testing.h"

namespace subito::node {
namespace {

using testing::ElementsAre;

class LogFilesTest : public testing::Test {
 protected:
  LogFilesTest() { book.set_sink(&files); }

  LogFolder open() {
    auto opened = LogFolder::open(temporary.path(), LogLimits());
    EXPECT_TRUE(opened) << opened.error().message;
    return *std::move(opened);
  }
  void say(const std::string& function, const std::string& message) {
    api::LogRecord record;
    record.unix_ns = wall_clock_nanoseconds();
    record.function = function;
    record.message = message;
    book.add(record);
  }
  std::vector<std::string> in_files(const std::string& function) {
    std::optional<std::vector<std::string>> found;
    LogRead read;
    read.function = function;
    read.before = 1'000'000;
    read.tail = 10'000;
    files.read(read, [&](auto records) {
      found.emplace();
      for (const auto& record : *records) found->push_back(record.message);
    });
    EXPECT_FALSE(found) << "never from inside the call";
    while (!found) loop.turn(true);
    return *found;
  }

  store::TemporaryFolder temporary;
  Loop loop;
  LogBook book;
  LogFiles files{loop, open()};
};

TEST_F(LogFilesTest, AReaderFindsWhatWasSaidBeforeItAsked) {
  say("stock", "a");
  say("stock", "b");
  say("cart", "c");
  EXPECT_THAT(in_files("stock"), ElementsAre("a", "b"));
  say("stock", "d");
  EXPECT_THAT(in_files("stock"), ElementsAre("a", "b", "d"));
  EXPECT_EQ(files.unwritten("stock"), 0U);
}

TEST_F(LogFilesTest, WhatIsSaidIsWrittenThoughNobodyReads) {
  say("stock", "a");
  const std::string folder = temporary.path() + "/stock";
  while (!std::filesystem::exists(folder) || store::count_files(folder) == 0) loop.turn(true);
}

TEST_F(LogFilesTest, OfAForgottenFunctionNothingStays) {
  say("stock", "a");
  EXPECT_THAT(in_files("stock"), ElementsAre("a"));
  say("stock", "b");
  book.forget("stock");
  EXPECT_THAT(in_files("stock"), ElementsAre());
  say("stock", "c");
  EXPECT_THAT(in_files("stock"), ElementsAre("c")) << "one of the same name begins anew";
}

TEST_F(LogFilesTest, WhatTheDiskCannotTakeIsCountedAndServedFromMemory) {
  std::filesystem::remove_all(temporary.path());
  std::ofstream(temporary.path()) << "no folder";
  say("stock", "a");
  bool flushed = false;
  files.flush([&] { flushed = true; });
  while (!flushed) loop.turn(true);
  EXPECT_EQ(files.unwritten("stock"), 1U);
  EXPECT_NE(files.last_fault(), "");
  api::LogQuery query;
  query.function = "stock";
  EXPECT_EQ(book.query(query).size(), 1U);
  std::filesystem::remove(temporary.path());
  say("stock", "b");
  EXPECT_THAT(in_files("stock"), ElementsAre("b"));
  EXPECT_EQ(files.last_fault(), "") << "it is over by itself";
}

TEST_F(LogFilesTest, ADiskThatIsWellAgainIsNoticedThoughNobodySaysAnything) {
  std::filesystem::remove_all(temporary.path());
  std::ofstream(temporary.path()) << "no folder";
  say("stock", "a");
  const auto look = [&] {
    files.try_again();
    bool flushed = false;
    files.flush([&] { flushed = true; });
    while (!flushed) loop.turn(true);
  };
  look();
  EXPECT_NE(files.last_fault(), "");
  look();
  EXPECT_NE(files.last_fault(), "") << "it is not over yet";
  std::filesystem::remove(temporary.path());
  std::filesystem::create_directory(temporary.path());
  look();
  EXPECT_EQ(files.last_fault(), "");
  EXPECT_EQ(store::count_files(temporary.path()), 0U) << "nothing is left of the try";
}

TEST_F(LogFilesTest, ReadsThatWaitAreBoundedAndWritesGoBeforeThem) {
  std::size_t answered = 0;
  std::size_t refused = 0;
  const auto count = [&](const auto& found) { ++(found ? answered : refused); };
  for (std::size_t i = 0; i < kLogReadsMax + 2; ++i) files.read({}, count);  // one runs at once
  say("stock", "a");
  bool flushed = false;
  files.flush([&] { flushed = true; });
  EXPECT_EQ(refused, 0U) << "never from inside the call";
  while (!flushed) loop.turn(true);
  EXPECT_EQ(refused, 1U);
  EXPECT_LE(answered, 2U) << "readers wait, not what is said";
  while (answered < kLogReadsMax + 1) loop.turn(true);
}

TEST_F(LogFilesTest, AtTheEndNobodyWaitsForReads) {
  for (int i = 0; i < 3; ++i) files.read({}, [](const auto&) {});
  std::size_t answered = 0;
  files.read({}, [&](const auto&) { ++answered; });
  say("stock", "a");
  bool closed = false;
  files.close([&] { closed = true; });
  while (!closed) loop.turn(true);
  files.read({}, [&](const auto&) { ++answered; });
  bool later = false;
  files.flush([&] { later = true; });
  while (!later) loop.turn(true);
  EXPECT_EQ(answered, 0U);
  EXPECT_EQ(store::count_files(temporary.path() + "/stock"), 1U);
}

TEST_F(LogFilesTest, WhatWaitsForTheDiskIsBoundedForEachFunction) {
  for (int i = 0; i < 600; ++i) {
    api::LogRecord record;
    record.function = "stock";
    record.message = std::string(8000, 'x');
    files.on_record(static_cast<std::uint64_t>(i), record);
  }
  say("cart", "c");
  EXPECT_GT(files.unwritten("stock"), 50U);
  EXPECT_THAT(in_files("cart"), ElementsAre("c"));
  EXPECT_EQ(in_files("stock").size() + files.unwritten("stock"), 600U);
}

}  // namespace
}  // namespace subito::node

#include "runtime/node/logs/log_folder.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>
#include <sys/resource.h>

#include <csignal>
#include <filesystem>
#include <fstream>

#include "deploy/store/store_testing.h"

namespace subito::node {
namespace {

using testing::ElementsAre;
using testing::HasSubstr;

constexpr std::int64_t kSecond = 1'000'000'000;
constexpr std::int64_t kNow = 1'795'471'445 * kSecond;

class LogFolderTest : public testing::Test {
 protected:
  static LogFolder open(const std::string& path, const LogLimits& limits) {
    auto opened = LogFolder::open(path + "/logs", limits);
    EXPECT_TRUE(opened) << opened.error().message;
    return *std::move(opened);
  }
  void reopen() { folder = open(temporary.path(), limits); }

  static NumberedRecord record(const std::string& function, std::uint64_t number,
                               const std::string& message, std::int64_t unix_ns = kNow) {
    NumberedRecord numbered;
    numbered.number = number;
    numbered.record.function = function;
    numbered.record.pod = function + "-1";
    numbered.record.unix_ns = unix_ns;
    numbered.record.message = message;
    return numbered;
  }
  LogFolder::Unwritten append(const NumberedRecord& one, std::int64_t now = kNow) {
    return folder.append({{one.record.function, {one}}}, now);
  }
  std::vector<std::string> messages(const LogRead& read) const {
    std::vector<std::string> found;
    for (const auto& one : folder.read(read)) found.push_back(one.message);
    return found;
  }
  static LogRead all_of(const std::string& function, std::uint64_t before = 1'000'000) {
    LogRead read;
    read.function = function;
    read.before = before;
    read.tail = 10'000;
    return read;
  }
  std::string file(const std::string& function, int number) const {
    return temporary.path() + "/logs/" + function + "/" + std::to_string(number) + ".ndjson";
  }

  store::TemporaryFolder temporary;
  LogLimits limits{8 << 10, 20 << 10, std::chrono::hours(1)};
  LogFolder folder = open(temporary.path(), limits);
};

TEST_F(LogFolderTest, GivesBackWhatWasSaid) {
  NumberedRecord said = record("stock", 1, "a\nb");
  said.record.level = api::LogLevel::kError;
  said.record.stream = api::LogStream::kSystem;
  said.record.revision = 7;
  said.record.request_id = "50b4";
  said.record.trace_id = "4bf9";
  said.record.fields_json = R"({"sku":"123"})";
  EXPECT_EQ(append(said).fault, "");
  const auto found = folder.read(all_of("stock"));
  ASSERT_EQ(found.size(), 1U);
  EXPECT_EQ(found[0].message, "a\nb");
  EXPECT_EQ(found[0].level, api::LogLevel::kError);
  EXPECT_EQ(found[0].stream, api::LogStream::kSystem);
  EXPECT_EQ(found[0].revision, 7U);
  EXPECT_EQ(found[0].request_id, "50b4");
  EXPECT_EQ(found[0].trace_id, "4bf9");
  EXPECT_EQ(found[0].fields_json, R"({"sku":"123"})");
  EXPECT_EQ(found[0].unix_ns, kNow);
  EXPECT_EQ(found[0].pod, "stock-1");
}

TEST_F(LogFolderTest, ReadsOverFilesAndLivesInTheirOrder) {
  for (std::uint64_t i = 1; i <= 30; ++i)
    append(record("stock", i, std::to_string(i) + std::string(400, 'x')));
  EXPECT_GT(folder.segments().at("stock").size(), 3U);
  reopen();
  append(record("stock", 1, "new life"));
  const auto found = messages(all_of("stock", 5));
  EXPECT_GT(found.size(), 10U);
  EXPECT_EQ(found.back(), "new life");
  EXPECT_THAT(found[found.size() - 2], HasSubstr("30x"));
  EXPECT_THAT(found[found.size() - 3], HasSubstr("29x"));
}

TEST_F(LogFolderTest, LeavesOutWhatIsStillInMemory) {
  for (std::uint64_t i = 1; i <= 5; ++i) append(record("stock", i, std::to_string(i)));
  EXPECT_THAT(messages(all_of("stock", 4)), ElementsAre("1", "2", "3"));
  reopen();
  EXPECT_EQ(messages(all_of("stock", 4)).size(), 5U) << "none of an earlier life is";
}

TEST_F(LogFolderTest, ReadsByTailTimeAndPod) {
  for (std::uint64_t i = 1; i <= 5; ++i) {
    NumberedRecord one =
        record("stock", i, std::to_string(i), kNow + static_cast<std::int64_t>(i) * kSecond);
    if (i == 2) one.record.pod = "stock-9";
    append(one, one.record.unix_ns);
  }
  LogRead read = all_of("stock");
  read.tail = 2;
  EXPECT_THAT(messages(read), ElementsAre("4", "5"));
  read = all_of("stock");
  read.since_unix_ns = kNow + 4 * kSecond;
  EXPECT_THAT(messages(read), ElementsAre("4", "5"));
  read = all_of("stock");
  read.pod = "stock-9";
  EXPECT_THAT(messages(read), ElementsAre("2"));
  reopen();
  EXPECT_THAT(messages(read), ElementsAre()) << "that pod was another life's";
  EXPECT_THAT(messages(all_of("nobody")), ElementsAre());
}

TEST_F(LogFolderTest, AFloodTakesItsOwnFilesAndNobodyElses) {
  append(record("quiet", 1, "still here"));
  for (std::uint64_t i = 1; i <= 200; ++i) append(record("loud", i, std::string(500, 'x')));
  std::uint64_t bytes = 0;
  for (const LogSegment& segment : folder.segments().at("loud")) bytes += segment.bytes;
  EXPECT_LE(bytes, limits.function_bytes_max);
  EXPECT_GE(bytes, limits.function_bytes_max / 2);
  EXPECT_THAT(messages(all_of("quiet")), ElementsAre("still here"));
}

TEST_F(LogFolderTest, WhatIsTooOldGoes) {
  append(record("stock", 1, "old"));
  folder.rotate(kNow + 3600 * kSecond);
  EXPECT_EQ(messages(all_of("stock")).size(), 1U);
  folder.rotate(kNow + 3601 * kSecond);
  EXPECT_THAT(messages(all_of("stock")), ElementsAre());
  EXPECT_FALSE(std::filesystem::exists(file("stock", 1)));
}

TEST_F(LogFolderTest, SkipsALineThatTheEndOfANodeCut) {
  append(record("stock", 1, "whole"));
  std::ofstream(file("stock", 1), std::ios::app) << R"({"n":2,"time":"2026-11-23T22:0)";
  reopen();
  append(record("stock", 1, "after"));
  EXPECT_THAT(messages(all_of("stock")), ElementsAre("whole", "after"));
}

// As a full disk does, at another size: RLIMIT_FSIZE of setrlimit(2).
TEST_F(LogFolderTest, AFullDiskLosesLinesWhichAreCountedAndServesOnWhenThereIsRoom) {
  append(record("stock", 1, "before"));
  rlimit before{};
  ::getrlimit(RLIMIT_FSIZE, &before);
  const auto handler = std::signal(SIGXFSZ, SIG_IGN);
  const rlimit little{200, before.rlim_max};
  ASSERT_EQ(::setrlimit(RLIMIT_FSIZE, &little), 0);
  const LogFolder::Unwritten lost = append(record("stock", 2, std::string(300, 'x')));
  ::setrlimit(RLIMIT_FSIZE, &before);
  std::signal(SIGXFSZ, handler);
  EXPECT_EQ(lost.records.at("stock"), 1U);
  EXPECT_THAT(lost.fault, HasSubstr("stock/1.ndjson: write logs: "));
  EXPECT_EQ(append(record("stock", 3, "after")).fault, "");
  EXPECT_THAT(messages(all_of("stock")), ElementsAre("before", "after"));
}

TEST_F(LogFolderTest, AFolderThatSomebodyTookAwayIsMadeAnew) {
  append(record("stock", 1, "before"));
  std::filesystem::remove_all(temporary.path() + "/logs");
  EXPECT_THAT(append(record("stock", 2, "lost")).fault, HasSubstr("open log file"));
  EXPECT_EQ(append(record("stock", 3, "after")).fault, "");
  EXPECT_THAT(messages(all_of("stock")), ElementsAre("after"));
}

TEST_F(LogFolderTest, ForgetsWhomItIsTold) {
  append(record("stock", 1, "x"));
  append(record("gone", 1, "x"));
  append(record("kept", 1, "x"));
  folder.remove("stock");
  EXPECT_FALSE(std::filesystem::exists(file("stock", 1)));
  folder.keep_only({"kept"});
  EXPECT_THAT(messages(all_of("gone")), ElementsAre());
  EXPECT_THAT(messages(all_of("kept")), ElementsAre("x"));
}

TEST_F(LogFolderTest, IsForItsOwnerAlone) {
  append(record("stock", 1, "x"));
  const auto perms = [](const std::string& path) {
    return std::filesystem::status(path).permissions() &
           (std::filesystem::perms::group_all | std::filesystem::perms::others_all);
  };
  EXPECT_EQ(perms(temporary.path() + "/logs"), std::filesystem::perms::none);
  EXPECT_EQ(perms(file("stock", 1)), std::filesystem::perms::none);
}

}  // namespace
}  // namespace subito::node

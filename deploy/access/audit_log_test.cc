#include "deploy/access/audit_log.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>
#include <sys/resource.h>
#include <sys/stat.h>

#include <csignal>
#include <fstream>
#include <nlohmann/json.hpp>

#include "deploy/access/audit_files.h"
#include "deploy/store/store_testing.h"

namespace subito::access {
namespace {

using testing::ElementsAre;
using testing::HasSubstr;
using testing::IsEmpty;

class AuditLogTest : public testing::Test {
 protected:
  void SetUp() override { reopen(); }
  void reopen() {
    log_.reset();
    auto opened = AuditLog::open(loop_, folder_.path() + "/audit", limits_);
    ASSERT_TRUE(opened) << opened.error().message;
    log_ = *std::move(opened);
  }
  static AuditRecord record(const std::string& action = "deploy") {
    return {1'795'471'445'123'000'000,
            "token ci",
            "192.0.2.7",
            action,
            "shop",
            "stock",
            "done",
            200,
            ""};
  }
  std::string lines(const AuditQuery& query = {}) {
    return read_audit(log_->folder(), query).value();
  }
  std::vector<std::string> actions(const AuditQuery& query = {}) {
    std::vector<std::string> found;
    std::istringstream all(lines(query));
    for (std::string line; std::getline(all, line);)
      found.push_back(nlohmann::json::parse(line).at("action"));
    return found;
  }

  store::TemporaryFolder folder_;
  Loop loop_;
  AuditLimits limits_{kAuditFileBytes, kAuditTotalBytes, Duration::zero()};
  std::unique_ptr<AuditLog> log_;
};

TEST_F(AuditLogTest, ALineSaysWhoDidWhatWhenFromWhereAndWhatCameOfIt) {
  log_->append(record());
  auto line = nlohmann::json::parse(lines());
  line.erase("prev");
  EXPECT_EQ(line, nlohmann::json::parse(R"({"seq": 1, "time": "2026-11-23T22:04:05.123Z",
      "actor": "token ci", "from": "192.0.2.7", "action": "deploy", "namespace": "shop",
      "target": "stock", "outcome": "done", "status": 200})"));
  struct stat info {};
  ASSERT_EQ(::stat(audit_path(log_->folder(), 1).c_str(), &info), 0);
  EXPECT_EQ(info.st_mode & 0777U, 0600U);
}

TEST_F(AuditLogTest, GoesOnBehindItsLastLineAfterARestart) {
  log_->append(record("one"));
  reopen();
  log_->append(record("two"));
  EXPECT_THAT(actions(), ElementsAre("one", "two"));
  EXPECT_THAT(check_chain(lines()), IsEmpty());
}

TEST_F(AuditLogTest, ALineThatIsChangedMissingOrTornIsSeen) {
  for (int i = 0; i < 4; ++i) log_->append(record("act" + std::to_string(i)));
  const std::string all = lines();
  std::string changed = all;
  changed.replace(changed.find("act1"), 4, "act9");
  EXPECT_THAT(check_chain(changed), ElementsAre("line 2: it was changed"));
  std::string missing = all;
  const std::size_t second = missing.find('\n') + 1;
  missing.erase(second, missing.find('\n', second) + 1 - second);
  EXPECT_THAT(check_chain(missing), ElementsAre("line after 1: it is 3, lines are missing"));
  std::filesystem::resize_file(audit_path(log_->folder(), 1), all.size() - 10);
  reopen();
  log_->append(record("later"));
  EXPECT_THAT(check_chain(lines()), ElementsAre("line after 3: it is not whole"));
}

// A full disk lets a file be made, and takes no line of it; then the node is started again.
TEST_F(AuditLogTest, GoesOnAfterFilesThatACrashLeftEmpty) {
  for (int i = 0; i < 3; ++i) log_->append(record("act" + std::to_string(i)));
  for (const std::uint64_t number : {2, 3}) std::ofstream(audit_path(log_->folder(), number));
  reopen();
  EXPECT_EQ(log_->lines(), 3U);
  log_->append(record("later"));
  EXPECT_THAT(actions(), ElementsAre("act0", "act1", "act2", "later"));
  EXPECT_THAT(check_chain(lines()), IsEmpty());
}

TEST_F(AuditLogTest, ATornLineThatIsAloneInItsFileIsTheOnlyFault) {
  for (int i = 0; i < 3; ++i) log_->append(record("act" + std::to_string(i)));
  std::ofstream(audit_path(log_->folder(), 2)) << R"({"seq":4,"time":"2026-11-23T22:04:05.123Z",)";
  reopen();
  log_->append(record("later"));
  EXPECT_THAT(check_chain(lines()), ElementsAre("line after 3: it is not whole"));
}

TEST_F(AuditLogTest, GoesOnBehindTheEndOfAFileThatIsNotReadWhole) {
  while (std::filesystem::file_size(audit_path(log_->folder(), 1)) < 2 * kAuditTailBytes)
    log_->append(record());
  const std::uint64_t count = log_->lines();
  reopen();
  EXPECT_EQ(log_->lines(), count);
  log_->append(record());
  EXPECT_THAT(check_chain(read_audit_file(audit_path(log_->folder(), 1)).value()), IsEmpty());
}

// A line longer than what is read of the end.
TEST_F(AuditLogTest, GoesBackBehindATornLineOfAnyLength) {
  log_->append(record("act0"));
  std::ofstream(audit_path(log_->folder(), 1), std::ios::app)
      << std::string(2 * kAuditTailBytes, 'x');
  reopen();
  log_->append(record("later"));
  EXPECT_THAT(check_chain(read_audit_file(audit_path(log_->folder(), 1)).value()),
              ElementsAre("line after 1: it is not whole"));
}

// File systems that know a file's size before its content leave zeros.
TEST_F(AuditLogTest, ZerosThatAPowerCutLeftAreALineThatIsNotWhole) {
  for (int i = 0; i < 2; ++i) log_->append(record("act" + std::to_string(i)));
  const std::string path = audit_path(log_->folder(), 1);
  std::filesystem::resize_file(path, std::filesystem::file_size(path) + 4096);
  reopen();
  EXPECT_EQ(log_->lines(), 2U);
  log_->append(record("later"));
  EXPECT_THAT(check_chain(lines()), ElementsAre("line after 2: it is not whole"));
}

// The later file was on the disk before the end of the one before.
TEST_F(AuditLogTest, LinesThatAPowerCutTookFromTheMidstAreMissed) {
  limits_.file_bytes = 500;
  reopen();
  for (int i = 0; i < 4; ++i) log_->append(record("act" + std::to_string(i)));
  const std::string path = audit_path(log_->folder(), 1);
  const std::string first = read_audit_file(path).value();
  ASSERT_EQ(std::count(first.begin(), first.end(), '\n'), 3);
  std::filesystem::resize_file(path, first.find('\n') + 1);
  reopen();
  log_->append(record("later"));
  EXPECT_THAT(check_chain(lines()), ElementsAre("line after 1: it is 4, lines are missing"));
  EXPECT_THAT(actions(), ElementsAre("act0", "act3", "later"));
}

TEST_F(AuditLogTest, ANewFileBeginsWhenOneIsFullAndTheChainGoesOn) {
  limits_.file_bytes = 1000;
  reopen();
  for (int i = 0; i < 20; ++i) log_->append(record("act" + std::to_string(i)));
  EXPECT_GT(audit_files(log_->folder())->size(), 3U);
  EXPECT_EQ(actions().size(), 20U);
  EXPECT_THAT(check_chain(lines()), IsEmpty());
  EXPECT_THAT(actions({0, 2}), ElementsAre("act18", "act19"));
}

TEST_F(AuditLogTest, BeyondTheTotalTheOldestGoAndALineSaysSo) {
  limits_.file_bytes = 1000;
  limits_.total_bytes = 4000;
  reopen();
  for (int i = 0; i < 40; ++i) log_->append(record());
  std::uint64_t total = 0;
  const auto files = audit_files(log_->folder()).value();
  for (const AuditFile& file : files) total += file.bytes;
  EXPECT_LT(total, 5000U);
  EXPECT_THAT(lines(), HasSubstr(R"("action":"audit.drop")"));
  EXPECT_THAT(check_chain(lines()), IsEmpty());
}

TEST_F(AuditLogTest, OnlyLinesFromATimeOnAreRead) {
  AuditRecord old = record("old");
  old.unix_ns -= 3'600'000'000'000;
  log_->append(old);
  log_->append(record("new"));
  EXPECT_THAT(actions({record().unix_ns, 100}), ElementsAre("new"));
}

TEST_F(AuditLogTest, WhoFollowsIsToldOfEachLineOnceAcrossFilesUntilHeLeaves) {
  limits_.file_bytes = 1000;
  reopen();
  log_->append(record("before"));
  std::string told;
  AuditQuery older;
  older.seq_max = log_->lines();
  auto follower = log_->follow([&](const std::string& line) { told += line + "\n"; });
  for (int i = 0; i < 8; ++i) log_->append(record("act" + std::to_string(i)));
  EXPECT_EQ(lines(older) + told, lines());
  older.tail = 3;
  EXPECT_THAT(actions(older), ElementsAre("before"));
  follower.reset();
  log_->append(record("after"));
  EXPECT_THAT(told, testing::Not(HasSubstr("after")));
}

TEST_F(AuditLogTest, WhoIsToldMayLeaveAndEndAnother) {
  std::vector<std::shared_ptr<const AuditLog::OnLine>> followers(2);
  int told = 0;
  for (auto& one : followers) {
    one = log_->follow([&](const std::string&) {
      ++told;
      followers.clear();
    });
  }
  log_->append(record());
  log_->append(record());
  EXPECT_EQ(told, 1);
}

TEST_F(AuditLogTest, ATornLineHidesNoFileBeforeIt) {
  limits_.file_bytes = 500;
  reopen();
  for (int i = 0; i < 4; ++i) log_->append(record("act" + std::to_string(i)));
  const auto files = audit_files(log_->folder()).value();
  ASSERT_GT(files.size(), 1U);
  std::filesystem::resize_file(files.back().path, 9);
  const std::string since_then = lines({record().unix_ns, 100});
  EXPECT_THAT(since_then, HasSubstr("act0"));
  EXPECT_THAT(check_chain(since_then), ElementsAre(HasSubstr("it is not whole")));
}

TEST_F(AuditLogTest, WhereNothingCanBeWrittenItSaysSoUntilItCan) {
  log_->append(record("before"));
  std::signal(SIGXFSZ, SIG_IGN);
  rlimit limit{};
  ASSERT_EQ(::getrlimit(RLIMIT_FSIZE, &limit), 0);
  const rlimit full{std::filesystem::file_size(audit_path(log_->folder(), 1)) + 10, limit.rlim_max};
  ASSERT_EQ(::setrlimit(RLIMIT_FSIZE, &full), 0);
  EXPECT_TRUE(log_->ready());  // it does not know yet
  log_->append(record("lost"));
  EXPECT_FALSE(log_->ready());
  EXPECT_THAT(log_->fault(), HasSubstr("; changes are refused until"));
  EXPECT_EQ(log_->lost(), 1U);
  ASSERT_EQ(::setrlimit(RLIMIT_FSIZE, &limit), 0);
  EXPECT_EQ(log_->fault(), "") << "it tries again by itself";
  EXPECT_TRUE(log_->ready());
  log_->append(record("after"));
  EXPECT_THAT(actions(), ElementsAre("before", "audit.resume", "after"));
  EXPECT_THAT(lines(), HasSubstr("1 lines are missing"));
  EXPECT_THAT(check_chain(lines()), IsEmpty());
}

TEST_F(AuditLogTest, RefusalsWithoutEndAreCountedNotWritten) {
  TimePoint now{std::chrono::seconds(1000)};
  for (int i = 0; i < 1000; ++i) log_->append_refused(record(), now);
  EXPECT_EQ(log_->lines(), static_cast<std::uint64_t>(kRefusalsBurst));
  EXPECT_EQ(log_->left_out(), 1000U - kRefusalsBurst);
  log_->append_refused(record(), now + kRefusalEach);
  EXPECT_THAT(lines(), HasSubstr("900 refusals before it are left out"));
}

TEST_F(AuditLogTest, RefusalsWithoutEndLeaveAMonthOfHistory) {
  TimePoint now{std::chrono::hours(1)};
  AuditRecord wild = record();
  wild.target = wild.name_space = std::string(10'000, '\1');
  wild.actor = wild.from = std::string(10'000, '"');
  const auto total = std::chrono::minutes(60);
  for (const TimePoint end = now + total; now < end; now += std::chrono::seconds(1))
    log_->append_refused(wild, now);
  const auto hour = static_cast<std::uint64_t>(total / kRefusalEach);
  EXPECT_LE(log_->lines(), hour + kRefusalsBurst);
  std::size_t longest = 0;
  std::istringstream all(lines());
  for (std::string line; std::getline(all, line);) longest = std::max(longest, line.size() + 1);
  EXPECT_LE(longest, kRefusalLineBytesMax);
  EXPECT_GE(kAuditTotalBytes / (kRefusalLineBytesMax * hour), 24U * 30U);
}

TEST_F(AuditLogTest, WhatAClientChoseIsCutOffAndCannotBreakALine) {
  AuditRecord wild = record();
  wild.target = "\"\n{\xff" + std::string(10'000, 'x');
  log_->append(wild);
  EXPECT_LT(lines().size(), 1000U);
  EXPECT_EQ(actions().size(), 1U);
}

}  // namespace
}  // namespace subito::access

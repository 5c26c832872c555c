// The kernel has an event before the call that caused it returns: nothing here waits.
#include "deploy/cli/folder_watch.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <filesystem>
#include <fstream>

namespace subito::cli {
namespace {

namespace fs = std::filesystem;
using testing::ElementsAre;
using testing::HasSubstr;
using testing::IsEmpty;

class FolderWatchTest : public testing::Test {
 protected:
  void SetUp() override {
    std::string folder = testing::TempDir() + "subito-watch-XXXXXX";
    ASSERT_NE(::mkdtemp(folder.data()), nullptr);
    folder_ = folder;
    fs::create_directories(folder_ / "build/deep");
    fs::create_directories(folder_ / "src/deep");
    write(".gitignore", "/debug/\n*.log\n");
    write("main.cc");
    auto watch = FolderWatch::open(folder_);
    ASSERT_TRUE(watch) << watch.error().message;
    watch_.emplace(std::move(*watch));
  }
  void TearDown() override { fs::remove_all(folder_); }

  void write(const std::string& path, const std::string& text = "x") {
    std::ofstream(folder_ / path) << text;
  }
  std::set<std::string> changes() {
    const auto changes = watch_->changes();
    EXPECT_TRUE(changes) << changes.error().message;
    return changes.value_or(std::set<std::string>{"failed"});
  }

  fs::path folder_;
  std::optional<FolderWatch> watch_;
};

TEST_F(FolderWatchTest, TellsEveryFileOnce) {
  EXPECT_THAT(changes(), IsEmpty());
  write("main.cc", "a");
  write("main.cc", "b");
  write("src/deep/part.cc");
  fs::remove(folder_ / "main.cc");
  EXPECT_THAT(changes(), ElementsAre("main.cc", "src/deep/part.cc"));
  EXPECT_THAT(changes(), IsEmpty());
}

TEST_F(FolderWatchTest, AFileMovedInPlaceIsAChangeAndWhatEditorsLeaveIsNone) {
  write(".main.cc.swp");
  write("4913");
  write("main.cc~");
  write("main.cc.tmp");
  EXPECT_THAT(changes(), IsEmpty());
  fs::rename(folder_ / "main.cc.tmp", folder_ / "main.cc");
  EXPECT_THAT(changes(), ElementsAre("main.cc"));
}

TEST_F(FolderWatchTest, WhatABuildMakesIsNoChange) {
  write("build/deep/main.o");
  fs::create_directory(folder_ / "debug");
  write("debug/main.o");
  write("run.log");
  fs::create_directory(folder_ / ".git");
  write(".git/index");
  EXPECT_THAT(changes(), IsEmpty());
}

TEST_F(FolderWatchTest, NewFoldersAreWatchedWithWhatIsInThemAlready) {
  fs::create_directories(folder_ / "new/deep");
  write("new/deep/early.cc");
  EXPECT_THAT(changes(), ElementsAre("new/deep/early.cc"));
  write("new/deep/late.cc");
  EXPECT_THAT(changes(), ElementsAre("new/deep/late.cc"));
}

TEST_F(FolderWatchTest, AFolderMovedAwayIsWatchedNoMore) {
  const fs::path elsewhere = folder_.string() + "-elsewhere";
  fs::rename(folder_ / "src", elsewhere);
  EXPECT_THAT(changes(), ElementsAre("src"));
  std::ofstream(elsewhere / "deep/part.cc") << "x";
  EXPECT_THAT(changes(), IsEmpty());
  fs::remove_all(elsewhere);
}

TEST_F(FolderWatchTest, TellsThatTheFolderItselfIsGone) {
  fs::remove_all(folder_);
  const auto gone = watch_->changes();
  ASSERT_FALSE(gone);
  EXPECT_THAT(gone.error().message, HasSubstr("the folder is gone"));
  EXPECT_FALSE(FolderWatch::open(folder_));
}

}  // namespace
}  // namespace subito::cli

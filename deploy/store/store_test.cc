#include "deploy/store/store.h"

#include <fcntl.h>
#include <gmock/gmock.h>
#include <gtest/gtest.h>
#include <sys/stat.h>

#include <filesystem>
#include <fstream>

#include "deploy/manifest/defaults.h"
#include "deploy/store/store_testing.h"

namespace subito::store {
namespace {

using testing::ElementsAre;
using testing::HasSubstr;

class StoreTest : public testing::Test {
 protected:
  TemporaryFolder folder_;
  std::unique_ptr<Store> store_ = open_or_die(folder_.path());

  void reopen() {
    store_.reset();
    store_ = open_or_die(folder_.path());
  }
  // One line a revision, current ones with a star.
  std::vector<std::string> revisions(const std::string& name) {
    std::vector<std::string> words;
    const auto all = store_->revisions(name).value();
    for (const Revision& revision : all)
      words.push_back(std::to_string(revision.number) + (revision.current ? "*" : ""));
    return words;
  }
};

TEST_F(StoreTest, KeepsWhatWasCommitted) {
  const std::string hash = put(*store_, "binary one");
  const auto candidate = store_->prepare(function("hello", "1"), hash);
  ASSERT_TRUE(candidate) << candidate.error().message;
  EXPECT_EQ(store_->functions()->size(), 0U);  // a candidate is nobody's function yet
  EXPECT_EQ(store_->revision("hello", candidate->number)->artefact, hash);
  ASSERT_TRUE(store_->commit(*candidate));
  reopen();
  const auto record = store_->function("hello");
  ASSERT_TRUE(record) << record.error().message;
  EXPECT_EQ(record->revision.number, 1U);
  EXPECT_TRUE(record->revision.current);
  EXPECT_EQ(record->revision.spec.spec().settings().at("marker"), "1");
  EXPECT_EQ(content(store_->artefact_path(hash).value()), "binary one");
}

TEST_F(StoreTest, ACandidateChangesNothingUntilItIsCommitted) {
  deploy(*store_, "hello", "1");
  const auto candidate = store_->prepare(function("hello", "2"), put(*store_, "2")).value();
  EXPECT_EQ(store_->function("hello")->revision.number, 1U);
  ASSERT_TRUE(store_->drop(candidate));
  EXPECT_EQ(store_->commit(candidate).error().code, ErrorCode::kNotFound);
  deploy(*store_, "hello", "3");
  EXPECT_THAT(revisions("hello"), ElementsAre("3*", "1"));  // 2 is not used again
}

TEST_F(StoreTest, ADroppedFirstCandidateLeavesNoFunction) {
  const auto candidate = store_->prepare(function("hello", "1"), put(*store_, "1")).value();
  ASSERT_TRUE(store_->drop(candidate));
  EXPECT_EQ(store_->remove_function("hello").error().code, ErrorCode::kNotFound);
}

TEST_F(StoreTest, OpeningDropsCandidatesAndGarbage) {
  deploy(*store_, "hello", "1");
  const std::string lost = put(*store_, "never deployed");
  const std::string tried = put(*store_, "tried");
  ASSERT_TRUE(store_->prepare(function("hello", "2"), tried));
  ASSERT_TRUE(store_->prepare(function("other", "1"), tried));
  std::ofstream(folder_.path() + "/artefacts/incoming-abc123") << "half";
  reopen();
  EXPECT_THAT(revisions("hello"), ElementsAre("1*"));
  EXPECT_EQ(store_->function("other").error().code, ErrorCode::kNotFound);
  EXPECT_FALSE(store_->artefact_path(lost));
  EXPECT_FALSE(store_->artefact_path(tried));
  EXPECT_EQ(count_files(folder_.path() + "/artefacts"), 1);
}

TEST_F(StoreTest, KeepsTheLastRevisionsAndTheirBinariesOnly) {
  constexpr int kKept = manifest::kRevisionsKept;
  for (int i = 1; i <= kKept + 4; ++i) deploy(*store_, "hello", std::to_string(i));
  const auto kept = store_->revisions("hello").value();
  ASSERT_EQ(kept.size(), static_cast<std::size_t>(kKept + 1));
  EXPECT_EQ(kept.front().number, static_cast<std::uint64_t>(kKept + 4));
  EXPECT_EQ(kept.back().number, 4U);
  EXPECT_EQ(count_files(folder_.path() + "/artefacts"), kKept + 1);
}

TEST_F(StoreTest, ForgetsNoRevisionThatServesOrIsInUse) {
  for (int i = 1; i <= 4; ++i) deploy(*store_, "hello", std::to_string(i));
  manifest::Function last = function("hello", "5");
  last.mutable_spec()->mutable_rollout()->set_revisions_kept(0);
  const auto candidate = store_->prepare(last, put(*store_, "5"), "why").value();
  Serving serving;
  serving.current = 5;
  serving.shares = {{5, 90}, {2, 10}};
  ASSERT_TRUE(store_->commit(candidate, serving, {3}));
  EXPECT_THAT(revisions("hello"), ElementsAre("5*", "3", "2"));
  EXPECT_EQ(count_files(folder_.path() + "/artefacts"), 3);
  reopen();
  EXPECT_EQ(store_->serving("hello")->shares, (std::vector<Share>{{2, 10}, {5, 90}}));
  EXPECT_EQ(store_->revision("hello", 5)->message, "why");
  serving.shares.clear();
  ASSERT_TRUE(store_->set_serving("hello", serving));
  EXPECT_THAT(revisions("hello"), ElementsAre("5*"));
  EXPECT_EQ(count_files(folder_.path() + "/artefacts"), 1);
}

TEST_F(StoreTest, ServesNoRevisionThatIsNotThere) {
  deploy(*store_, "hello", "1");
  Serving serving = store_->serving("hello").value();
  serving.shares = {{1, 50}, {2, 50}};
  EXPECT_EQ(store_->set_serving("hello", serving).error().code, ErrorCode::kNotFound);
  EXPECT_TRUE(store_->serving("hello")->shares.empty());
  EXPECT_EQ(store_->serving("nobody").error().code, ErrorCode::kNotFound);
}

TEST_F(StoreTest, SharesOneBinaryBetweenFunctionsAndKeepsItWhileOneNeedsIt) {
  const std::string hash = put(*store_, "shared");
  for (const char* name : {"a", "b"})
    ASSERT_TRUE(store_->commit(store_->prepare(function(name, "1"), hash).value()));
  ASSERT_TRUE(store_->remove_function("a"));
  EXPECT_TRUE(store_->artefact_path(hash));
  ASSERT_TRUE(store_->remove_function("b"));
  EXPECT_FALSE(store_->artefact_path(hash));
  EXPECT_EQ(store_->functions()->size(), 0U);
}

TEST_F(StoreTest, ListsFunctionsByName) {
  for (const char* name : {"stock", "catalogue", "checkout"}) deploy(*store_, name, "1");
  std::vector<std::string> names;
  const auto all = store_->functions().value();
  for (const auto& record : all) names.push_back(record.revision.function);
  EXPECT_THAT(names, ElementsAre("catalogue", "checkout", "stock"));
}

TEST_F(StoreTest, ScalesInPlaceAndOnlyWithinReason) {
  deploy(*store_, "hello", "1");
  ASSERT_TRUE(store_->set_scaling("hello", 1, 5));
  ASSERT_TRUE(store_->set_scaling("hello", 2, std::nullopt));
  reopen();
  const auto scaling = store_->function("hello")->revision.spec.spec().scaling();
  EXPECT_EQ(scaling.min(), 2);
  EXPECT_EQ(scaling.max(), 5);
  EXPECT_TRUE(store_->function("hello")->revision.scaled);
  deploy(*store_, "hello", "2");
  EXPECT_FALSE(store_->function("hello")->revision.scaled) << "a deploy undoes it";
  ASSERT_TRUE(store_->set_scaling("hello", 2, 5));
  EXPECT_THAT(store_->set_scaling("hello", 6, std::nullopt).error().message,
              HasSubstr("minimum 6 is above maximum 5"));
  EXPECT_EQ(store_->set_scaling("nobody", 1, 1).error().code, ErrorCode::kNotFound);
}

TEST_F(StoreTest, KnowsADeployThatWouldChangeNothing) {
  deploy(*store_, "hello", "1");
  const std::string hash = store_->function("hello")->revision.artefact;
  EXPECT_TRUE(store_->is_current(function("hello", "1"), hash).value());
  EXPECT_FALSE(store_->is_current(function("hello", "2"), hash).value());
  EXPECT_FALSE(store_->is_current(function("hello", "1"), std::string(64, '0')).value());
  EXPECT_FALSE(store_->is_current(function("other", "1"), hash).value());
}

TEST_F(StoreTest, RefusesAnArtefactThatIsNotThere) {
  EXPECT_EQ(store_->prepare(function("a", "1"), std::string(64, 'a')).error().code,
            ErrorCode::kNotFound);
  EXPECT_EQ(store_->prepare(function("a", "1"), "../../etc/passwd").error().code,
            ErrorCode::kInvalidArgument);
}

TEST_F(StoreTest, ArtefactsAreOnlyTakenUnderTheirOwnHash) {
  auto writer = store_->begin_artefact().value();
  ASSERT_TRUE(writer.write("abc"));
  const auto wrong = writer.finish(std::string(64, '0'));
  ASSERT_FALSE(wrong);
  EXPECT_THAT(wrong.error().message, HasSubstr("its SHA-256 is ba7816bf"));
  EXPECT_EQ(put(*store_, "abc"),
            "ba7816bf8f01cfea414140de5dae2223b00361a396177a9cb410ff61f20015ad");
}

TEST_F(StoreTest, AnAbandonedArtefactLeavesNothing) {
  {
    auto writer = store_->begin_artefact().value();
    ASSERT_TRUE(writer.write("half"));
  }
  EXPECT_EQ(count_files(folder_.path() + "/artefacts"), 0);
}

TEST_F(StoreTest, FilesCanBeExecutedByOthersButNotRead) {
  const std::string path = store_->artefact_path(put(*store_, "x")).value();
  const auto mode = [](const std::string& of) {
    struct stat info {};
    EXPECT_EQ(::stat(of.c_str(), &info), 0) << of;
    return info.st_mode & 07777;
  };
  EXPECT_EQ(mode(path), 0711U);
  EXPECT_EQ(mode(folder_.path()), 0711U);
  EXPECT_EQ(mode(folder_.path() + "/artefacts"), 0711U);
  EXPECT_EQ(mode(folder_.path() + "/state.db"), 0600U);
  EXPECT_EQ(mode(folder_.path() + "/state.db-wal"), 0600U);
}

TEST_F(StoreTest, OneProcessPerFolderAndTheErrorNamesIt) {
  const auto second = Store::open(folder_.path());
  ASSERT_FALSE(second);
  EXPECT_EQ(second.error().code, ErrorCode::kAlreadyExists);
  EXPECT_EQ(
      second.error().message,
      "open data folder " + folder_.path() + ": a node runs there already (pid " +
          std::to_string(::getpid()) +
          "); another one needs a folder and port of its own: subito up --data FOLDER --listen "
          "ADDRESS:PORT");
}

TEST_F(StoreTest, RefusesAFolderOfANewerSubito) {
  store_.reset();
  {
    auto database = Database::open(folder_.path() + "/state.db").value();
    ASSERT_TRUE(database.execute("PRAGMA user_version = 99"));
  }
  const auto opened = Store::open(folder_.path());
  ASSERT_FALSE(opened);
  EXPECT_THAT(opened.error().message, HasSubstr("written by a newer Subito (schema 99"));
}

TEST_F(StoreTest, BringsAFolderOfTheFirstSchemaUpToDate) {
  deploy(*store_, "hello", "1");
  store_.reset();
  {
    auto database = Database::open(folder_.path() + "/state.db").value();
    ASSERT_TRUE(
        database.execute("ALTER TABLE revisions DROP COLUMN scaled;"
                         "ALTER TABLE revisions DROP COLUMN message;"
                         "DROP TABLE object_values;"
                         "DROP TABLE objects;"
                         "DROP TABLE traffic"));
    for (const char* column :
         {"previous", "target", "rollout_state", "rollout_reason", "rollout_ns"}) {
      const std::string drop = std::string("ALTER TABLE functions DROP COLUMN ") + column;
      ASSERT_TRUE(database.execute(drop.c_str()));
    }
    ASSERT_TRUE(database.execute("PRAGMA user_version = 1"));
  }
  reopen();
  EXPECT_FALSE(store_->function("hello")->revision.scaled);
  ASSERT_TRUE(store_->set_scaling("hello", 1, 5));
  EXPECT_EQ(store_->serving("hello")->current, 1U);
  EXPECT_EQ(store_->serving("hello")->state, RolloutState::kComplete);
}

TEST_F(StoreTest, KeepsSettings) {
  EXPECT_EQ(store_->setting("uid").value(), std::nullopt);
  ASSERT_TRUE(store_->set_setting("uid", "1"));
  ASSERT_TRUE(store_->set_setting("uid", "2"));
  reopen();
  EXPECT_EQ(store_->setting("uid").value(), "2");
}

TEST(StoreOpen, SaysWhyAFolderCannotBeMade) {
  EXPECT_THAT(Store::open("/proc/nothing/here").error().message,
              HasSubstr("make data folder /proc/nothing/here: "));
}

}  // namespace
}  // namespace subito::store

#include "runtime/bindings/lookups.h"

#include <optional>
#include <string>
#include <vector>

#include "runtime/bindings/test_support.h"

namespace subito::bindings {
namespace {

class LookupsTest : public testing::Test {
 protected:
  LookupId look_up(const std::string& owner, const std::string& host = "localhost") {
    return lookups_->start(owner, host, "80", [this, owner](int status, const addrinfo* found) {
      EXPECT_EQ(status == 0, found != nullptr);
      done_.push_back(owner + (status == 0 ? "" : " failed"));
    });
  }
  void run_until_done(std::size_t count) {
    busy_.reset();
    run_until(loop_, [&] { return done_.size() >= count; });
  }

  Loop loop_;
  std::optional<BusyThreads> busy_{loop_};
  std::optional<Lookups> lookups_{loop_};
  std::vector<std::string> done_;
};

TEST_F(LookupsTest, OneNameOfAnOwnerIsLookedUpAtATime) {
  look_up("slow");
  const LookupId second = look_up("slow");
  const LookupId other = look_up("other");
  EXPECT_EQ(lookups_->running(), 2U);
  EXPECT_TRUE(lookups_->in_line(second));
  EXPECT_FALSE(lookups_->in_line(other));
  run_until_done(3);
  EXPECT_EQ(done_.size(), 3U);
  EXPECT_EQ(lookups_->running(), 0U);
}

TEST_F(LookupsTest, OneThatWasGivenUpCountsUntilLibuvHasLetGoOfIt) {
  const LookupId first = look_up("slow");
  const LookupId second = look_up("slow");
  lookups_->cancel(first);
  EXPECT_EQ(lookups_->running(), 1U);
  EXPECT_TRUE(lookups_->in_line(second));
  run_until(loop_, [&] { return !lookups_->in_line(second); });
  EXPECT_EQ(lookups_->running(), 1U) << "the second, in place of the first";
  run_until_done(1);
  EXPECT_EQ(done_, (std::vector<std::string>{"slow"}));
}

TEST_F(LookupsTest, OneThatLeavesTheLineIsNeverLookedUp) {
  look_up("slow");
  lookups_->cancel(look_up("slow"));
  look_up("slow");
  run_until_done(2);
  for (int turn = 0; turn < 10; ++turn) loop_.turn(false);
  EXPECT_EQ(done_.size(), 2U);
}

TEST_F(LookupsTest, ANameThatLibuvDoesNotTakeHoldsUpNobody) {
  look_up("odd", "\xff");
  EXPECT_TRUE(done_.empty()) << "called back inside start()";
  look_up("odd");
  run_until_done(2);
  EXPECT_EQ(done_, (std::vector<std::string>{"odd failed", "odd"}));
}

TEST_F(LookupsTest, MayGoWhileNamesAreLookedUp) {
  look_up("slow");
  look_up("slow");
  lookups_.reset();
  busy_.reset();
  for (int turn = 0; turn < 10; ++turn) loop_.turn(false);
  EXPECT_TRUE(done_.empty());
}

}  // namespace
}  // namespace subito::bindings

#include "runtime/node/symbolizer.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <optional>

#include "runtime/symbols/symbol_sample.h"

namespace subito::node {
namespace {

using symbols::run_sample;
using symbols::sample_path;
using testing::ElementsAre;
using testing::HasSubstr;
using testing::StartsWith;

class SymbolizerTest : public testing::Test {
 protected:
  BacktraceQuery query(const std::string& sample, std::uint64_t address) const {
    BacktraceQuery query;
    query.function = "stock";
    query.binary = sample_path(sample);
    query.addresses = {address};
    return query;
  }
  Symbolizer::Callback keep() {
    return [this](const Backtrace& backtrace) { answers.push_back(backtrace); };
  }
  void settle() {
    while (uv_loop_alive(loop.raw()) != 0) loop.turn(true);
  }

  Loop loop;
  Symbolizer symbolizer{loop};
  std::vector<Backtrace> answers;
};

TEST_F(SymbolizerTest, NamesFramesLaterAndWhatItKnowsAtOnce) {
  const std::uint64_t caller = run_sample("functions").caller;
  symbolizer.look_up(query("functions", caller), keep());
  EXPECT_TRUE(answers.empty());
  settle();
  ASSERT_EQ(answers.size(), 1U);
  EXPECT_THAT(answers[0].frames, ElementsAre(StartsWith("sample::outer(int) + 0x")));
  EXPECT_EQ(answers[0].note, "");
  symbolizer.look_up(query("functions", caller), keep());
  ASSERT_EQ(answers.size(), 2U);
  EXPECT_EQ(answers[1].frames, answers[0].frames);
}

TEST_F(SymbolizerTest, TellsWhetherSourceLinesAreKnown) {
  symbolizer.look_up(query("functions", run_sample("functions").caller), keep());
  symbolizer.look_up(query("lines", run_sample("lines").caller), keep());
  settle();
  ASSERT_EQ(answers.size(), 2U);
  EXPECT_FALSE(answers[0].lines);
  EXPECT_TRUE(answers[1].lines);
}

TEST_F(SymbolizerTest, TakesTheFirstAddressAsItIsWhereSomethingCrashed) {
  BacktraceQuery crash = query("functions", run_sample("functions").inner);
  crash.addresses.push_back(crash.addresses[0]);
  crash.returns_only = false;
  symbolizer.look_up(crash, keep());
  settle();
  ASSERT_EQ(answers.at(0).frames.size(), 2U);
  EXPECT_EQ(answers[0].frames[0], "sample::inner(int) + 0x0");
  EXPECT_NE(answers[0].frames[1], answers[0].frames[0]);
}

TEST_F(SymbolizerTest, KeepsAddressesThatItKnowsNothingOf) {
  symbolizer.look_up(query("functions", 0x10), keep());
  settle();
  EXPECT_THAT(answers.at(0).frames, ElementsAre("0x10"));
}

TEST_F(SymbolizerTest, SaysWhyThereAreNoNames) {
  BacktraceQuery other = query("functions", 0x401000);
  other.build_id = "abc";
  symbolizer.look_up(query("stripped", 0x401000), keep());
  symbolizer.look_up(query("nonexistent", 0x401000), keep());
  symbolizer.look_up(other, keep());
  settle();
  ASSERT_EQ(answers.size(), 3U);
  EXPECT_THAT(answers[0].note, HasSubstr("the binary is stripped; deploy one that keeps its"));
  EXPECT_THAT(answers[1].note, HasSubstr("symbol_sample_nonexistent: No such file"));
  EXPECT_THAT(answers[2].note, HasSubstr("the pod runs build id abc, the deployed binary has "));
  for (const Backtrace& answer : answers) EXPECT_THAT(answer.frames, ElementsAre("0x401000"));
}

TEST_F(SymbolizerTest, KeepsTheAddressesOfWhatComesWhileTooManyWait) {
  const std::uint64_t inner = run_sample("functions").inner;
  for (std::uint64_t i = 0; i < kBacktracesWaitingMax + 1; ++i) {
    symbolizer.look_up(query("functions", inner + i), keep());
  }
  EXPECT_TRUE(answers.empty()) << "one is under way, the others wait";
  symbolizer.look_up(query("functions", inner), keep());
  ASSERT_EQ(answers.size(), 1U);
  EXPECT_THAT(answers[0].note, HasSubstr("too many"));
  settle();
  EXPECT_EQ(answers.size(), kBacktracesWaitingMax + 2);
}

TEST_F(SymbolizerTest, ServesAFunctionAmongThoseOfOneThatFloods) {
  const std::uint64_t inner = run_sample("functions").inner;
  std::vector<std::string> order;
  const auto ask = [&](const std::string& function, std::uint64_t address) {
    BacktraceQuery asked = query("functions", address);
    asked.function = function;
    symbolizer.look_up(asked, [&order, function](const Backtrace& backtrace) {
      order.push_back(function + backtrace.note);
    });
  };
  for (std::uint64_t i = 0; i < kBacktracesWaitingMax + 1; ++i) ask("flood", inner + i);
  ask("quiet", 0x10);
  ask("stock", 0x20);
  EXPECT_TRUE(order.empty()) << "the queue of another is not theirs";
  settle();
  ASSERT_EQ(order.size(), kBacktracesWaitingMax + 3);
  order.resize(4);
  EXPECT_THAT(order, ElementsAre("flood", "quiet", "stock", "flood"));
}

TEST_F(SymbolizerTest, LeavesOutWhatIsTooDeep) {
  BacktraceQuery deep = query("functions", 0x10);
  deep.addresses.resize(1000, 0x10);
  symbolizer.look_up(deep, keep());
  settle();
  EXPECT_EQ(answers.at(0).frames.size(), kBacktraceFramesMax);
}

TEST_F(SymbolizerTest, CallsNobodyBackForAFunctionThatIsForgotten) {
  symbolizer.look_up(query("functions", 0x10), keep());
  symbolizer.look_up(query("functions", 0x20), keep());
  symbolizer.forget("stock");
  settle();
  EXPECT_TRUE(answers.empty());
}

TEST(SymbolizerEndTest, MayGoWhileABinaryIsRead) {
  Loop loop;
  {
    Symbolizer symbolizer(loop);
    BacktraceQuery query;
    query.binary = sample_path("functions");
    query.addresses = {0x10};
    symbolizer.look_up(query, [](const Backtrace&) { FAIL(); });
  }
  while (uv_loop_alive(loop.raw()) != 0) loop.turn(true);
}

}  // namespace
}  // namespace subito::node

// Verdicts over figures that are made up.
#include "bench/patterns/verdicts.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "bench/patterns/kinds.h"

namespace subito::bench {
namespace {

using testing::ElementsAre;
using testing::HasSubstr;
using testing::IsEmpty;

Verdicts judge(const Book& book, const std::vector<DayCost>& costs = {}, double noise = 1,
               const std::vector<std::string>& apart = {}) {
  return verdicts_of(book, costs, noise, apart);
}

Book two(const Metric& metric, double processes, double functions) {
  Book book;
  book.add("2-processes", metric, processes);
  book.add(kServerless, metric, functions);
  return book;
}

TEST(Verdicts, SayNothingOfNothing) {
  const Verdicts verdicts = judge(Book());
  EXPECT_THAT(verdicts.something_else, IsEmpty());
  EXPECT_THAT(verdicts.functions, IsEmpty());
  EXPECT_THAT(to_text(verdicts), HasSubstr("No figure of this run speaks for something else"));
}

TEST(Verdicts, NameTheQuickerOne) {
  EXPECT_THAT(judge(two(metric::kP50, 100, 150)).something_else,
              ElementsAre(HasSubstr("150 µs (median), 1.5 times that of 2-processes")));
  EXPECT_THAT(judge(two(metric::kP50, 100, 119)).something_else, IsEmpty());
  EXPECT_THAT(judge(two(metric::kP50, 150, 100)).something_else, IsEmpty());
}

// The best of the others counts, not the first.
TEST(Verdicts, CompareWithTheBest) {
  Book book = two(metric::kCpu, 100, 150);
  book.add("0-monolith", metric::kCpu, 50);
  EXPECT_THAT(judge(book).something_else, ElementsAre(HasSubstr("3.0 times that of 0-monolith")));
}

TEST(Verdicts, DifferencesWithinTheNoiseSayNothing) {
  const Book book = two(metric::kP50, 100, 150);
  EXPECT_THAT(judge(book, {}, 1.6).something_else, IsEmpty());
  EXPECT_FALSE(judge(book, {}, 1.4).something_else.empty());
}

TEST(Verdicts, EmulatedMachinesAreNotCompared) {
  Book book;
  book.add(kVm, metric::kP50, 100);
  book.add(kServerless, metric::kP50, 1'000);
  EXPECT_THAT(judge(book, {}, 1, {kVm}).something_else, IsEmpty());
  EXPECT_FALSE(judge(book).something_else.empty());
}

TEST(Verdicts, ThroughputGoesToWhoAnswersMore) {
  EXPECT_THAT(judge(two(metric::kThroughput, 2'000, 1'000)).something_else,
              ElementsAre(HasSubstr("2-processes answers 2.0 times as many")));
  EXPECT_THAT(judge(two(metric::kThroughput, 1'000, 2'000)).functions,
              ElementsAre(HasSubstr("2.0 times as many requests as 2-processes")));
}

TEST(Verdicts, MemoryGoesToWhoSleepsLean) {
  EXPECT_THAT(judge(two(metric::kIdleMemory, 10, 30)).something_else,
              ElementsAre(HasSubstr("it is one small application")));
  EXPECT_THAT(judge(two(metric::kIdleMemory, 30, 10)).functions,
              ElementsAre(HasSubstr("most of it sleeps")));
}

TEST(Verdicts, AStartThatIsFeltIsSaid) {
  Book book;
  book.add(kServerless, metric::kStart, 4, "pooled");
  book.add(kContainers, metric::kStart, 400, "docker run");
  EXPECT_THAT(judge(book).something_else, ElementsAre(HasSubstr("may ever wait 4.0 ms")));
  EXPECT_THAT(judge(book).functions, ElementsAre(HasSubstr("docker run 400 ms")));
  Book quick;
  quick.add(kServerless, metric::kStart, 0.5, "pooled");
  EXPECT_THAT(judge(quick).something_else, IsEmpty());
}

TEST(Verdicts, ChangesGoToWhoIsSooner) {
  EXPECT_THAT(judge(two(metric::kChange, 3'000, 9'000)).something_else,
              ElementsAre(HasSubstr("it takes 9.0 s, in 2-processes 3.0 s")));
  EXPECT_THAT(judge(two(metric::kChange, 9'000, 3'000)).functions,
              ElementsAre(HasSubstr("it changes often")));
  EXPECT_THAT(judge(two(metric::kChange, 3'000, 4'000)).something_else, IsEmpty());
}

TEST(Verdicts, ANeighbourIsFeltFromAThresholdOn) {
  Book book;
  book.add(kServerless, metric::kNeighbourRatio, 1.4);
  EXPECT_THAT(judge(book).something_else, IsEmpty());
  Book felt;
  felt.add(kServerless, metric::kNeighbourRatio, 3);
  EXPECT_THAT(judge(felt).something_else, ElementsAre(HasSubstr("3.0 times that of a quiet host")));
}

TEST(Verdicts, WhoComesBackByItselfIsPraisedBesideOneThatDoesNot) {
  Book book = two(metric::kKillByItself, 0, 1);
  book.add(kServerless, metric::kKillErrors, 0);
  EXPECT_THAT(judge(book).functions,
              ElementsAre(HasSubstr("cost 0 wrong answers and was replaced; in 2-processes")));
  EXPECT_THAT(judge(two(metric::kKillByItself, 1, 1)).functions, IsEmpty());
  EXPECT_THAT(judge(two(metric::kKillByItself, 0, 0)).functions, IsEmpty());
}

TEST(Verdicts, EachDayIsJudgedByItsCost) {
  const std::vector<DayCost> costs = {{"2-processes", "steady", 1, ""},
                                      {"4-containers", "steady", 3, ""},
                                      {kServerless, "steady", 5, ""},
                                      {"2-processes", "bursty", 1, ""},
                                      {kServerless, "bursty", 0.1, ""}};
  const Verdicts verdicts = judge(Book(), costs);
  EXPECT_THAT(
      verdicts.something_else,
      ElementsAre(HasSubstr("steady day: with functions it costs 5.0 times what 2-processes")));
  EXPECT_THAT(verdicts.functions,
              ElementsAre(HasSubstr("like the bursty day: the cheapest other, 2-processes, costs "
                                    "10.0 times")));
  EXPECT_THAT(judge(Book(), {{kServerless, "steady", 5, ""}}).something_else, IsEmpty());
}

}  // namespace
}  // namespace subito::bench

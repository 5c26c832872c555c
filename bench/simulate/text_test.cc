#include "bench/simulate/text.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "bench/simulate/distribution.h"

namespace subito::simulate {
namespace {

using namespace std::chrono_literals;
using testing::HasSubstr;

TEST(Text, KnowsUnits) {
  EXPECT_EQ(parse_time("20us"), Duration(20us));
  EXPECT_EQ(parse_time("1.5ms"), Duration(1500us));
  EXPECT_EQ(parse_time("14d"), Duration(14 * 24h));
  EXPECT_EQ(parse_count("50M"), 50'000'000u);
  EXPECT_EQ(parse_count("10k"), 10'000u);
  EXPECT_EQ(parse_memory("64GB"), 64'000'000'000u);
  for (const char* wrong : {"", "5", "s", "-1s", "1w", "1 s", "367d", "1e30s", "nan"}) {
    EXPECT_FALSE(parse_time(wrong)) << wrong;
  }
  for (const char* wrong : {"", "-1", "2.5X", "1e13"}) EXPECT_FALSE(parse_count(wrong)) << wrong;
}

TEST(Text, ShowsTimesShort) {
  EXPECT_EQ(words(Duration(1ms)), "1 ms");
  EXPECT_EQ(words(Duration(250us)), "250 µs");
  EXPECT_EQ(words(Duration(90min)), "1.5 h");
  EXPECT_EQ(words(Duration(14 * 24h)), "14 d");
  EXPECT_EQ(grouped(1'980'951), "1,980,951");
  EXPECT_EQ(grouped(51), "51");
}

TEST(Text, SpecsNameWhatIsWrong) {
  Spec spec = Spec::parse("step:rate=5,tu=7").value();
  EXPECT_EQ(spec.name(), "step");
  EXPECT_EQ(spec.number("rate", 1), 5);
  EXPECT_EQ(spec.number("to", 9), 9);
  EXPECT_EQ(spec.finish().error().message, "step has no 'tu', allowed is rate, to");
  EXPECT_THAT(Spec::parse("step:rate").error().message, HasSubstr("allowed is key=value"));
  EXPECT_THAT(Spec::parse("step:rate=1,rate=2").error().message, HasSubstr("twice"));
  EXPECT_THAT(Spec::parse("a:b=x")->number("b", 1).error().message,
              "b: is 'x', allowed is a number from 0 on: 0.5, 100");
}

TEST(Distributions, AreFixedLogNormalOrMeasured) {
  Random random(3, 0);
  EXPECT_EQ(Distribution::parse("250ms")->draw(random), Duration(250ms));
  // EuroSys'25: mean 3.24 s, deviation 7.10 s are mu 0.296, sigma 1.326.
  EXPECT_EQ(Distribution::parse("lognormal:mean=3.24s,sd=7.1s")->words(),
            "log-normal, median 1.345 s, sigma 1.33");
  EXPECT_EQ(Distribution::parse("huawei-2025")->words(), "log-normal, median 1.344 s, sigma 1.33");
  const auto log_normal = *Distribution::parse("lognormal:median=10ms,sigma=0.5");
  int below = 0;
  for (int i = 0; i < 10'000; ++i) below += log_normal.draw(random) < Duration(10ms) ? 1 : 0;
  EXPECT_NEAR(below, 5000, 150);
  const auto samples = Distribution::samples({Duration(1ms), Duration(3ms)}, "two");
  int first = 0;
  for (int i = 0; i < 10'000; ++i) first += samples.draw(random) == Duration(1ms) ? 1 : 0;
  EXPECT_NEAR(first, 5000, 150);
}

TEST(Distributions, SayWhatIsAllowed) {
  for (const char* wrong : {"fast", "1", "lognormal", "lognormal:median=1ms", "lognormal:a=1",
                            "huawei-2025:x=1", "report:/nonexistent.json"}) {
    EXPECT_FALSE(Distribution::parse(wrong)) << wrong;
  }
  EXPECT_THAT(Distribution::parse("fast").error().message, HasSubstr("allowed is a time (1ms)"));
}

}  // namespace
}  // namespace subito::simulate

#include "runtime/metrics/reading.h"

#include <gtest/gtest.h>

#include <random>

#include "runtime/metrics/exposition.h"

namespace subito::metrics {
namespace {

TEST(Reading, TakesASampleApart) {
  const auto sample = read_sample("subito_a_bucket{function=\"echo\",le=\"+Inf\"} 12");
  ASSERT_TRUE(sample);
  EXPECT_EQ(sample->name, "subito_a_bucket");
  EXPECT_EQ(sample->label("function"), "echo");
  EXPECT_EQ(sample->label("le"), "+Inf");
  EXPECT_EQ(sample->label("other"), "");
  EXPECT_EQ(sample->value, 12);
  EXPECT_EQ(read_sample("up 1.5 1395066363000")->value, 1.5);
}

TEST(Reading, RefusesWhatIsNoSample) {
  for (const char* line : {"", "# EOF", "name", " 1", "a{b=\"c\" 1", "a{b=\"c} 1", "a{b} 1",
                           "a{b=\"c\"}1", "a one", "a ", "a{b=\"c\\", "a{b=\"c\"}"}) {
    EXPECT_FALSE(read_sample(line)) << line;
  }
}

// Whatever a label holds, one line is written and the same is read: percent signs apart, which a
// byte that is not printable becomes.
TEST(Reading, ReadsWhatWasWritten) {
  constexpr Family kFamily{"subito_any", Type::kGauge, "", "", "Any."};
  std::mt19937 random(11);
  for (int round = 0; round < 2000; ++round) {
    std::string value;
    for (auto size = random() % 12; size > 0; --size) {
      constexpr char kTricky[] = "\\\"\n},= {x";
      const bool tricky = random() % 2 == 0;
      value += tricky ? kTricky[random() % (sizeof kTricky - 1)]
                      : static_cast<char>(' ' + static_cast<int>(random() % 95));
    }
    std::string out;
    Exposition exposition(Format::kOpenMetrics, out);
    exposition.family(kFamily);
    out.clear();
    const std::uint64_t number = random() % 1'000'000;
    exposition.value(label("first", value) + "," + label("second", "plain"), number);
    ASSERT_EQ(out.find('\n'), out.size() - 1) << out;
    out.pop_back();
    const auto sample = read_sample(out);
    ASSERT_TRUE(sample) << out;
    EXPECT_EQ(sample->label("first"), value);
    EXPECT_EQ(sample->label("second"), "plain");
    EXPECT_EQ(sample->value, static_cast<double>(number));
  }
}

// Bytes of any kind are read or refused, never more.
TEST(Reading, SurvivesNoise) {
  std::mt19937 random(13);
  for (int round = 0; round < 20'000; ++round) {
    std::string line;
    constexpr char kAlphabet[] = "a{}=\",\\ 1#n\n\xff.";
    for (auto size = random() % 24; size > 0; --size) {
      line += kAlphabet[random() % (sizeof kAlphabet - 1)];
    }
    const auto sample = read_sample(line);
    EXPECT_TRUE(!sample || !sample->name.empty());
  }
}

}  // namespace
}  // namespace subito::metrics

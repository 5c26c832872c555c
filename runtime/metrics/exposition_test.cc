#include "runtime/metrics/exposition.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

namespace subito::metrics {
namespace {

using std::chrono::microseconds;
using testing::EndsWith;
using testing::HasSubstr;

constexpr Family kThings{"subito_things", Type::kCounter, "", "kind", "Things that were."};
constexpr Family kTook{"subito_took_seconds", Type::kHistogram, "seconds", "", "How long."};
constexpr Family kAbout{"subito_about", Type::kInfo, "", "version", "What it is."};

std::string page(Format format) {
  std::string out;
  Exposition exposition(format, out);
  exposition.family(kThings);
  exposition.value(label("kind", "good"), 3);
  exposition.family(kAbout);
  exposition.value(label("version", "1"), 1);
  exposition.end();
  return out;
}

TEST(Exposition, OpenMetricsNamesAFamilyWithoutTotalAndEndsWithEof) {
  EXPECT_EQ(page(Format::kOpenMetrics),
            "# HELP subito_things Things that were.\n"
            "# TYPE subito_things counter\n"
            "subito_things_total{kind=\"good\"} 3\n"
            "# HELP subito_about What it is.\n"
            "# TYPE subito_about info\n"
            "subito_about_info{version=\"1\"} 1\n"
            "# EOF\n");
}

TEST(Exposition, TheTextFormatKnowsNeitherInfoNorEof) {
  EXPECT_EQ(page(Format::kText),
            "# HELP subito_things_total Things that were.\n"
            "# TYPE subito_things_total counter\n"
            "subito_things_total{kind=\"good\"} 3\n"
            "# HELP subito_about_info What it is.\n"
            "# TYPE subito_about_info gauge\n"
            "subito_about_info{version=\"1\"} 1\n");
}

TEST(Exposition, AHistogramIsCumulativeAndItsSumExact) {
  DurationBuckets buckets;
  buckets.observe(microseconds(20));
  buckets.observe(microseconds(60));
  buckets.observe(std::chrono::seconds(90));
  std::string out;
  Exposition exposition(Format::kOpenMetrics, out);
  exposition.family(kTook);
  exposition.histogram(label("a", "b"), buckets);
  EXPECT_THAT(out, HasSubstr("# UNIT subito_took_seconds seconds\n"));
  EXPECT_THAT(out, HasSubstr("subito_took_seconds_bucket{a=\"b\",le=\"2.5e-05\"} 1\n"));
  EXPECT_THAT(out, HasSubstr("subito_took_seconds_bucket{a=\"b\",le=\"5e-05\"} 1\n"));
  EXPECT_THAT(out, HasSubstr("subito_took_seconds_bucket{a=\"b\",le=\"0.0001\"} 2\n"));
  EXPECT_THAT(out, HasSubstr("subito_took_seconds_bucket{a=\"b\",le=\"30.0\"} 2\n"));
  EXPECT_THAT(out, HasSubstr("subito_took_seconds_bucket{a=\"b\",le=\"+Inf\"} 3\n"));
  EXPECT_THAT(out, HasSubstr("subito_took_seconds_count{a=\"b\"} 3\n"));
  EXPECT_THAT(out, EndsWith("subito_took_seconds_sum{a=\"b\"} 90.00008\n"));
}

TEST(Exposition, WritesSecondsToTheNanosecond) {
  const auto written = [](std::int64_t nanoseconds) {
    std::string out;
    Exposition exposition(Format::kText, out);
    exposition.family(kTook);
    out.clear();
    exposition.seconds({}, Duration(nanoseconds));
    return out;
  };
  EXPECT_EQ(written(0), "subito_took_seconds 0\n");
  EXPECT_EQ(written(1), "subito_took_seconds 0.000000001\n");
  EXPECT_EQ(written(1'500'000'000), "subito_took_seconds 1.5\n");
  EXPECT_EQ(written(90'000'000'010), "subito_took_seconds 90.00000001\n");
  EXPECT_EQ(written(-7), "subito_took_seconds 0\n");
}

TEST(Exposition, NoValueOfALabelBreaksALine) {
  EXPECT_EQ(label("a", "b\"c\\d\ne"), "a=\"b\\\"c\\\\d\\ne\"");
  EXPECT_EQ(label("a", "\xc3\xa9\x01\x7f\r"), "a=\"%C3%A9%01%7F%0D\"");
}

TEST(Exposition, AClientGetsTheFormatThatItPrefers) {
  EXPECT_EQ(format_for(""), Format::kOpenMetrics);
  EXPECT_EQ(format_for("*/*"), Format::kOpenMetrics);
  EXPECT_EQ(format_for("text/html, */*;q=0.8"), Format::kOpenMetrics);
  EXPECT_EQ(format_for("text/plain"), Format::kText);
  EXPECT_EQ(format_for("text/plain;version=0.0.4, */*;q=0.1"), Format::kText);
  EXPECT_EQ(format_for("application/json"), Format::kText);
  EXPECT_EQ(format_for("application/openmetrics-text;q=0, text/plain"), Format::kText);
  // As Prometheus 2.42 asks.
  EXPECT_EQ(format_for("application/openmetrics-text;version=1.0.0,application/openmetrics-text;"
                       "version=0.0.1;q=0.75,text/plain;version=0.0.4;q=0.5,*/*;q=0.1"),
            Format::kOpenMetrics);
}

}  // namespace
}  // namespace subito::metrics

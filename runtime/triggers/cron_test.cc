#include "runtime/triggers/cron.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <chrono>
#include <string>

namespace subito::triggers {
namespace {

using testing::HasSubstr;

UnixMs at(int year, unsigned month, unsigned day, int hour = 0, int minute = 0, int second = 0) {
  const std::chrono::sys_days date =
      std::chrono::year(year) / static_cast<int>(month) / static_cast<int>(day);
  return ((date.time_since_epoch().count() * 24LL + hour) * 60 + minute) * 60'000LL +
         second * 1000LL;
}

Cron cron(std::string_view text) {
  auto parsed = Cron::parse(text);
  EXPECT_TRUE(parsed) << text << ": " << (parsed ? "" : parsed.error().message);
  return *parsed;
}

struct NextCase {
  const char* cron;
  UnixMs after;
  UnixMs next;
};

class Next : public testing::TestWithParam<NextCase> {};

TEST_P(Next, IsTheFirstTimeAfter) {
  EXPECT_EQ(cron(GetParam().cron).next_after(GetParam().after), GetParam().next) << GetParam().cron;
}

// 2026-11-26 is a Thursday.
INSTANTIATE_TEST_SUITE_P(
    All, Next,
    testing::Values(NextCase{"* * * * *", at(2026, 11, 26, 8, 0), at(2026, 11, 26, 8, 1)},
                    NextCase{"* * * * *", at(2026, 11, 26, 8, 0, 59), at(2026, 11, 26, 8, 1)},
                    NextCase{"30 3 * * *", at(2026, 11, 26, 3, 29), at(2026, 11, 26, 3, 30)},
                    NextCase{"30 3 * * *", at(2026, 11, 26, 3, 30), at(2026, 11, 27, 3, 30)},
                    NextCase{"*/20 * * * *", at(2026, 11, 26, 8, 41), at(2026, 11, 26, 9, 0)},
                    NextCase{"10-40/15 * * * *", at(2026, 11, 26, 8, 26), at(2026, 11, 26, 8, 40)},
                    NextCase{"0 8,20 * * *", at(2026, 11, 26, 9), at(2026, 11, 26, 20)},
                    NextCase{"59 23 31 12 *", at(2026, 12, 31, 23, 59), at(2027, 12, 31, 23, 59)},
                    NextCase{"0 0 31 * *", at(2026, 1, 31), at(2026, 3, 31)},
                    NextCase{"0 0 29 2 *", at(2096, 2, 29), at(2104, 2, 29)},
                    NextCase{"0 0 29 FEB *", at(2026, 1, 1), at(2028, 2, 29)},
                    NextCase{"0 0 * * mon", at(2026, 11, 26), at(2026, 11, 30)},
                    NextCase{"0 0 * * 7", at(2026, 11, 26), at(2026, 11, 29)},
                    NextCase{"0 0 * * 5-7", at(2026, 11, 28), at(2026, 11, 29)},
                    NextCase{"0 0 13 * fri", at(2026, 11, 26), at(2026, 11, 27)},  // either
                    NextCase{"0 0 27 * */6", at(2026, 11, 26), at(2026, 12, 27)},  // both: a Sunday
                    NextCase{"0 0 30 2 mon", at(2026, 1, 1),
                             at(2026, 2, 2)},  // Mondays of February
                    NextCase{"@hourly", at(2026, 11, 26, 8, 1), at(2026, 11, 26, 9)},
                    NextCase{"@daily", at(2026, 11, 26, 8), at(2026, 11, 27)},
                    NextCase{"@weekly", at(2026, 11, 26, 8), at(2026, 11, 29)},
                    NextCase{"@monthly", at(2026, 11, 26, 8), at(2026, 12, 1)},
                    NextCase{"@yearly", at(2026, 11, 26, 8), at(2027, 1, 1)},
                    NextCase{"@every 10s", at(2026, 11, 26, 8, 0, 0), at(2026, 11, 26, 8, 0, 10)},
                    NextCase{"@every 10s", at(2026, 11, 26, 8, 0, 11), at(2026, 11, 26, 8, 0, 20)},
                    NextCase{"@every 24h", at(2026, 11, 26, 8), at(2026, 11, 27)},
                    NextCase{" 0  0\t1 1 * ", 0, at(1971, 1, 1)}));

TEST(Cron, RefusesWhatItCannotMeanAndSaysWhy) {
  for (const auto& [text, why] : std::initializer_list<std::pair<const char*, const char*>>{
           {"", "has 0 fields"},
           {"* * * *", "has 4 fields, allowed are five"},
           {"* * * * * *", "has 6 fields"},
           {"60 * * * *", "has minute '60', allowed is 0 to 59"},
           {"* 24 * * *", "has hour '24'"},
           {"* * 0 * *", "has day of the month '0', allowed is 1 to 31"},
           {"* * * 13 *", "has month '13', allowed is 1 to 12, a name of three letters"},
           {"* * * * 8", "has day of the week '8'"},
           {"* * * * sunday", "has day of the week 'sunday'"},
           {"5-1 * * * *", "has minute '5-1'"},
           {"*/0 * * * *", "has minute '*/0'"},
           {"5/10 * * * *", "has minute '5/10'"},
           {"1, * * * *", "has minute ''"},
           {"-1 * * * *", "has minute '-1'"},
           {"99999999999 * * * *", "has minute"},
           {"0 0 30 2 *", "would never run"},
           {"0 0 31 4,6,9,11 *", "would never run"},
           {"@reboot", "is '@reboot', allowed are five fields, @hourly"},
           {"@every 0s", "has @every '0s', allowed is 1s to 24h"},
           {"@every 25h", "has @every '25h'"},
           {"@every 10", "has @every '10'"},
           {"@every 1d", "has @every '1d'"}}) {
    const auto parsed = Cron::parse(text);
    ASSERT_FALSE(parsed) << text;
    EXPECT_THAT(parsed.error().message, HasSubstr(why)) << text;
  }
}

// Against the plainest search there is: minute by minute, each asked by its own expression.
TEST(Cron, NeverSkipsATimeAndNeverNamesAWrongOne) {
  const Cron fast = cron("7,37 */5 1-7,20 * tue");
  const UnixMs end = at(2028, 3, 1);
  UnixMs expected = fast.next_after(at(2027, 12, 1));
  for (UnixMs t = at(2027, 12, 1) + 60'000; t < end; t += 60'000) {
    const auto minute = t / 60'000 % 60;
    const auto hour = t / 3'600'000 % 24;
    const std::chrono::sys_days date{std::chrono::days(t / 86'400'000)};
    const std::chrono::year_month_day ymd(date);
    const auto day = static_cast<unsigned>(ymd.day());
    const bool named =
        (minute == 7 || minute == 37) && hour % 5 == 0 &&
        (day <= 7 || day == 20 || std::chrono::weekday(date) == std::chrono::Tuesday);
    if (!named) continue;
    ASSERT_EQ(expected, t);
    expected = fast.next_after(t);
  }
}

}  // namespace
}  // namespace subito::triggers

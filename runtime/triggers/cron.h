// Cron: a schedule as crontab(5) writes it, in UTC, and the times it names. A plain value; pure:
// the time comes in.
//
// Five fields, minute, hour, day of the month, month, day of the week: "*", numbers, names (jan,
// mon), ranges "1-5", lists "1,15", steps "*/10" and "8-18/2"; Sunday is 0 and 7. As in crontab(5)
// a day matches if either of the day fields does, unless one of them begins with "*". Or one word:
// @hourly, @daily (@midnight), @weekly, @monthly, @yearly (@annually); and, which crontab lacks,
// "@every 10s": all whole multiples of it since 1970, 1s to 24h.
#pragma once

#include <array>
#include <cstdint>
#include <string_view>

#include "runtime/base/result.h"

namespace subito::triggers {

// Milliseconds since 1970, UTC.
using UnixMs = std::int64_t;

// Times beyond it are not looked for: the year 9999 is far enough.
inline constexpr UnixMs kUnixMsMax = 253'370'764'800'000;

class Cron {
 public:
  // kInvalidArgument: what is wrong, "has minute '61', allowed is 0 to 59", also where no date ever
  // matches ("0 0 30 2 *").
  static Result<Cron> parse(std::string_view text);

  // The first time after `after`, which is from 0 to kUnixMsMax.
  UnixMs next_after(UnixMs after) const;

 private:
  friend class CronReader;
  enum Part : std::uint8_t { kMinute, kHour, kDay, kMonth, kWeekday };

  bool has(Part part, unsigned value) const { return (allowed_[part] >> value & 1) != 0; }
  bool has_date(unsigned month, unsigned day, unsigned weekday) const;
  bool ever() const;

  UnixMs every_ = 0;                        // not 0: "@every"
  std::array<std::uint64_t, 5> allowed_{};  // by part, a bit a value
  bool either_day_ = false;                 // one day field is enough
};

}  // namespace subito::triggers

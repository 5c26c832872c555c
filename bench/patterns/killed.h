// Killed: an instance of the catalogue is killed while the shop is asked: what fails, and until
// when. One thread.
#pragma once

#include "bench/patterns/book.h"
#include "bench/patterns/running.h"

namespace subito::bench {

inline constexpr std::chrono::milliseconds kKillAskEvery{20};
inline constexpr std::chrono::seconds kKillWatch{2};
inline constexpr std::uint32_t kKillRight = 25;  // right answers in a row: it is back

// Starts it anew, by release.sh or docker start, where it does not come back by itself. kNotFound,
// and why, where there is nothing to kill.
Status measure_kill(Running& running, Book& book);

}  // namespace subito::bench

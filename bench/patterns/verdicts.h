// Verdicts: when to use something else than functions, and when functions, in sentences that follow
// from what was measured: each a rule with a threshold. Pure.
#pragma once

#include <string>
#include <vector>

#include "bench/patterns/book.h"
#include "bench/patterns/costs.h"

namespace subito::bench {

// A difference below this says nothing, nor one within what the reference differs from itself.
inline constexpr double kVerdictRatioMin = 1.2;
// A neighbour is felt from here on: a p99 is the noisiest figure there is.
inline constexpr double kNeighbourRatioMin = 1.5;
// A change is measured once, most of it in the compiler.
inline constexpr double kChangeRatioMin = 1.5;
inline constexpr double kStartMillisFelt = 1;  // who waits less will not notice

struct Verdicts {
  std::vector<std::string> something_else;  // "Use something else when …"
  std::vector<std::string> functions;       // "Use functions when …"
};

// `book`: may lack any measure; a rule whose measures are missing says nothing. `noise`: how far
// the reference's throughput and p50 were from themselves at most, 1 for not at all. Figures of a
// pattern in `apart` are not compared.
Verdicts verdicts_of(const Book& book, const std::vector<DayCost>& costs, double noise,
                     const std::vector<std::string>& apart);

// Two lists; a line that says so where there is nothing to say.
std::string to_text(const Verdicts& verdicts);

}  // namespace subito::bench

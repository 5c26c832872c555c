// "Did you mean": the known word that is nearest to one that is not known. Pure.
#pragma once

#include <optional>
#include <string>
#include <string_view>
#include <vector>

namespace subito::manifest {

// The candidate that takes the fewest insertions, deletions, replacements and swaps of neighbours
// to reach from `word`, case aside; nothing when even that is further than a third of its length
// (at least 1, at most 3). Of several the first.
std::optional<std::string> nearest(std::string_view word,
                                   const std::vector<std::string>& candidates);
// "; did you mean 'x'?" or nothing.
std::string did_you_mean(std::string_view word, const std::vector<std::string>& candidates);

}  // namespace subito::manifest

// Frames of a backtrace as the symbolizer words them, "shop::add(int) + 0x1f (cart.cc:12)": whose
// they are, and what of them stays the same over addresses and rebuilds. Pure.
#pragma once

#include <string>
#include <string_view>
#include <vector>

namespace subito::node {

// So many frames tell two stacks apart; what called those is the same road to many places.
inline constexpr std::size_t kFingerprintFrames = 8;

// Where every abort and every uncaught exception passes: not the place that a person looks for.
bool is_way_out(std::string_view frame);
// The function's own code: no way out, nothing of the standard library, of our SDK or of the C
// library's start.
bool is_own(std::string_view frame);
// "shop::add(int)": without offset, lines and the parts that a compiler split it into. An address
// without a name stays what it is.
std::string_view stable_name(std::string_view frame);

// The first frame that is the function's own, else the first that is no way out; empty: none.
std::string place_in(const std::vector<std::string>& frames);
// What two failures of one cause share: their type, and the names of the function's own frames. A
// recursion counts as one frame, however deep it went.
std::string fingerprint(std::string_view type, const std::vector<std::string>& frames);

}  // namespace subito::node

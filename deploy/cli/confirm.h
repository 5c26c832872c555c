// What commands on several functions share: which ones are meant, and whether that is really meant.
#pragma once

#include <string>
#include <vector>

#include "deploy/cli/session.h"

namespace subito::cli {

// The functions that NAME or -l SELECTOR means, by qualified name; kNotFound where none is.
Outcome<std::vector<std::string>> chosen_functions(const Session& session, Node& node,
                                                   const std::string& name,
                                                   const std::string& selector,
                                                   bool all_namespaces = false);

// "2 functions, catalogue, stock", of things that have a name; empty: there are none. `plural` as
// in "secrets".
inline constexpr std::size_t kNamesShownMax = 50;  // of the others it says how many
std::string counted(const Json& items, const std::string& one, const std::string& plural);

// Shows what would be changed and asks on a terminal whether it is to be; elsewhere only `yes` will
// do. An error: it is not.
Outcome<void> confirm(const Session& session, const std::string& doing, const std::string& what,
                      bool yes);

}  // namespace subito::cli

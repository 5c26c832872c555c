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

// Shows what would be changed and asks on a terminal whether it is to be; elsewhere only `yes` will
// do. An error: it is not.
Outcome<void> confirm(const Session& session, const std::string& doing, const Json& functions,
                      bool yes);

}  // namespace subito::cli

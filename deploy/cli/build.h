// Builds the functions of a folder that has a CMakeLists.txt, by cmake, for `deploy FOLDER`.
#pragma once

#include <string>

#include "deploy/cli/cli.h"
#include "deploy/cli/node.h"

namespace subito::cli {

// Whether the folder is one to be built.
bool has_build(const std::string& folder);

// Configures it in FOLDER/build unless that was done, and builds it. Silent when all is well,
// unless `verbose`; else what the compiler said is in the error output, as a terminal may take it
// and, unless `verbose`, its last kProgramOutputBytesMax. Run by root, cmake and compiler run as
// the owner of the folder, in a session and with variables of their own: it is their code, and
// theirs is what it writes. A folder of root's that others can change is refused.
Outcome<void> build_folder(const Environment& environment, const std::string& folder, bool verbose);

}  // namespace subito::cli

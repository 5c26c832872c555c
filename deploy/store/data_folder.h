// The data folder itself: who may use it, and which schema its database has. For Store and backups.
#pragma once

#include <cstdint>
#include <string>

#include "runtime/base/result.h"
#include "runtime/base/unique_fd.h"

namespace subito::store {

// Others may pass through (pods execute artefacts in it) but not look into it.
Status make_data_folder(const std::string& folder);
// flock(2); goes with the descriptor, so also with a killed process. kAlreadyExists: another
// process has it (named by pid), and `advice` what to do then.
Result<UniqueFd> lock_data_folder(const std::string& folder, const std::string& advice);
// The newest schema that this program knows.
std::int64_t known_schema();
// kFailedPrecondition: written by a newer Subito. `doing`: "open data folder /data".
Status check_schema(std::int64_t version, const std::string& doing);

}  // namespace subito::store

// Replay: what `subito up --record` wrote, through a scheduler of today, to see whether it decides
// the same: the live node and its pure core are one, and a change of the core shows here.
#pragma once

#include <cstdint>
#include <optional>
#include <string>
#include <string_view>

#include "runtime/base/result.h"
#include "runtime/base/time.h"

namespace subito::simulate {

struct ReplayOutcome {
  std::uint64_t inputs = 0;   // replayed; the last one is where it differs, if it does
  std::uint64_t effects = 0;  // of them
  Duration span{};            // from the first to the last
  std::uint64_t digest = 0;   // of all effects
  // "input 12 (arrive, 1.5 s after the first, byte 345): recorded were 2 effects, ..."
  std::string difference;  // empty: none
};

// kProtocol when the recording is broken: "byte 345: reason".
Result<ReplayOutcome> replay(std::string_view recording);

}  // namespace subito::simulate

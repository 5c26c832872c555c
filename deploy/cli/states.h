// States in words: what a function or pod does now, why, and which command to try next. Made of
// the JSON of the API; pure.
#pragma once

#include <functional>
#include <string>

#include "deploy/cli/node.h"

namespace subito::cli {

// How long ago a time of the API was, in words.
using AgeOf = std::function<std::string(const Json& time)>;

// "It has no pod and costs nothing; the next request starts one: `subito invoke stock`". The
// function with its events.
std::string function_sentence(const Json& function, const AgeOf& age);
// `function`: the pod's.
std::string pod_sentence(const Json& pod, const Json& function);
// Why a function has no log records to show, and what to try.
std::string no_logs_sentence(const Json& function);

}  // namespace subito::cli

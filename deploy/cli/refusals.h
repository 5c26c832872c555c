// Refusals and warnings of a deploy in words that begin with file and line of the manifest, as the
// faults that are found before anything is sent. Pure.
#pragma once

#include <cstdint>
#include <map>
#include <string>
#include <string_view>
#include <vector>

#include "deploy/manifest/manifest.h"

namespace subito::cli {

// "shop.yaml:7: " of a field ("spec.routes[0].path"), or of the nearest above it; empty without a
// file.
std::string place_of(const manifest::Manifest& manifest, std::string_view field);
// What the node said, a line each: "deploy a: spec.routes[0].path: add route /x: ..." becomes
// "shop.yaml:7: deploy a: spec.routes[0].path: ...".
std::vector<std::string> placed_refusals(const manifest::Manifest& manifest,
                                         const std::string& message);
// For each of its calls to a function that is none of `known`.
std::vector<std::string> unknown_calls(const manifest::Manifest& manifest,
                                       const std::vector<std::string>& known);
// Whom each function may call, by name.
using CallLists = std::map<std::string, std::vector<std::string>>;
// For each of its calls from where `calls` lead back to it: the node refuses one that does.
// Streams of functions that are not among the known ones: they may come later.
std::vector<std::string> unknown_streams(const manifest::Manifest& manifest,
                                         const std::vector<std::string>& known);
std::vector<std::string> calls_in_a_ring(const manifest::Manifest& manifest,
                                         const CallLists& calls);
// For what one pod takes and the quota of its namespace never gives; 0: no limit.
std::vector<std::string> beyond_quota(const manifest::Manifest& manifest,
                                      std::int64_t memory_bytes_max, std::int64_t millicores_max);
// For what it says of scaling and its policy does not look at.
std::vector<std::string> unused_scaling(const manifest::Manifest& manifest);

}  // namespace subito::cli

// Refusals of a deploy in words that begin with file and line of the manifest, as the faults that
// are found before anything is sent. Pure.
#pragma once

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

}  // namespace subito::cli

// Decoder: a Tree into a protobuf message, by reflection, telling every fault rather than the
// first. Pure; one call, no state kept.
#pragma once

#include <google/protobuf/message.h>

#include <map>
#include <string>
#include <vector>

#include "deploy/manifest/fault.h"
#include "deploy/manifest/tree.h"

namespace subito::manifest {

// Where each field stood: "spec.scaling.min" to its line. For checks that come after decoding.
using Lines = std::map<std::string, int, std::less<>>;

// Fills `message`. What has a fault is left as it was; the rest is filled in.
void decode(const std::string& file, const Node& node, google::protobuf::Message& message,
            Lines& lines, std::vector<Fault>& faults);

}  // namespace subito::manifest

// Fault: one thing that is wrong with a manifest, where, and what would be right. A reader gathers
// all of them before it gives up, so that a person mends a file in one go. Plain values.
#pragma once

#include <string>
#include <vector>

namespace subito::manifest {

struct Fault {
  std::string file;   // as it was given; empty for JSON that came over the API
  int line = 0;       // from 1; 0: not known
  std::string field;  // "spec.scaling.min", "spec.bindings[1].tcp"; empty: the document as a whole
  std::string message;  // "is 'x', allowed is ..."
};

// "shop.yaml:7: spec.scaling.min: is -1, allowed is 0 to 1000"
std::string to_string(const Fault& fault);
// A fault a line, without a new line at the end.
std::string to_string(const std::vector<Fault>& faults);

}  // namespace subito::manifest

// Manifests: YAML files in Kubernetes' shape, or JSON, to Function messages and back. Pure but for
// load(), which reads files. No exception leaves.
//
// A wrong manifest tells every fault at once: file, line, field, what is wrong and what is allowed.
// What is read is validated and holds what its author wrote; apply_defaults() (defaults.h) fills in
// the rest.
#pragma once

#include <string>
#include <string_view>
#include <vector>

#include "deploy/manifest/decode.h"
#include "deploy/manifest/fault.h"
#include "deploy/manifest/function.pb.h"
#include "runtime/base/result.h"

namespace subito::manifest {

struct Manifest {
  Function function;
  std::string file;  // as it was given; `spec.binary` is relative to its folder
  int line = 0;      // where its document begins
  Lines lines = {};  // where each field stands: "spec.routes[0].path"
  // spec.binary as a path that can be opened from here.
  std::string binary_path() const;
};

struct Manifests {
  std::vector<Manifest> manifests;
  std::vector<Fault> faults;  // not empty: use none of the manifests
};

inline constexpr std::size_t kFilesMax = 1000;  // of one load()

// One text of any number of documents. `file` is for messages and for binary_path().
Manifests parse_yaml(const std::string& file, std::string_view text);
// Files, and folders of which every *.yaml is read (by name, not further down). The same function
// twice is a fault.
Manifests load(const std::vector<std::string>& paths);

// Where clients of the gateway find it, as its ingress says: "/function/NAME", or its first route;
// empty: they do not.
std::string path_for_clients(const Function& function);

// Canonical JSON, indented by `indent` spaces (-1: one line): fields as users write them
// ("timeout": "30s"), in the order of function.proto, absent ones left out.
std::string to_json(const Function& function, int indent = -1);
// A Function as to_json() writes it. kInvalidArgument with every fault, one a line.
Result<Function> from_json(std::string_view text);

}  // namespace subito::manifest

// Contexts: nodes elsewhere that somebody logged in to, in ~/.config/subito/config.yaml
// (XDG_CONFIG_HOME is honoured), which holds their tokens: mode 0600, and refused when others can
// read it.
#pragma once

#include <functional>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "runtime/base/result.h"

namespace subito::cli {

struct Context {
  std::string name;
  std::string server;   // "https://host:port"
  std::string ca_file;  // absolute; empty: the system's authorities
  std::string token;
};

struct Contexts {
  std::string current;  // empty: none, the node of this machine
  std::vector<Context> all;

  Context* find(std::string_view name);
  void put(Context context);  // in place of the one of that name; it becomes the current one
  // False: there was none, and none of that name was in use.
  bool remove(std::string_view name);
};

// What to tell of a context in use that is not in the file.
std::string lost_context(const std::string& name, const std::string& path);

using Variable = std::function<std::optional<std::string>(const char* name)>;
// Where the file is; empty: there is no home folder.
std::string contexts_path(const Variable& variable);

// No file: none. kPermissionDenied when others can read it.
Result<Contexts> load_contexts(const std::string& path);
// A new file takes the old one's place whole.
Status save_contexts(const std::string& path, const Contexts& contexts);

}  // namespace subito::cli

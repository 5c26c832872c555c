#include "bench/peers/tools.h"

#include <unistd.h>

#include <algorithm>
#include <cstdlib>

#include "bench/child.h"

namespace subito::bench {

const std::vector<Tool>& tools() {
  static const std::vector<Tool> kTools = {
      {"wrk", "generator of load", "wrk", "-v"},
      {"h2load", "generator of load", "nghttp2-client", "--version"},
      {"crun", "containers", "crun", "--version"},
      {"runc", "containers", "runc", "--version"},
      {"bwrap", "containers", "bubblewrap", "--version"},
      {"podman", "containers", "podman", "--version"},
      {"dockerd", "containers", "docker.io", "--version"},
      {"qemu-system-x86_64", "virtual machines", "qemu-system-x86", "--version"}};
  return kTools;
}

std::string find_in(const std::string& folders, const std::string& name) {
  for (std::size_t begin = 0; begin <= folders.size();) {
    const std::size_t end = std::min(folders.find(':', begin), folders.size());
    const std::string candidate = folders.substr(begin, end - begin) + "/" + name;
    if (::access(candidate.c_str(), X_OK) == 0) return candidate;
    begin = end + 1;
  }
  return "";
}

std::string find_in_path(const std::string& name) {
  const char* path = std::getenv("PATH");
  return find_in((path == nullptr ? "" : std::string(path)) + ":/usr/sbin:/usr/bin", name);
}

Result<std::string> tool_version(const Tool& tool) {
  const std::string path = find_in_path(tool.name);
  if (path.empty()) {
    return fail(ErrorCode::kNotFound, std::string("find ") + tool.name +
                                          ": it is not installed; Debian package " + tool.package +
                                          ": subito bench peers --install");
  }
  ASSIGN_OR_RETURN(const Finished finished, run({path, {tool.name, tool.version}}));
  return finished.output.substr(0, finished.output.find('\n'));
}

}  // namespace subito::bench

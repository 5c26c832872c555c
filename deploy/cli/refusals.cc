#include "deploy/cli/refusals.h"

#include <algorithm>
#include <sstream>

#include "deploy/manifest/suggest.h"

namespace subito::cli {

namespace {

// The field a message is about: "spec.routes[0].path" of "spec.routes[0].path: add route ...".
std::string_view field_of(std::string_view message) {
  for (const std::string_view begin : {"spec.", "metadata."}) {
    if (message.substr(0, begin.size()) == begin)
      return message.substr(0, std::min(message.find(": "), message.size()));
  }
  return "";
}

}  // namespace

std::string place_of(const manifest::Manifest& manifest, std::string_view field) {
  if (manifest.file.empty()) return "";
  int line = manifest.line;
  for (std::string path(field); !path.empty();) {
    if (const auto at = manifest.lines.find(path); at != manifest.lines.end()) {
      line = at->second;
      break;
    }
    const std::size_t end = path.find_last_of(".[");
    path.resize(end == path.npos ? 0 : end);
  }
  return manifest.file + ":" + std::to_string(line) + ": ";
}

std::vector<std::string> placed_refusals(const manifest::Manifest& manifest,
                                         const std::string& message) {
  const std::string doing = "deploy " + manifest.function.metadata().name() + ": ";
  std::vector<std::string> placed;
  std::istringstream lines(message);
  for (std::string line; std::getline(lines, line);) {
    if (line.compare(0, doing.size(), doing) == 0) line.erase(0, doing.size());
    // What is about no field is no fault of the manifest.
    const std::string_view field = field_of(line);
    placed.push_back((field.empty() ? "" : place_of(manifest, field)) + doing + line);
  }
  return placed;
}

std::vector<std::string> unknown_calls(const manifest::Manifest& manifest,
                                       const std::vector<std::string>& known) {
  std::vector<std::string> warnings;
  for (int i = 0; i < manifest.function.spec().calls_size(); ++i) {
    const std::string& name = manifest.function.spec().calls(i);
    if (std::find(known.begin(), known.end(), name) != known.end()) continue;
    const std::string field = "spec.calls[" + std::to_string(i) + "]";
    warnings.push_back(place_of(manifest, field) + manifest.function.metadata().name() + ": " +
                       field + ": the node knows no function '" + name +
                       "', calls of it fail until it is deployed" +
                       manifest::did_you_mean(name, known));
  }
  return warnings;
}

}  // namespace subito::cli

#include "runtime/pods/home.h"

#include <fcntl.h>

#include <algorithm>
#include <cstring>

namespace subito::pods {

std::string_view to_string(StartMode mode) {
  switch (mode) {
    case StartMode::kPooled:
      return "pooled";
    case StartMode::kFresh:
      return "fresh";
    case StartMode::kTemplate:
      return "template";
    case StartMode::kProcess:
      return "process";
  }
  return "unknown";
}

std::string words(const PodExit& exit, std::uint64_t memory_bytes_max) {
  switch (exit.cause) {
    case PodExit::Cause::kExited:
      return "exited with status " + std::to_string(exit.code);
    case PodExit::Cause::kSignalled: {
      const char* name = sigabbrev_np(exit.code);
      return "ended by " + (name ? "SIG" + std::string(name) : std::to_string(exit.code));
    }
    case PodExit::Cause::kOutOfMemory:
      return "out of memory (limit " + std::to_string(memory_bytes_max >> 20) + " MiB)";
    case PodExit::Cause::kStartFailed:
      return exit.message;
  }
  return "ended";
}

std::vector<std::string> variables_of(const PodSpec& spec) {
  std::vector<std::string> variables;
  if (!spec.grants) return variables;
  std::string_view rest = spec.grants->environment.view();
  // A vector that grows would leave copies behind.
  variables.reserve(static_cast<std::size_t>(std::count(rest.begin(), rest.end(), '\0')));
  while (!rest.empty()) {
    const std::size_t end = rest.find('\0');
    variables.emplace_back(rest.substr(0, end));
    rest.remove_prefix(end + 1);
  }
  return variables;
}

void wipe_all(std::vector<std::string>& texts) {
  for (std::string& text : texts) wipe(text);
}

void read_ahead(const std::string& artefact_path) {
  const UniqueFd file(::open(artefact_path.c_str(), O_RDONLY | O_CLOEXEC));
  // Failure costs a pod some of its memory, no more; that the file is not there is found at start.
  if (file.valid()) (void)::posix_fadvise(file.get(), 0, 0, POSIX_FADV_WILLNEED);
}

}  // namespace subito::pods

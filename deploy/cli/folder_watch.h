// FolderWatch: tells when the sources of a function's folder change, folders further down and new
// ones included; inotify(7). What Ignore leaves out is not watched. Symbolic links are not
// followed. Used by one thread.
#pragma once

#include <map>
#include <set>
#include <string>

#include "deploy/cli/ignore.h"
#include "runtime/base/result.h"
#include "runtime/base/unique_fd.h"

struct inotify_event;  // sys/inotify.h

namespace subito::cli {

inline constexpr std::size_t kWatchedFoldersMax = 4096;  // kResourceExhausted beyond

class FolderWatch {
 public:
  // Its .gitignore is read once, here.
  static Result<FolderWatch> open(const std::string& folder);

  int fd() const { return fd_.get(); }  // readable: changes() has something to tell
  // The files that were written, made, moved or removed since the last call, relative to the
  // folder; never blocks. "..." among them: more than the kernel could keep. kNotFound when the
  // folder itself is gone.
  Result<std::set<std::string>> changes();

 private:
  FolderWatch(UniqueFd fd, std::string folder, Ignore ignore)
      : fd_(std::move(fd)), folder_(std::move(folder)), ignore_(std::move(ignore)) {}

  Status add(const std::string& path, std::set<std::string>& found);
  void forget(const std::string& path);
  Status take(const inotify_event& event, std::set<std::string>& changed);

  UniqueFd fd_;
  std::string folder_;
  Ignore ignore_;
  std::map<int, std::string> watched_;  // watch descriptors to paths; "" is the folder itself
};

}  // namespace subito::cli

#include "deploy/cli/folder_watch.h"

#include <sys/inotify.h>

#include <array>
#include <cerrno>
#include <filesystem>
#include <fstream>
#include <iterator>
#include <utility>

namespace subito::cli {

namespace {

namespace fs = std::filesystem;

// A file counts once it was closed; editors write beside it and move it in place.
constexpr std::uint32_t kMask = IN_CLOSE_WRITE | IN_CREATE | IN_DELETE | IN_MOVED_FROM |
                                IN_MOVED_TO | IN_DELETE_SELF | IN_MOVE_SELF | IN_ONLYDIR |
                                IN_DONT_FOLLOW;

std::string text_of(const fs::path& file) {
  std::ifstream stream(file, std::ios::binary);
  return {std::istreambuf_iterator<char>(stream), {}};
}

std::string joined(const std::string& folder, const std::string& name) {
  return folder.empty() ? name : folder + "/" + name;
}

}  // namespace

Result<FolderWatch> FolderWatch::open(const std::string& folder) {
  std::error_code error;
  const std::string whole = fs::canonical(folder, error).string();
  if (error) return errno_error("watch " + folder, error.value());
  UniqueFd fd(::inotify_init1(IN_CLOEXEC | IN_NONBLOCK));
  if (!fd.valid()) return errno_error("watch " + folder);
  FolderWatch watch(std::move(fd), whole, Ignore(text_of(fs::path(folder) / ".gitignore")));
  std::set<std::string> there;
  RETURN_IF_ERROR(watch.add("", there));
  return watch;
}

// Watches a folder and those in it. The files that are there already are `found`: of a new folder
// some may have come before the watch.
Status FolderWatch::add(const std::string& path, std::set<std::string>& found) {
  const std::string whole = path.empty() ? folder_ : folder_ + "/" + path;
  if (watched_.size() >= kWatchedFoldersMax)
    return fail(ErrorCode::kResourceExhausted,
                "watch " + folder_ + ": more than " + std::to_string(kWatchedFoldersMax) +
                    " folders; name those that are no sources in its .gitignore");
  const int watch = ::inotify_add_watch(fd_.get(), whole.c_str(), kMask);
  if (watch < 0) {
    if (errno == ENOENT && !path.empty()) return ok();  // gone again
    Error error = errno_error("watch " + whole);
    if (errno == ENOSPC) error.message += "; raise the limit fs.inotify.max_user_watches";
    return error;
  }
  watched_[watch] = path;
  std::error_code gone;
  for (fs::directory_iterator it(whole, gone), end; !gone && it != end; it.increment(gone)) {
    const std::string below = joined(path, it->path().filename().string());
    std::error_code ignored;
    const bool is_folder = it->symlink_status(ignored).type() == fs::file_type::directory;
    if (ignore_.ignores(below, is_folder)) continue;
    if (is_folder) {
      RETURN_IF_ERROR(add(below, found));
    } else {
      found.insert(below);
    }
  }
  return ok();
}

// A folder that was moved away would tell its old name.
void FolderWatch::forget(const std::string& path) {
  std::erase_if(watched_, [&](const auto& entry) {
    const bool below = entry.second == path || entry.second.rfind(path + "/", 0) == 0;
    if (below) ::inotify_rm_watch(fd_.get(), entry.first);
    return below;
  });
}

Status FolderWatch::take(const inotify_event& event, std::set<std::string>& changed) {
  if ((event.mask & IN_Q_OVERFLOW) != 0) {
    // Folders may have come unseen: those known already are watched once, whatever is added again.
    changed.insert("...");
    return add("", changed);
  }
  const auto it = watched_.find(event.wd);
  if (it == watched_.end()) return ok();
  const std::string folder = it->second;
  if ((event.mask & IN_IGNORED) != 0) watched_.erase(it);
  if ((event.mask & (IN_DELETE_SELF | IN_MOVE_SELF)) != 0 && folder.empty())
    return fail(ErrorCode::kNotFound, "watch " + folder_ + ": the folder is gone");
  if (event.len == 0) return ok();
  const std::string path = joined(folder, event.name);
  const bool is_folder = (event.mask & IN_ISDIR) != 0;
  if (ignore_.ignores(path, is_folder)) return ok();
  if (!is_folder) {
    changed.insert(path);
    return ok();
  }
  if ((event.mask & (IN_MOVED_FROM | IN_DELETE)) != 0) {
    forget(path);
    changed.insert(path);
    return ok();
  }
  return add(path, changed);
}

Result<std::set<std::string>> FolderWatch::changes() {
  std::set<std::string> changed;
  alignas(inotify_event) std::array<char, 16 << 10> buffer{};
  for (;;) {
    const ssize_t size = ::read(fd_.get(), buffer.data(), buffer.size());
    if (size < 0 && errno == EINTR) continue;
    if (size < 0 && errno == EAGAIN) return changed;
    if (size <= 0) return errno_error("watch " + folder_);
    for (std::size_t at = 0; at < static_cast<std::size_t>(size);) {
      const auto* event = reinterpret_cast<const inotify_event*>(buffer.data() + at);
      RETURN_IF_ERROR(take(*event, changed));
      at += sizeof *event + event->len;
    }
  }
}

}  // namespace subito::cli

#include "bench/patterns/own_group.h"

#include <dirent.h>
#include <fcntl.h>
#include <unistd.h>

#include <filesystem>
#include <memory>

namespace subito::bench {

namespace {

namespace files = std::filesystem;

constexpr int kDepthMax = 8;  // runtimes make two or three levels

// A group is removed once it has no groups and no processes: cgroups(7). Its files go with it.
void remove_group(int parent, const char* name, int depth) {
  UniqueFd folder(::openat(parent, name, O_RDONLY | O_DIRECTORY | O_NOFOLLOW | O_CLOEXEC));
  if (!folder.valid() || depth > kDepthMax) return;
  const std::unique_ptr<DIR, int (*)(DIR*)> entries(::fdopendir(folder.get()), ::closedir);
  if (!entries) return;
  const int self = folder.release();  // closedir() closes it
  while (const dirent* entry = ::readdir(entries.get())) {
    if (entry->d_type != DT_DIR || entry->d_name[0] == '.') continue;
    remove_group(self, entry->d_name, depth + 1);
  }
  ::unlinkat(parent, name, AT_REMOVEDIR);
}

}  // namespace

OwnGroup::OwnGroup(std::string name) : name_(std::move(name)) {
  const files::path root = "/sys/fs/cgroup";
  hierarchies_.emplace_back(::open(root.c_str(), O_PATH | O_DIRECTORY | O_CLOEXEC));
  std::error_code ignored;
  for (const auto& entry : files::directory_iterator(root, ignored)) {
    UniqueFd hierarchy(::open(entry.path().c_str(), O_PATH | O_DIRECTORY | O_CLOEXEC));
    if (hierarchy.valid()) hierarchies_.push_back(std::move(hierarchy));
  }
}

OwnGroup::~OwnGroup() {
  for (const UniqueFd& root : hierarchies_) remove_group(root.get(), name_.c_str(), 0);
}

}  // namespace subito::bench

#include "runtime/server/port_owner.h"

#include <dirent.h>
#include <unistd.h>

#include <array>
#include <cstdio>
#include <fstream>
#include <functional>
#include <sstream>
#include <string_view>
#include <unordered_set>

namespace subito::server {
namespace {

constexpr std::string_view kListening = "0A";  // TCP_LISTEN in /proc/net/tcp, proc(5)

// Adds "socket:[INODE]" of each socket of `table` that listens on `port`.
void add_listeners(const char* table, std::uint16_t port, std::unordered_set<std::string>& out) {
  std::array<char, 8> wanted;
  std::snprintf(wanted.data(), wanted.size(), ":%04X", static_cast<unsigned>(port));
  std::ifstream file(table);
  std::string line;
  std::getline(file, line);  // the column names
  while (std::getline(file, line)) {
    std::istringstream words(line);
    std::string slot, local, remote, state, queues, timer, retransmits, uid, timeout, inode;
    words >> slot >> local >> remote >> state >> queues >> timer >> retransmits >> uid >> timeout >>
        inode;
    if (state == kListening && local.ends_with(wanted.data())) out.insert("socket:[" + inode + "]");
  }
}

// Calls `use(name)` for each entry until it returns true; whether it did.
bool any_entry(const std::string& folder, const std::function<bool(const char*)>& use) {
  DIR* dir = ::opendir(folder.c_str());
  if (dir == nullptr) return false;
  bool found = false;
  while (const dirent* entry = found ? nullptr : ::readdir(dir)) found = use(entry->d_name);
  ::closedir(dir);
  return found;
}

bool holds_one_of(const std::string& process, const std::unordered_set<std::string>& sockets) {
  const std::string folder = process + "/fd";
  return any_entry(folder, [&](const char* name) {
    std::array<char, 64> target;
    const ssize_t size = ::readlink((folder + "/" + name).c_str(), target.data(), target.size());
    return size > 0 && sockets.contains(std::string(target.data(), static_cast<std::size_t>(size)));
  });
}

}  // namespace

std::string port_owner(std::uint16_t port) {
  std::unordered_set<std::string> sockets;
  add_listeners("/proc/net/tcp", port, sockets);
  add_listeners("/proc/net/tcp6", port, sockets);
  if (sockets.empty()) return {};
  std::string owner;
  any_entry("/proc", [&](const char* pid) {
    if (*pid < '1' || *pid > '9') return false;
    const std::string process = std::string("/proc/") + pid;
    if (!holds_one_of(process, sockets)) return false;
    std::string name;
    std::getline(std::ifstream(process + "/comm"), name);
    owner = name + " (pid " + pid + ")";
    return true;
  });
  return owner;
}

}  // namespace subito::server

#include "bench/container.h"

#include <sched.h>
#include <sys/mount.h>
#include <unistd.h>

#include <filesystem>
#include <fstream>
#include <nlohmann/json.hpp>

#include "bench/peers/tools.h"

namespace subito::bench {

namespace {

using Json = nlohmann::ordered_json;

constexpr char kBinary[] = "/function";
constexpr std::int64_t kMemoryBytesMax = 128 << 20;  // as a pod has by default
constexpr int kPidsMax = 64;
constexpr std::uint64_t kTmpBytesMax = 16 << 20;
constexpr char kNobody[] = "65534";

Json mount(const char* destination, const char* type, std::vector<std::string> options) {
  return {{"destination", destination}, {"type", type}, {"source", type}, {"options", options}};
}

Json spec(const std::string& cgroup, const ContainerProcess& process) {
  Json namespaces = Json::array();
  for (const char* name : {"pid", "ipc", "uts", "mount", "cgroup"}) {
    namespaces.push_back({{"type", name}});
  }
  if (!process.host_network) namespaces.push_back({{"type", "network"}});
  return {{"ociVersion", "1.0.2"},
          {"process",
           {{"terminal", false},
            {"user", {{"uid", 65534}, {"gid", 65534}}},
            {"args", process.arguments},
            {"env", process.environment},
            {"cwd", "/"},
            {"capabilities", Json::object()},
            {"noNewPrivileges", true}}},
          {"root", {{"path", "rootfs"}, {"readonly", true}}},
          {"hostname", "pod"},
          {"mounts",
           {mount("/proc", "proc", {"nosuid", "noexec", "nodev"}),
            mount("/dev", "tmpfs", {"nosuid", "mode=755", "size=64k"}),
            mount("/tmp", "tmpfs", {"nosuid", "noexec", "nodev", "size=16m"})}},
          {"linux",
           {{"namespaces", namespaces},
            {"cgroupsPath", cgroup},
            {"resources",
             {{"memory", {{"limit", kMemoryBytesMax}}}, {"pids", {{"limit", kPidsMax}}}}}}}};
}

std::string first_line(const std::string& text) {
  return text.substr(0, text.find('\n'));
}

}  // namespace

Result<Container> Container::prepare(const std::string& runtime, const std::string& folder,
                                     const std::string& binary, ContainerProcess process) {
  Container container;
  container.process_ = std::move(process);
  container.runtime_path_ = find_in_path(runtime);
  if (container.runtime_path_.empty()) {
    return fail(ErrorCode::kNotFound, "find " + runtime +
                                          ": not installed; on Debian: apt-get install " +
                                          (runtime == "bwrap" ? "bubblewrap" : runtime));
  }
  container.bundle_ = folder + "/" + runtime;
  container.state_ = container.bundle_ + "/state";
  container.id_prefix_ = "subito-bench-" + std::to_string(::getpid()) + "-" + runtime + "-";
  RETURN_IF_ERROR(make_container_root(folder, container.bundle_ + "/rootfs",
                                      {"/proc", "/dev", "/tmp"}, binary, kBinary));
  std::error_code error;
  std::filesystem::create_directories(container.state_, error);
  if (error) return errno_error("make bundle of " + runtime, error.value());
  ASSIGN_OR_RETURN(const Finished version, run({container.runtime_path_, {runtime, "--version"}}));
  container.version_ = first_line(version.output);
  return container;
}

bool Container::bubblewrap() const {
  return runtime_path_.ends_with("/bwrap");
}

std::vector<std::string> Container::with_root(std::vector<std::string> arguments) const {
  arguments.insert(arguments.begin(), {runtime_path_, "--root", state_});
  return arguments;
}

Command Container::next() {
  if (bubblewrap()) {
    std::vector<std::string> arguments = {"bwrap",
                                          "--unshare-all",
                                          "--uid",
                                          kNobody,
                                          "--gid",
                                          kNobody,
                                          "--cap-drop",
                                          "ALL",
                                          "--die-with-parent",
                                          "--new-session",
                                          "--clearenv",
                                          "--ro-bind",
                                          bundle_ + "/rootfs",
                                          "/",
                                          "--proc",
                                          "/proc",
                                          "--dev",
                                          "/dev",
                                          "--size",
                                          std::to_string(kTmpBytesMax),
                                          "--tmpfs",
                                          "/tmp",
                                          "--chdir",
                                          "/",
                                          kBinary};
    return {runtime_path_, std::move(arguments)};
  }
  const std::string id = id_prefix_ + std::to_string(++number_);
  std::ofstream(bundle_ + "/config.json") << spec("/" + id, process_).dump();
  if (process_.host_network) return {runtime_path_, with_root({"run", "--bundle", bundle_, id})};
  return {runtime_path_, with_root({"run", "--preserve-fds", "1", "--bundle", bundle_, id})};
}

void Container::clean() {
  const std::string id = id_prefix_ + std::to_string(number_);
  if (bubblewrap() || !std::filesystem::exists(state_ + "/" + id)) return;
  (void)run({runtime_path_, with_root({"delete", "--force", id})});
}

Status make_container_root(const std::string& folder, const std::string& root,
                           const std::vector<const char*>& folders, const std::string& binary,
                           const std::string& file) {
  std::error_code error;
  for (const char* part : folders) std::filesystem::create_directories(root + part, error);
  if (!error) std::filesystem::copy_file(binary, root + file, error);
  if (!error) std::filesystem::permissions(root + file, std::filesystem::perms(0755), error);
  if (!error) std::filesystem::permissions(folder, std::filesystem::perms(0711), error);
  if (error) return errno_error("make container's root " + root, error.value());
  return ok();
}

std::vector<std::string> engine_limits() {
  return {"--memory",
          std::to_string(kMemoryBytesMax),
          "--pids-limit",
          std::to_string(kPidsMax),
          "--read-only",
          "--cap-drop",
          "ALL",
          "--security-opt",
          "no-new-privileges"};
}

Status hide_unified_cgroup() {
  constexpr char kUnified[] = "/sys/fs/cgroup/unified";
  if (::access("/sys/fs/cgroup/unified/cgroup.procs", F_OK) != 0) return ok();
  if (::unshare(CLONE_NEWNS) != 0) return errno_error("make mount namespace");
  if (::mount("none", "/", nullptr, MS_REC | MS_PRIVATE, nullptr) != 0) {
    return errno_error("make mounts private");
  }
  if (::umount2(kUnified, MNT_DETACH) != 0) return errno_error("hide unified cgroup hierarchy");
  return ok();
}

}  // namespace subito::bench

#include "runtime/node/e2e/live_node.h"

#include <sys/stat.h>
#include <unistd.h>

#include <algorithm>
#include <csignal>
#include <filesystem>
#include <sstream>

namespace subito::e2e {
namespace {

namespace fs = std::filesystem;

std::vector<std::string> lines_with(const std::string& file, const std::string& word) {
  std::vector<std::string> found;
  std::istringstream lines(read_file(file));
  for (std::string line; std::getline(lines, line);) {
    if (line.find(word) != std::string::npos) found.push_back(line);
  }
  return found;
}

// Everything mounted but by number: ids and peer groups change.
std::vector<std::string> mounts() {
  return lines_with("/proc/self/mounts", "");
}

std::string indented(const std::string& spec) {
  std::istringstream lines(spec);
  std::string out;
  for (std::string line; std::getline(lines, line);) out += "  " + line + "\n";
  return out;
}

}  // namespace

std::string function_binary(const std::string& name) {
  return std::string(SUBITO_FUNCTIONS_DIR) + "/" + name;
}

std::string subito_binary() {
  return SUBITO_BINARY;
}

std::string why_not_here() {
  if (::geteuid() != 0) return "SKIPPED: a node needs root";
  if (::access("/usr/bin/redis-server", X_OK) != 0) return "SKIPPED: redis-server is not installed";
  return {};
}

LiveNode::LiveNode(std::vector<std::string> up_arguments)
    : up_arguments_(std::move(up_arguments)), mounts_before_(mounts()) {
  adopt_orphans();
  char folder[] = "/tmp/e2e-node-XXXXXX";
  folder_ = ::mkdtemp(folder);
  data_ = folder_ + "/data";
}

LiveNode::~LiveNode() {
  if (node_.running()) {
    EXPECT_EQ(stop(), 0) << output();
  }
  EXPECT_TRUE(eventually([this] { return leftovers().empty(); })) << leftovers();
  if (testing::Test::HasFailure()) {
    std::printf("the node said:\n%s", output().c_str());
  }
  std::error_code ignored;
  fs::remove_all(folder_, ignored);
}

void LiveNode::start() {
  const std::string file = folder_ + "/out-" + std::to_string(++starts_);
  std::vector<std::string> arguments = {subito_binary(), "up",       "--data",
                                        data_,           "--listen", "127.0.0.1:0"};
  arguments.insert(arguments.end(), up_arguments_.begin(), up_arguments_.end());
  node_ = Child(arguments, file, folder_ + "/err");
  const std::string ready = "ready at http://127.0.0.1:";
  std::string said;
  ASSERT_TRUE(eventually([&] {
    said = read_file(file);
    return said.find(", API at ") != said.npos || !node_.running();
  }));
  ASSERT_TRUE(node_.running()) << output();
  ASSERT_NE(said.find(ready), said.npos) << said;
  port_ = static_cast<std::uint16_t>(std::stoi(said.substr(said.find(ready) + ready.size())));
  for (const pid_t child : children_of(pid())) {
    if (fs::path(executable_of(child)).filename() == "subito-launcher") launcher_ = child;
  }
  ASSERT_GT(launcher_, 0);
}

pid_t LiveNode::redis() const {
  for (const pid_t child : children_of(pid())) {
    if (executable_of(child).find("redis") != std::string::npos) return child;
  }
  return -1;
}

int LiveNode::stop(int signal) {
  node_.signal(signal);
  const auto exit = node_.wait(seconds(40));
  EXPECT_TRUE(exit) << "the node does not end";
  return exit.value_or(-1);
}

void LiveNode::kill() {
  node_.signal(SIGKILL);
  ASSERT_TRUE(node_.wait());
}

std::string LiveNode::output() const {
  std::string all;
  for (int i = 1; i <= starts_; ++i) all += read_file(folder_ + "/out-" + std::to_string(i));
  return all + read_file(folder_ + "/err");
}

std::vector<pid_t> LiveNode::pods() const {
  std::vector<pid_t> pods = children_of(launcher_);
  std::erase_if(pods, [](pid_t pid) {
    const std::string executable = executable_of(pid);
    return executable.find("artefacts") == std::string::npos;
  });
  return pods;
}

Ran LiveNode::cli(std::vector<std::string> arguments, milliseconds limit) const {
  arguments.insert(arguments.begin(), subito_binary());
  arguments.insert(arguments.end(), {"--socket", socket()});
  return run_program(arguments, limit);
}

Child LiveNode::follow(std::vector<std::string> arguments, const std::string& name) const {
  arguments.insert(arguments.begin(), subito_binary());
  arguments.insert(arguments.end(), {"--socket", socket()});
  return Child(arguments, folder_ + "/" + name, folder_ + "/" + name + ".err");
}

std::string LiveNode::followed(const std::string& name) const {
  return read_file(folder_ + "/" + name);
}

Json LiveNode::json(std::vector<std::string> arguments) const {
  const Ran ran = cli(std::move(arguments));
  EXPECT_EQ(ran.exit_code, 0) << ran.err;
  Json parsed = Json::parse(ran.out, nullptr, false);
  EXPECT_FALSE(parsed.is_discarded()) << ran.out;
  return parsed;
}

void LiveNode::deploy(const std::string& name, const std::string& binary, const std::string& spec,
                      const std::vector<std::string>& arguments) const {
  const Ran ran = try_deploy(name, function_binary(binary), spec, arguments);
  ASSERT_EQ(ran.exit_code, 0) << ran.out << ran.err;
}

Ran LiveNode::try_deploy(const std::string& name, const std::string& binary_path,
                         const std::string& spec, const std::vector<std::string>& arguments) const {
  const std::string file = folder_ + "/" + name + ".yaml";
  write_file(file, "apiVersion: subito.dev/v1\nkind: Function\nmetadata:\n  name: " + name +
                       "\nspec:\n  binary: " + binary_path + "\n" + indented(spec));
  std::vector<std::string> all = {"deploy", "-f", file};
  all.insert(all.end(), arguments.begin(), arguments.end());
  return cli(all, seconds(40));
}

std::string LiveNode::events(const std::string& name) const {
  std::string lines;
  const Json all = function(name);
  for (const Json& event : all.at("events")) {
    lines += event.value("reason", "") + " " + event.value("message", "") + "\n";
  }
  return lines;
}

std::uint64_t LiveNode::pods_started(const std::string& name) const {
  const Json all = function(name);
  std::uint64_t last = 0;
  for (const Json& event : all.at("events")) {
    const std::string pod = event.value("pod", "");
    if (event.at("reason") != "PodStarted") continue;
    last = std::max<std::uint64_t>(last, std::stoull(pod.substr(pod.rfind('-') + 1)));
  }
  return last;
}

std::string LiveNode::logs(const std::string& name,
                           const std::vector<std::string>& arguments) const {
  std::vector<std::string> all = {"logs", name};
  all.insert(all.end(), arguments.begin(), arguments.end());
  const Ran ran = cli(all);
  EXPECT_EQ(ran.exit_code, 0) << ran.err;
  return ran.out;
}

std::vector<std::string> LiveNode::cgroups() const {
  struct stat info {};
  if (::stat(data_.c_str(), &info) != 0) return {};
  char id[20];
  std::snprintf(id, sizeof id, "%llx",
                static_cast<unsigned long long>(info.st_ino) ^
                    (static_cast<unsigned long long>(info.st_dev) << 40));
  std::vector<std::string> found;
  for (const char* hierarchy : {"", "/memory", "/pids", "/cpu", "/cpu,cpuacct", "/unified"}) {
    const std::string group = std::string("/sys/fs/cgroup") + hierarchy + "/subito-" + id;
    std::error_code ignored;
    if (!fs::exists(group, ignored)) continue;
    found.push_back(group);
    for (const auto& entry : fs::directory_iterator(group, ignored)) {
      if (entry.is_directory(ignored)) found.push_back(entry.path());
    }
  }
  return found;
}

std::string LiveNode::leftovers() const {
  std::string left;
  if (reap_orphans() > 0) {
    for (const pid_t pid : children_of(::getpid())) {
      left += "process " + std::to_string(pid) + " " + executable_of(pid) + "\n";
    }
  }
  for (const std::string& group : cgroups()) left += "cgroup " + group + "\n";
  for (const std::string& mount : mounts()) {
    const auto& before = mounts_before_;
    if (std::find(before.begin(), before.end(), mount) == before.end()) {
      left += "mount " + mount + "\n";
    }
  }
  for (const std::string& line : lines_with("/proc/net/unix", folder_)) left += "socket " + line;
  if (fs::exists(socket())) left += "file " + socket() + "\n";
  return left;
}

}  // namespace subito::e2e

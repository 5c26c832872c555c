#include "bench/patterns/running.h"

#include <arpa/inet.h>
#include <fcntl.h>
#include <netinet/in.h>
#include <sys/file.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <unistd.h>

#include <charconv>
#include <cstdlib>
#include <filesystem>
#include <fstream>

#include "bench/interrupt.h"
#include "bench/kit/process_tree.h"
#include "bench/peers/tools.h"
#include "bench/private_node.h"

namespace subito::bench {

namespace {

namespace files = std::filesystem;

// Five emulated machines, or six images, on a busy host; then down.sh, whose services get 40 s.
constexpr std::chrono::seconds kScriptMax{400};
constexpr std::uint16_t kLastPort = 32'000;
constexpr std::uint16_t kCatalogueOffset = 2;  // of lib.sh
constexpr char kPatterns[] = "deploy/patterns";

std::string last_line_of(const std::string& text) {
  const std::size_t end = text.find_last_not_of('\n');
  if (end == text.npos) return "";
  const std::size_t before = text.rfind('\n', end);
  const std::size_t begin = before == text.npos ? 0 : before + 1;
  return text.substr(begin, end + 1 - begin);
}

// The word behind "KEY=" in a line of such words.
std::string value_in(const std::string& line, const std::string& key) {
  const std::string words = " " + line + " ";
  const std::size_t at = words.find(" " + key + "=");
  if (at == words.npos) return "";
  const std::size_t begin = at + key.size() + 2;
  return words.substr(begin, words.find(' ', begin) - begin);
}

std::string read_line_of(const std::string& file) {
  std::ifstream stream(file);
  std::string line;
  std::getline(stream, line);
  return line;
}

bool port_is_free(std::uint16_t port) {
  const UniqueFd socket(::socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0));
  const int yes = 1;
  ::setsockopt(socket.get(), SOL_SOCKET, SO_REUSEADDR, &yes, sizeof yes);
  sockaddr_in address{};
  address.sin_family = AF_INET;
  address.sin_port = htons(port);
  address.sin_addr.s_addr = htonl(INADDR_LOOPBACK);
  return ::bind(socket.get(), reinterpret_cast<const sockaddr*>(&address), sizeof address) == 0;
}

std::string missing_program(const std::vector<std::pair<const char*, const char*>>& wanted) {
  for (const auto& [program, package] : wanted) {
    if (!is_installed(program)) {
      return std::string(program) + " is not installed: apt-get install " + package;
    }
  }
  return "";
}

}  // namespace

std::string Site::script(const PatternKind& kind, const std::string& name) const {
  return checkout + "/" + kPatterns + "/" + kind.name + "/" + name + ".sh";
}

Result<Site> find_site(const std::string& checkout) {
  const files::path program = own_program();
  Site site{checkout, program.parent_path().parent_path(), ""};
  std::error_code error;
  for (files::path at = program.parent_path(); checkout.empty() && at != at.root_path();
       at = at.parent_path()) {
    if (!files::exists(at / kPatterns / "lib.sh", error)) continue;
    site.checkout = at;
    break;
  }
  if (site.checkout.empty() || !files::exists(files::path(site.checkout) / kPatterns, error)) {
    return fail(ErrorCode::kNotFound, std::string("find ") + kPatterns +
                                          ": this program lies in no build folder of a "
                                          "checkout; name one with --checkout FOLDER");
  }
  const char* parent = std::getenv("TMPDIR");
  site.states = ::geteuid() == 0 ? "/var/lib/subito-patterns"
                                 : std::string(parent != nullptr ? parent : "/tmp") +
                                       "/subito-patterns-" + std::to_string(::geteuid());
  return site;
}

Result<UniqueFd> hold_site(const Site& site) {
  if (::mkdir(site.states.c_str(), 0700) != 0 && errno != EEXIST) {
    return errno_error("make " + site.states);
  }
  UniqueFd folder(::open(site.states.c_str(), O_RDONLY | O_DIRECTORY | O_NOFOLLOW | O_CLOEXEC));
  if (!folder.valid()) return errno_error("open " + site.states);
  if (::flock(folder.get(), LOCK_EX | LOCK_NB) == 0) return folder;
  return fail(ErrorCode::kFailedPrecondition,
              "use " + site.states + ": another `subito bench patterns` runs; wait for its end");
}

bool is_installed(const std::string& program) {
  const char* path = std::getenv("PATH");
  return !find_in(path == nullptr ? "/usr/sbin:/usr/bin" : path, program).empty();
}

std::string why_not(const PatternKind& kind, const Site& site) {
  std::string missing = missing_program({{"redis-server", "redis-server"}, {"curl", "curl"}});
  const std::string name = kind.name;
  const bool monolith = name == kPatternKinds.front().name;
  if (missing.empty() && name == kHosts) missing = missing_program({{"ip", "iproute2"}});
  if (missing.empty() && name == kVm) {
    missing =
        missing_program({{"qemu-system-x86_64", "qemu-system-x86"}, {"busybox", "busybox-static"}});
  }
  if (missing.empty() && name == kContainers) {
    missing = missing_program({{"dockerd", "docker.io"}, {"ip", "iproute2"}});
  }
  if (!missing.empty()) return missing;
  const bool root = name == kHosts || name == kContainers || name == kServerless;
  if (root && ::geteuid() != 0) return "it needs root: run with sudo";
  const std::string binary = site.build + (monolith ? "/patterns/monolith" : "/shop/catalogue");
  if (::access(binary.c_str(), X_OK) == 0) return "";
  return binary + " is not built: ninja -C " + site.build + " patterns";
}

std::uint16_t free_ports(std::uint16_t from, std::uint16_t count) {
  for (int first = from; first + count < kLastPort; first += count) {
    int port = first;
    while (port < first + count && port_is_free(static_cast<std::uint16_t>(port))) ++port;
    if (port == first + count) return static_cast<std::uint16_t>(first);
  }
  return 0;
}

Running::Running(const PatternKind& kind, const Site& site, std::uint16_t port,
                 const Daemon* daemon)
    : kind_(kind),
      site_(site),
      port_(port),
      daemon_(daemon),
      state_(site.states + "/bench-" + kind.name) {}

Running::~Running() {
  if (files::exists(state_)) (void)run_script("down", {}, {});
}

Result<std::unique_ptr<Running>> Running::up(const PatternKind& kind, const Site& site,
                                             std::uint16_t port, const Daemon* daemon) {
  std::unique_ptr<Running> running(new Running(kind, site, port, daemon));
  std::error_code error;
  if (files::exists(running->state_, error)) RETURN_IF_ERROR(running->script("down"));
  RETURN_IF_ERROR(running->come_up());
  return running;
}

Status Running::come_up() {
  const auto begin = std::chrono::steady_clock::now();
  ASSIGN_OR_RETURN(const std::string line, script("up"));
  took_ = std::chrono::steady_clock::now() - begin;
  ASSIGN_OR_RETURN(shop_, parse_gateway_url(value_in(line, "shop")));
  return ok();
}

Result<Finished> Running::run_script(const std::string& name, const std::vector<std::string>& words,
                                     const std::string& build) const {
  std::vector<std::string> arguments;
  if (daemon_ != nullptr) arguments = {"nsenter", "--net=" + daemon_->network()};
  arguments.insert(arguments.end(), {"env", "BUILD=" + (build.empty() ? site_.build : build),
                                     "PORT=" + std::to_string(port_), "PATTERN_STATE=" + state_});
  if (daemon_ != nullptr) arguments.push_back("DOCKER_HOST=" + daemon_->host());
  arguments.push_back(site_.script(kind_, name));
  arguments.insert(arguments.end(), words.begin(), words.end());
  const std::string program = arguments.front();
  return run({program, std::move(arguments)}, kScriptMax);
}

Result<std::string> Running::script(const std::string& name, const std::vector<std::string>& words,
                                    const std::string& build) {
  ASSIGN_OR_RETURN(const Finished finished, run_script(name, words, build));
  if (Interrupt::happened()) return fail(ErrorCode::kCancelled, name + ".sh: interrupted");
  if (finished.exit_code != 0) {
    return fail(ErrorCode::kFailedPrecondition,
                std::string(kind_.name) + "/" + name + ".sh: " + last_line_of(finished.output));
  }
  if (finished.output.find("machines run by tcg") != std::string::npos) emulated_ = true;
  return last_line_of(finished.output);
}

ServerAddress Running::catalogue() const {
  if (kind_.base[0] != '\0') return shop_;  // one address for all
  if (std::string_view(kind_.name) == kHosts) return {"", "10.91.0.11", 80};
  if (daemon_ != nullptr) return {"", "10.92.0.11", 8080};
  return {"", "127.0.0.1", static_cast<std::uint16_t>(port_ + kCatalogueOffset)};
}

std::string Running::network() const {
  return daemon_ == nullptr ? "" : daemon_->network();
}

std::vector<pid_t> Running::roots() const {
  if (daemon_ != nullptr) return {daemon_->pid()};
  std::vector<pid_t> pids;
  const std::string list = value_in(read_line_of(state_ + "/up"), "pids");
  for (const char* at = list.data(); at < list.data() + list.size();) {
    pid_t pid = 0;
    at = std::from_chars(at, list.data() + list.size(), pid).ptr + 1;
    if (pid > 0) pids.push_back(pid);
  }
  return pids;
}

pid_t Running::process(const std::string& name) const {
  const auto all = processes();
  for (const pid_t pid : with_descendants(all, roots())) {
    const auto found = all.find(pid);
    if (found != all.end() && found->second.name == name) return pid;
  }
  return 0;
}

std::vector<std::string> Running::grants(const std::string& service) const {
  std::vector<std::string> lines;
  std::ifstream file(state_ + "/" + service + ".env");
  for (std::string line; std::getline(file, line);) lines.push_back(line);
  return lines;
}

}  // namespace subito::bench

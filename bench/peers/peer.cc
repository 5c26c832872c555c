#include "bench/peers/peer.h"

#include <arpa/inet.h>
#include <fcntl.h>
#include <sys/socket.h>
#include <unistd.h>

#include <algorithm>
#include <csignal>
#include <cstdlib>
#include <filesystem>
#include <fstream>
#include <sstream>

#include "bench/node_client.h"

namespace subito::bench {

namespace {

constexpr std::chrono::milliseconds kPeerReadyEvery{5};

std::string said_first(const std::string& text) {
  const std::size_t begin = text.find_first_not_of("\n ");
  if (begin == std::string::npos) return "";
  return text.substr(begin, text.find('\n', begin) - begin);
}

}  // namespace

const char* words(PeerKind kind) {
  switch (kind) {
    case PeerKind::kProxy:
      return "proxy";
    case PeerKind::kHost:
      return "host of another language";
    case PeerKind::kFork:
      return "process a connection";
  }
  return "";
}

const PeerPlan* find_plan(const std::string& name) {
  const std::vector<PeerPlan>& plans = peer_plans();
  const auto found = std::find_if(plans.begin(), plans.end(),
                                  [&](const PeerPlan& plan) { return name == plan.name; });
  return found == plans.end() ? nullptr : &*found;
}

std::string peer_packages() {
  const char* cache = std::getenv("XDG_CACHE_HOME");
  const char* home = std::getenv("HOME");
  const std::string root = cache != nullptr && *cache != '\0'
                               ? std::string(cache)
                               : std::string(home != nullptr ? home : "/root") + "/.cache";
  return root + "/subito/peers";
}

Result<std::string> find_peer(const PeerPlan& plan) {
  for (const std::string& program : plan.programs) {
    const std::string path = plan.npm ? peer_packages() + "/node_modules/" + program : program;
    std::error_code error;
    if (std::filesystem::is_regular_file(path, error)) return path;
  }
  return fail(ErrorCode::kNotFound, std::string("find ") + plan.name + ": it is not installed; " +
                                        (plan.npm ? "npm package " : "Debian package ") +
                                        plan.package + ": subito bench peers --install");
}

Result<std::string> peer_version(const PeerPlan& plan) {
  PeerPlace place;
  ASSIGN_OR_RETURN(place.program, find_peer(plan));
  place.packages = peer_packages();
  std::vector<std::string> command = plan.command(place);
  std::vector<std::string> arguments = {command.front()};
  // A program of node is the second word.
  if (command.front() != place.program) arguments.push_back(place.program);
  arguments.insert(arguments.end(), plan.version.begin(), plan.version.end());
  if (plan.version.empty()) return std::string("installed");
  ASSIGN_OR_RETURN(const Finished finished, run({arguments.front(), arguments}));
  return said_first(finished.output);
}

Result<std::uint16_t> free_port() {
  const UniqueFd socket(::socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0));
  sockaddr_in address{};
  address.sin_family = AF_INET;
  address.sin_addr.s_addr = htonl(INADDR_LOOPBACK);
  socklen_t size = sizeof address;
  if (::bind(socket.get(), reinterpret_cast<sockaddr*>(&address), size) != 0 ||
      ::getsockname(socket.get(), reinterpret_cast<sockaddr*>(&address), &size) != 0) {
    return errno_error("find a free port");
  }
  return ntohs(address.sin_port);
}

Result<Peer> Peer::start(const PeerPlan& plan, const std::string& upstream_socket,
                         const std::string& handler) {
  ASSIGN_OR_RETURN(std::string program, find_peer(plan));
  ASSIGN_OR_RETURN(TempFolder folder, TempFolder::make());
  ASSIGN_OR_RETURN(const std::uint16_t port, free_port());
  const PeerPlace place{folder.path(), peer_packages(), std::move(program),
                        port,          upstream_socket, handler};
  for (const auto& [name, text] : plan.files(place)) {
    std::ofstream(place.folder + "/" + name) << text;
  }
  const std::string log = place.folder + "/peer.log";
  const UniqueFd errors(::open(log.c_str(), O_WRONLY | O_CREAT | O_CLOEXEC, 0600));
  if (!errors.valid()) return errno_error("open " + log);
  // Its own state, if it keeps any, lies in that folder; one thread of Go, as the others have one.
  std::vector<std::string> arguments = {"env", "HOME=" + place.folder,
                                        "XDG_DATA_HOME=" + place.folder,
                                        "XDG_CONFIG_HOME=" + place.folder, "GOMAXPROCS=1"};
  const std::vector<std::string> command = plan.command(place);
  arguments.insert(arguments.end(), command.begin(), command.end());
  UniqueFd output;
  ASSIGN_OR_RETURN(Child child, start_service({"env", std::move(arguments)}, output, errors.get()));
  Peer peer(std::move(folder), std::move(child), std::move(output), port);
  if (auto ready = peer.await_ready(); !ready) {
    std::stringstream text;
    text << std::ifstream(log).rdbuf();
    Error error = std::move(ready).error().annotate(std::string("start ") + plan.name);
    error.message += "\n" + text.str().substr(0, 2000);
    return error;
  }
  return peer;
}

// None of them says when it is ready, so it is asked.
Status Peer::await_ready() {
  const auto deadline = std::chrono::steady_clock::now() + kStartTimeout;
  for (;;) {
    const auto connected = connect_socket(address());
    if (connected) return ok();
    if (std::chrono::steady_clock::now() > deadline) return connected.error();
    if (!rest(kPeerReadyEvery)) return fail(ErrorCode::kCancelled, "interrupted");
  }
}

Peer::~Peer() {
  child_.signal(SIGTERM);
  (void)child_.end(kStopTimeout);
}

}  // namespace subito::bench

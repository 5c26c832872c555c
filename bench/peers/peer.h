// Peer: another program that serves the bench's answers for one measurement, with a configuration
// of ours in a temporary folder and otherwise as installed. Ended when it goes. One thread.
#pragma once

#include <cstdint>
#include <string>
#include <utility>
#include <vector>

#include "bench/child.h"
#include "bench/http_client.h"
#include "bench/temp_folder.h"

namespace subito::bench {

enum class PeerKind {
  kProxy,  // before the handler's binary, on a Unix socket, as nginx
  kHost,   // a host of functions in another language: answers the same bytes by itself
  kFork,   // a process a connection: compared with starts
};
const char* words(PeerKind kind);

// Where one that is started has its parts.
struct PeerPlace {
  std::string folder;           // of its own, for its files
  std::string packages;         // the folder of npm's packages
  std::string program;          // that was found
  std::uint16_t port = 0;       // of 127.0.0.1, to listen on
  std::string upstream_socket;  // of a proxy
  std::string handler;          // of a fork: the program to start
};

using PeerFiles = std::vector<std::pair<std::string, std::string>>;  // name and text

// One of them, as it is known before it is started. All functions are pure.
struct PeerPlan {
  const char* name;
  const char* what;
  PeerKind kind;
  const char* package;
  bool npm;                           // the package is npm's; else Debian's
  std::vector<std::string> programs;  // where it may be: absolute, or below npm's folder
  std::vector<std::string> version;   // arguments that make it tell its version
  PeerFiles (*files)(const PeerPlace& place);
  std::vector<std::string> (*command)(const PeerPlace& place);  // the program and its arguments
  const char* base = "";                                        // before each path
};

// All that are known, proxies first. nginx has a class of its own.
const std::vector<PeerPlan>& peer_plans();
const PeerPlan* find_plan(const std::string& name);  // null: there is none

// Where `peers --install` puts npm's packages: $XDG_CACHE_HOME/subito/peers, else below ~/.cache.
std::string peer_packages();
// Its program; kNotFound, and what to install, where there is none.
Result<std::string> find_peer(const PeerPlan& plan);
// The first line that it says of itself.
Result<std::string> peer_version(const PeerPlan& plan);
// A port that was free just now, for programs that take no port 0.
Result<std::uint16_t> free_port();

class Peer {
 public:
  // `upstream_socket`: of a proxy; `handler`: of a fork. kNotFound as find_peer().
  static Result<Peer> start(const PeerPlan& plan, const std::string& upstream_socket,
                            const std::string& handler = {});
  Peer(Peer&&) noexcept = default;
  ~Peer();

  ServerAddress address() const { return {"", "127.0.0.1", port_}; }
  pid_t pid() const { return child_.pid(); }

  static constexpr std::chrono::seconds kStartTimeout{20};
  static constexpr std::chrono::seconds kStopTimeout{5};

 private:
  Peer(TempFolder folder, Child child, UniqueFd output, std::uint16_t port)
      : folder_(std::move(folder)),
        child_(std::move(child)),
        output_(std::move(output)),
        port_(port) {}
  Status await_ready();

  TempFolder folder_;  // destroyed last
  Child child_;
  UniqueFd output_;
  std::uint16_t port_;
};

}  // namespace subito::bench

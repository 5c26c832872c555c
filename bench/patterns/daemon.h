// Daemon: a Docker daemon of our own, for one run: with a network, process and mount namespace of
// its own, so that its bridge, its rules and all its containers are gone when it is, also when we
// are killed. Nothing of a daemon that is installed is read or touched. One thread.
#pragma once

#include <sys/types.h>

#include <string>
#include <vector>

#include "bench/child.h"
#include "bench/kit/process_tree.h"
#include "bench/patterns/own_group.h"
#include "runtime/base/result.h"
#include "runtime/base/unique_fd.h"

namespace subito::bench {

class Daemon {
 public:
  // `folder`: where its images and containers lie; made anew, and removed when it goes. Needs root,
  // dockerd, unshare and setpriv; the error has what it said last.
  static Result<Daemon> start(const std::string& folder);
  Daemon(Daemon&&) noexcept;
  Daemon& operator=(Daemon&&) = delete;
  ~Daemon();

  std::string host() const { return "unix://" + folder_ + "/d.sock"; }
  // Of which it and all containers are descendants.
  pid_t pid() const { return child_.pid(); }
  std::string network() const;  // the file of its network namespace
  // Runs docker with these words; kFailedPrecondition with what it said, unless it ends with 0.
  Result<std::string> docker(std::vector<std::string> words) const;

 private:
  Daemon(std::string folder, Child child, UniqueFd output)
      : folder_(std::move(folder)),
        child_(std::move(child)),
        output_(std::move(output)),
        group_(kGroup) {}
  static constexpr const char* kGroup = "subito-bench-docker";

  Status await_ready() const;
  // The first process in its namespace: dockerd itself; 0: none.
  pid_t first() const { return first_child_of(child_.pid()); }

  std::string folder_;  // empty: moved from
  Child child_;         // unshare(1), which waits for it
  UniqueFd output_;
  OwnGroup group_;  // its containers'
};

// NetworkStay: while one lives, this thread makes its sockets in another network. Nothing happens
// for an empty path.
class NetworkStay {
 public:
  static Result<NetworkStay> enter(const std::string& network);
  NetworkStay(NetworkStay&&) noexcept = default;
  NetworkStay& operator=(NetworkStay&&) = delete;
  ~NetworkStay();

 private:
  explicit NetworkStay(UniqueFd home) : home_(std::move(home)) {}
  UniqueFd home_;  // invalid: not left
};

}  // namespace subito::bench

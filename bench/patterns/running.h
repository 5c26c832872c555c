// Running: a pattern that was brought up by its up.sh and is taken down by its down.sh when it
// goes. What a run that was killed left is taken down before. One thread.
#pragma once

#include <sys/types.h>

#include <chrono>
#include <cstdint>
#include <memory>
#include <string>
#include <vector>

#include "bench/http_client.h"
#include "bench/patterns/daemon.h"
#include "bench/patterns/kinds.h"

namespace subito::bench {

// Where things are.
struct Site {
  std::string checkout;  // with deploy/patterns in it
  std::string build;     // with bin/, shop/ and patterns/ in it
  std::string states;    // a folder of ours, for what is up; held by one run at a time

  std::string script(const PatternKind& kind, const std::string& name) const;
};

// `checkout`: empty for the one in whose build folder this program lies. kNotFound, and what to do.
Result<Site> find_site(const std::string& checkout);
// Locks site.states for as long as the descriptor is open; kFailedPrecondition: another run has it.
Result<UniqueFd> hold_site(const Site& site);

// What is not there that a pattern needs, in words; empty: nothing.
std::string why_not(const PatternKind& kind, const Site& site);

// Whether a program is in PATH.
bool is_installed(const std::string& program);

// The first of `count` ports in a row that nobody listens on, from `from` on; 0: none.
std::uint16_t free_ports(std::uint16_t from, std::uint16_t count);

inline constexpr std::uint16_t kPortsPerPattern = 20;
inline constexpr std::uint16_t kFirstPort = 22'080;
inline constexpr std::uint16_t kFirstOciPort = 23'000;

class Running {
 public:
  // `daemon`: for 4-containers, else null; outlives it.
  static Result<std::unique_ptr<Running>> up(const PatternKind& kind, const Site& site,
                                             std::uint16_t port, const Daemon* daemon);
  ~Running();
  Running(const Running&) = delete;
  Running& operator=(const Running&) = delete;

  const PatternKind& kind() const { return kind_; }
  const Site& site() const { return site_; }
  const Daemon* daemon() const { return daemon_; }
  std::chrono::nanoseconds took() const { return took_; }  // up.sh
  bool emulated() const { return emulated_; }
  const std::string& state() const { return state_; }  // the folder
  const ServerAddress& shop() const { return shop_; }
  // What serves the catalogue's paths, which begin with kind().base.
  ServerAddress catalogue() const;
  // The network in which they are; empty: this one.
  std::string network() const;
  // The processes that are the pattern: they and their descendants.
  std::vector<pid_t> roots() const;
  // Of them, the one of this name; 0: none.
  pid_t process(const std::string& name) const;
  // What a service was granted: NAME=VALUE.
  std::vector<std::string> grants(const std::string& service) const;

  // The last line of a script of its folder; kFailedPrecondition with what it said, unless it ends
  // with 0. `build`: where it finds binaries; empty: site().build.
  Result<std::string> script(const std::string& name, const std::vector<std::string>& words = {},
                             const std::string& build = {});

 private:
  Running(const PatternKind& kind, const Site& site, std::uint16_t port, const Daemon* daemon);
  Status come_up();
  Result<Finished> run_script(const std::string& name, const std::vector<std::string>& words,
                              const std::string& build) const;

  const PatternKind& kind_;
  const Site& site_;
  const std::uint16_t port_;
  const Daemon* daemon_;
  const std::string state_;
  ServerAddress shop_;
  std::chrono::nanoseconds took_{0};
  bool emulated_ = false;
};

}  // namespace subito::bench

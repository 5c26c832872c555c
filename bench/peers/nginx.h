// Nginx: an nginx of our own for one measurement: one worker, no log, its files in a temporary
// folder; Debian's, with the configuration that nginx_config() writes and otherwise as installed.
// Ended when it goes. One thread.
#pragma once

#include <string>
#include <utility>
#include <vector>

#include "bench/child.h"
#include "bench/http_client.h"
#include "bench/temp_folder.h"

namespace subito::bench {

// What it serves: either it proxies to an upstream on a Unix socket, on kept-alive connections, or
// it answers by itself (`return`).
struct NginxSite {
  std::string upstream_socket;                               // empty: answers by itself
  std::vector<std::pair<std::string, std::string>> answers;  // path and body, JSON or empty
};

// nginx.conf(5) of it. `listen`: "127.0.0.1:80" or "unix:PATH".
std::string nginx_config(const NginxSite& site, const std::string& folder,
                         const std::string& listen);

class Nginx {
 public:
  // kNotFound, and what to install, where there is none. `socket`: the Unix socket to listen on;
  // empty: a port of 127.0.0.1 that was free.
  static Result<Nginx> start(const NginxSite& site, const std::string& socket = {});
  Nginx(Nginx&&) noexcept = default;
  ~Nginx();

  const ServerAddress& address() const { return address_; }
  pid_t pid() const { return child_.pid(); }  // its worker is a child of it
  static Result<std::string> version();

  static constexpr std::chrono::seconds kStartTimeout{10};
  static constexpr std::chrono::seconds kStopTimeout{5};

 private:
  Nginx(TempFolder folder, Child child, UniqueFd output, ServerAddress address)
      : folder_(std::move(folder)),
        child_(std::move(child)),
        output_(std::move(output)),
        address_(std::move(address)) {}
  Status await_ready() const;

  TempFolder folder_;  // destroyed last
  Child child_;
  UniqueFd output_;
  ServerAddress address_;
};

}  // namespace subito::bench

// ListeningHandler: a function's binary that serves HTTP by itself (--listen), for one measurement:
// the same handler without a node. Ended when it goes. One thread.
#pragma once

#include <string>
#include <vector>

#include "bench/child.h"
#include "bench/http_client.h"

namespace subito::bench {

class ListeningHandler {
 public:
  // `address`: "127.0.0.1:0" or "unix:PATH", as the binary takes it; `environment`: NAME=VALUE,
  // beside our own; `name`: of the function, where it shall not be the binary's; `concurrency`:
  // requests at once, 0: as many as there are cores.
  static Result<ListeningHandler> start(const std::string& binary, const std::string& address,
                                        const std::vector<std::string>& environment = {},
                                        const std::string& name = {},
                                        std::uint32_t concurrency = 0);

  const ServerAddress& address() const { return address_; }
  std::string url() const;  // of one that listens on TCP
  pid_t pid() const { return child_.pid(); }

  static constexpr std::chrono::seconds kStartTimeout{10};

 private:
  ListeningHandler(Child child, UniqueFd output, ServerAddress address)
      : child_(std::move(child)), output_(std::move(output)), address_(std::move(address)) {}

  Child child_;
  UniqueFd output_;
  ServerAddress address_;
};

// What "NAME listens on http://127.0.0.1:80" or "... on unix:PATH" says.
Result<ServerAddress> parse_listens(const std::string& line);

}  // namespace subito::bench

// Serves a handler over HTTP/1.1 without a node (--listen): for a debugger, for any container, for
// fair comparison. The loop and its connections live on the calling thread, handlers on worker
// threads, triggers on one of their own each.
#pragma once

#include <chrono>
#include <string>
#include <vector>

#include "runtime/sdk/include/subito/function.h"
#include "runtime/sdk/include/subito/monolith.h"

namespace subito::sdk {

struct ListenOptions {
  std::string name;                  // of the function, for its context and the default key prefix
  std::string address;               // "127.0.0.1:8080", "[::1]:0", "unix:/run/hello.sock"
  unsigned concurrency = 0;          // handlers at once; 0: as many as there are cores
  std::chrono::seconds timeout{30};  // a handler's deadline, from the arrival of the head
};

// Until SIGTERM or SIGINT: then it finishes what runs and returns 0. Another number: it could not
// listen, and said so on standard error.
int listen_and_serve(const ListenOptions& options, const Handler& handler);
// The same for several functions, each under its paths: subito/monolith.h.
int listen_and_serve(const ListenOptions& options, std::vector<Service> services);

}  // namespace subito::sdk

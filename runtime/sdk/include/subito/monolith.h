// Several functions in one process: the same handlers as one monolith.
//
//   #include <subito/monolith.h>
//
//   int main(int argc, char** argv) {
//     return subito::serve_monolith(argc, argv, {{"catalogue", catalogue_router()},
//                                                {"checkout", checkout_router(), {"/orders"}},
//                                                {"shopfront", shopfront_router(), {"/"}}});
//   }
//
// It serves HTTP by itself (--listen) and is no function: a node does not start it. Its face is
// that of a node's gateway: a function has /function/NAME/..., of which it sees the rest, and its
// routes, of which it sees the whole path; the longest route wins.
//
// Context::call() of one of them is a call in the process: the other handler runs at once on the
// caller's thread, with the caller's deadline, and its answer is there when start_call() returns. A
// function that waits for itself is CallError "call-cycle". Functions that are not in the process
// are called over HTTP, as --help tells.
#pragma once

#include <subito/function.h>

#include <string>
#include <vector>

namespace subito {

// One function of a monolith.
struct Service {
  Service(std::string name_, Handler handler_, std::vector<std::string> routes_ = {});
  Service(std::string name_, Router router, std::vector<std::string> routes_ = {});

  std::string name;
  Handler handler;
  std::vector<std::string> routes;  // "/orders": it and all below; "/": whatever is left
};

// Runs until SIGTERM. Returns the exit status of the process; `--help` tells the options. Throws
// std::invalid_argument when two services have the same name or route.
int serve_monolith(int argc, char** argv, std::vector<Service> services);

}  // namespace subito

// serve() of subito/function.h: reads the arguments and chooses the way to serve.
#include <sys/socket.h>

#include <algorithm>
#include <cstdio>
#include <string_view>
#include <utility>

#include "runtime/protocol/frame.h"
#include "runtime/sdk/access.h"
#include "runtime/sdk/include/subito/function.h"
#include "runtime/sdk/listen.h"
#include "runtime/sdk/listen_options.h"
#include "runtime/sdk/serve_pod.h"

#include "runtime/protocol/elf_note.h"

// The node knows by it that the binary is a function.
SUBITO_ELF_NOTE(1);

namespace subito {
namespace {

bool is_socket(int fd) {
  int type = 0;
  socklen_t size = sizeof type;
  return ::getsockopt(fd, SOL_SOCKET, SO_TYPE, &type, &size) == 0 && type == SOCK_STREAM;
}

constexpr char kWhat[] =
    "A Subito function. A node starts it as a pod, with the channel on descriptor 3 and arguments\n"
    "of its own; with --listen it serves HTTP by itself.\n"
    "\n";

// Somebody started it as any program.
int explain_itself(const char* name) {
  std::fprintf(stderr,
               "%s: this is a Subito function: a node starts it as a pod, see `subito deploy`.\n"
               "By hand it serves HTTP: %s --listen 127.0.0.1:9000\n"
               "%s --help tells its options, and what it reads from the environment.\n",
               name, name, name);
  return sdk::kExitUsage;
}

}  // namespace

int serve(int argc, char** argv, Handler handler) {
  // In a pod the arguments are the function's own (spec.args).
  const bool listens = std::find(argv, argv + argc, std::string_view("--listen")) != argv + argc;
  if (!listens && is_socket(protocol::kChannelFd)) {
    // A socket is no terminal, so it would be buffered whole: lost with a pod that is killed.
    std::setvbuf(stdout, nullptr, _IOLBF, 0);
    sdk::serve_pod(handler);
  }
  if (argc < 2) return explain_itself(argv[0]);
  const auto options = sdk::read_listen_options(argc, argv, kWhat);
  if (!options.listen) return options.status;
  return sdk::listen_and_serve(*options.listen, handler);
}

int serve(int argc, char** argv, Router router) {
  return serve(argc, argv, shared_handler(std::move(router)));
}

}  // namespace subito

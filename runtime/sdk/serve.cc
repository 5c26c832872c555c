// serve() of subito/function.h: reads the arguments and chooses the way to serve.
#include <fcntl.h>
#include <sys/socket.h>

#include <cstdio>
#include <memory>
#include <string_view>

#include "runtime/protocol/frame.h"
#include "runtime/sdk/include/subito/function.h"
#include "runtime/sdk/serve_pod.h"

namespace subito {
namespace {

bool is_socket(int fd) {
  int type = 0;
  socklen_t size = sizeof type;
  return ::getsockopt(fd, SOL_SOCKET, SO_TYPE, &type, &size) == 0 && type == SOCK_STREAM;
}

constexpr char kHelp[] =
    "A Subito function. The node starts it with the channel on descriptor 3.\n"
    "\n"
    "  --help  this text\n";

}  // namespace

int serve(int argc, char** argv, Handler handler) {
  if (argc > 1 && std::string_view(argv[1]) == "--help") {
    std::fputs(kHelp, stdout);
    return 0;
  }
  if (argc == 1 && is_socket(protocol::kChannelFd)) sdk::serve_pod(handler);
  std::fprintf(stderr, "%s: descriptor 3 is no channel; see --help\n", argv[0]);
  return 64;  // EX_USAGE of sysexits.h
}

int serve(int argc, char** argv, Router router) {
  // Handler wants to copy what it holds; a Router cannot be copied.
  auto shared = std::make_shared<Router>(std::move(router));
  return serve(argc, argv, Handler([shared](const Request& request, Context& context) {
                 return (*shared)(request, context);
               }));
}

}  // namespace subito

// serve() of subito/function.h: reads the arguments and chooses the way to serve.
#include <sys/socket.h>

#include <algorithm>
#include <cstdio>
#include <memory>
#include <string>
#include <string_view>

#include "runtime/protocol/frame.h"
#include "runtime/sdk/include/subito/function.h"
#include "runtime/sdk/listen.h"
#include "runtime/sdk/serve_pod.h"
#include "runtime/sdk/text.h"

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

constexpr char kHelp[] =
    "A Subito function. A node starts it as a pod, with the channel on descriptor 3 and arguments\n"
    "of its own; with --listen it serves HTTP by itself.\n"
    "\n"
    "  --listen ADDRESS   HOST:PORT (numeric or localhost; port 0: any) or unix:PATH\n"
    "  --concurrency N    handlers at once; default: the number of cores\n"
    "  --timeout SECONDS  the deadline of a request; default 30\n"
    "  --name NAME        of the function; default: the name of this file\n"
    "  --help             this text\n"
    "\n"
    "With --listen the environment grants what a node would: SETTING_<NAME>, REDIS_URL,\n"
    "REDIS_URL_<BINDING>, REDIS_PREFIX, TCP_<BINDING>_ADDRESS, CALL_<FUNCTION>_URL. Names are in\n"
    "capitals, '_' for all but letters and digits: SETTING_CURRENCY, CALL_MY_SHOP_URL.\n"
    "SIGTERM ends it once what runs is finished.\n";

constexpr int kExitUsage = 64;  // EX_USAGE of sysexits.h

// Somebody started it as any program.
int explain_itself(const char* name) {
  std::fprintf(stderr,
               "%s: this is a Subito function: a node starts it as a pod, see `subito deploy`.\n"
               "By hand it serves HTTP: %s --listen 127.0.0.1:9000\n"
               "%s --help tells its options, and what it reads from the environment.\n",
               name, name, name);
  return kExitUsage;
}

int refuse(const char* name, const std::string& reason) {
  std::fprintf(stderr, "%s: %s; see --help\n", name, reason.c_str());
  return kExitUsage;
}

// Takes one option and its value. Empty: fine.
std::string read_option(sdk::ListenOptions& options, std::string_view option, const char* value) {
  if (value == nullptr) return std::string(option) + " wants a value";
  if (option == "--listen") {
    options.address = value;
  } else if (option == "--name") {
    options.name = value;
  } else if (option == "--concurrency" || option == "--timeout") {
    const auto number = sdk::parse_number(value);
    if (!number || *number < 1 || *number > 4096) {
      return std::string(option) + " wants a number from 1 to 4096";
    }
    if (option == "--timeout") options.timeout = std::chrono::seconds(*number);
    if (option == "--concurrency") options.concurrency = static_cast<unsigned>(*number);
  } else {
    return "unknown option " + std::string(option);
  }
  return {};
}

std::string base_name(const char* path) {
  const std::string_view whole(path);
  return std::string(whole.substr(whole.rfind('/') + 1));
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
  sdk::ListenOptions options;
  options.name = base_name(argv[0]);
  for (int i = 1; i < argc; i += 2) {
    if (std::string_view(argv[i]) == "--help") {
      std::fputs(kHelp, stdout);
      return 0;
    }
    const auto fault = read_option(options, argv[i], i + 1 < argc ? argv[i + 1] : nullptr);
    if (!fault.empty()) return refuse(argv[0], fault);
  }
  if (options.address.empty()) return refuse(argv[0], "--listen ADDRESS is missing");
  return sdk::listen_and_serve(options, handler);
}

int serve(int argc, char** argv, Router router) {
  // Handler wants to copy what it holds; a Router cannot be copied.
  auto shared = std::make_shared<Router>(std::move(router));
  return serve(argc, argv, Handler([shared](const Request& request, Context& context) {
                 return (*shared)(request, context);
               }));
}

}  // namespace subito

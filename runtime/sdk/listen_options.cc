#include "runtime/sdk/listen_options.h"

#include <cstdio>
#include <string>
#include <string_view>

#include "runtime/sdk/text.h"

namespace subito::sdk {
namespace {

constexpr char kOptionsHelp[] =
    "  --listen ADDRESS   HOST:PORT (numeric or localhost; port 0: any) or unix:PATH\n"
    "  --concurrency N    handlers at once; default: the number of cores\n"
    "  --timeout SECONDS  the deadline of a request; default 30\n"
    "  --name NAME        of the function; default: the name of this file\n"
    "  --help             this text\n"
    "\n"
    "With --listen the environment grants what a node would: SETTING_<NAME>, REDIS_URL,\n"
    "REDIS_URL_<BINDING>, REDIS_PREFIX, TCP_<BINDING>_ADDRESS, CALL_<FUNCTION>_URL,\n"
    "SECRET_<NAME> or SECRET_<NAME>_FILE, with _<KEY> behind the name for a key that is not "
    "\"value\".\n"
    "Names are in capitals, '_' for all but letters and digits: SETTING_CURRENCY, "
    "CALL_MY_SHOP_URL.\n"
    "Triggers: TRIGGER_<NAME>=\"stream KEY PATH\" or \"due KEY PATH\", of the Redis at\n"
    "REDIS_URL_TRIGGERS, else REDIS_URL; KEY with its prefix: TRIGGER_DUE=\"due shop:due /due\".\n"
    "SIGTERM ends it once what runs is finished.\n";

ReadOptions refuse(const char* name, const std::string& reason) {
  std::fprintf(stderr, "%s: %s; see --help\n", name, reason.c_str());
  return {std::nullopt, kExitUsage};
}

// Takes one option and its value. Empty: fine.
std::string read_option(ListenOptions& options, std::string_view option, const char* value) {
  if (value == nullptr) return std::string(option) + " wants a value";
  if (option == "--listen") {
    options.address = value;
  } else if (option == "--name") {
    options.name = value;
  } else if (option == "--concurrency" || option == "--timeout") {
    const auto number = parse_number(value);
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

ReadOptions read_listen_options(int argc, char** argv, const char* what) {
  ListenOptions options;
  options.name = base_name(argv[0]);
  for (int i = 1; i < argc; i += 2) {
    if (std::string_view(argv[i]) == "--help") {
      std::fputs(what, stdout);
      std::fputs(kOptionsHelp, stdout);
      return {};
    }
    const auto fault = read_option(options, argv[i], i + 1 < argc ? argv[i + 1] : nullptr);
    if (!fault.empty()) return refuse(argv[0], fault);
  }
  if (options.address.empty()) return refuse(argv[0], "--listen ADDRESS is missing");
  return {std::move(options), 0};
}

}  // namespace subito::sdk

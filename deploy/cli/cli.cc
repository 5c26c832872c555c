#include "deploy/cli/cli.h"

#include <unistd.h>

#include <algorithm>
#include <chrono>
#include <csignal>
#include <cstdlib>
#include <exception>
#include <iostream>

#include "deploy/cli/session.h"
#include "deploy/manifest/suggest.h"

namespace subito::cli {

namespace {

// One screen, held to 40 lines by a test.
constexpr char kHelp[] = R"(Subito: functions that sleep at zero and are there at once.

Usage: subito COMMAND [OPTIONS]

Node
  up         run a node in the foreground
  doctor     what this host can do and what it lacks; then the exit code is 1
  version    versions of this program and of the node

Functions
  new        write a function to begin with: new NAME [--template hello|redis|calls]
  deploy     make a new revision: deploy FOLDER, -f FILE or NAME --binary PATH
  dev        build, deploy at every save, show logs and requests: dev FOLDER
  invoke     call one: invoke NAME [PATH] [-X METHOD] [-H FIELD] [-d DATA] [-v]
  scale      change how many pods one may have: scale NAME --min N --max N
  delete     forget one; its pods are drained

Looking
  get        list functions, pods or revisions; -w stays and tells changes
  describe   all about one, with its last events
  logs       what one said: logs NAME [-f] [--tail N] [--since 5m] [--previous]
  debug      a shell in a pod's namespaces: debug POD [-- COMMAND...]
  bench      measure: cold-start and others

Options
  --socket PATH   API socket of the node; else $SUBITO_SOCKET, else
                  .subito/api.sock (of ./dev up) or /var/lib/subito/api.sock
  -o json         for programs, on most commands; lists are {"items": [...]}
  -h, --help      this, or the help of a command

Exit codes
  0 done   1 failed   2 wrong command line   3 no such function or pod
  4 node not reachable   5 manifest or binary refused   130 bench interrupted

Colours only on a terminal and unless NO_COLOR is set.
)";

std::vector<std::string> command_names(const CLI::App& app) {
  std::vector<std::string> names;
  for (const CLI::App* command : app.get_subcommands({})) names.push_back(command->get_name());
  return names;
}

int tell_usage(const Session& session, const std::string& command, const std::string& message) {
  const std::string name = command.empty() ? "subito" : "subito " + command;
  session.environment.err << name << ": " << printable(message) << "\nTry `" << name
                          << " --help`\n";
  return kUsage;
}

void add_commands(CLI::App& app, Session& session) {
  app.set_help_flag("-h,--help", "this help");
  app.add_option("--socket", session.socket, "API socket of the node")->type_name("PATH");
  app.fallthrough();  // --socket may stand behind the command
  add_up(app, session);
  add_new(app, session);
  add_deploy(app, session);
  add_dev(app, session);
  add_invoke(app, session);
  add_get(app, session);
  add_describe(app, session);
  add_logs(app, session);
  add_debug(app, session);
  add_scale(app, session);
  add_delete(app, session);
  add_doctor(app, session);
  add_bench(app, session);
  add_version(app, session);
}

// The command that the parser got to, for its help and its errors.
const CLI::App& parsed_command(const CLI::App& app) {
  const auto commands = app.get_subcommands();
  return commands.empty() ? app : *commands.front();
}

int parse_and_run(CLI::App& app, Session& session, std::vector<std::string> arguments) {
  std::reverse(arguments.begin(), arguments.end());  // as CLI11 takes them
  try {
    app.parse(std::move(arguments));
  } catch (const CLI::CallForHelp&) {
    const CLI::App& command = parsed_command(app);
    session.out() << (&command == &app ? kHelp : command.help("subito"));
    return kOk;
  } catch (const CLI::ParseError& error) {
    const CLI::App& command = parsed_command(app);
    return tell_usage(session, &command == &app ? "" : command.get_name(), error.what());
  }
  if (session.action) return session.action();
  session.environment.err << kHelp;
  return kUsage;
}

}  // namespace

int run(const std::vector<std::string>& arguments, const Environment& environment,
        const Hooks& hooks) {
  Session session{environment, hooks, "", {}};
  // The last guard: a library's exception is our fault, but a person should not see std::terminate.
  try {
    CLI::App app("Subito", "subito");
    add_commands(app, session);
    if (!arguments.empty() && arguments.front() == "help") {
      environment.out << kHelp;
      return kOk;
    }
    const std::vector<std::string> names = command_names(app);
    if (!arguments.empty() && arguments.front().substr(0, 1) != "-" &&
        std::find(names.begin(), names.end(), arguments.front()) == names.end()) {
      return tell_usage(session, "",
                        "there is no command '" + arguments.front() + "'" +
                            manifest::did_you_mean(arguments.front(), names));
    }
    return parse_and_run(app, session, arguments);
  } catch (const std::exception& error) {
    return session.tell(kFailed,
                        std::string("the node's answer is not understood: ") + error.what());
  }
}

int cli_main(int argc, char** argv, const Hooks& hooks) {
  std::signal(SIGPIPE, SIG_IGN);
  const Environment environment{
      std::cout,
      std::cerr,
      std::cin,
      ::isatty(STDOUT_FILENO) == 1,
      ::isatty(STDERR_FILENO) == 1,
      [](const char* name) {
        const char* value = std::getenv(name);
        return value == nullptr ? std::optional<std::string>() : std::optional<std::string>(value);
      },
      [] {
        const auto now = std::chrono::system_clock::now().time_since_epoch();
        return std::int64_t{std::chrono::nanoseconds(now).count()};
      },
      [](const std::string& path) { return ::access(path.c_str(), F_OK) == 0; },
      api::make_curl_transport,
      ::geteuid() == 0,
      enter_pod,
      run_program,
      install_prefix(),
  };
  return run({argv + std::min(argc, 1), argv + argc}, environment, hooks);
}

}  // namespace subito::cli

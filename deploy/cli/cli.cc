#include "deploy/cli/cli.h"

#include <termios.h>
#include <unistd.h>

#include <algorithm>
#include <chrono>
#include <csignal>
#include <cstdlib>
#include <exception>
#include <iostream>

#include "deploy/cli/app_facts.h"
#include "deploy/cli/session.h"

namespace subito::cli {

namespace {

int tell_usage(const Session& session, const std::string& command, const std::string& message) {
  const std::string name = command.empty() ? "subito" : "subito " + command;
  session.environment.err << name << ": " << printable(message) << "\nTry `" << name
                          << " --help`\n";
  return kUsage;
}

void add_commands(CLI::App& app, Session& session) {
  app.formatter(std::make_shared<HelpFormatter>());
  app.set_help_flag("-h,--help", "this help");
  app.set_version_flag("--version", "subito " SUBITO_VERSION, "the version of this program");
  CLI::Option* socket =
      app.add_option("--socket", session.socket, "API socket of the node")->type_name("PATH");
  app.add_option("--server", session.server, "a node elsewhere: https://HOST:PORT of its API")
      ->type_name("URL")
      ->excludes(socket);
  app.add_option("--ca", session.ca,
                 "with --server: who must have signed its certificate, PEM, instead of those whom "
                 "this machine trusts")
      ->type_name("FILE");
  app.fallthrough();  // these may stand behind the command
  add_up(app, session);
  add_new(app, session);
  add_deploy(app, session);
  add_dev(app, session);
  add_invoke(app, session);
  add_get(app, session);
  add_describe(app, session);
  add_logs(app, session);
  add_top(app, session);
  add_health(app, session);
  add_dead_letters(app, session);
  add_debug(app, session);
  add_explain(app, session);
  add_scale(app, session);
  add_rollout(app, session);
  add_traffic(app, session);
  add_delete(app, session);
  add_config(app, session);
  add_secret(app, session);
  add_backup(app, session);
  add_restore(app, session);
  add_doctor(app, session);
  add_bench(app, session);
  add_simulate(app, session);
  add_version(app, session);
  add_token(app, session);
  add_login(app, session);
  add_logout(app, session);
  add_context(app, session);
  add_audit(app, session);
  add_reference(app, session);
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
    session.out() << (&command == &app ? help_text(app) : command.help("subito"));
    return kOk;
  } catch (const CLI::CallForVersion& version) {
    session.out() << version.what() << '\n';
    return kOk;
  } catch (const CLI::ParseError& error) {
    const CLI::App& command = parsed_command(app);
    return tell_usage(session, &command == &app ? "" : command.get_name(),
                      refusal_words(app, command, error));
  }
  if (session.action) return session.action();
  session.environment.err << help_text(app);
  return kUsage;
}

bool is_command(const CLI::App& app, const std::string& word) {
  const auto all = app.get_subcommands([](const CLI::App*) { return true; });
  return std::any_of(all.begin(), all.end(),
                     [&](const CLI::App* command) { return command->get_name() == word; });
}

int no_command(const CLI::App& app, const Session& session, const std::string& word) {
  return tell_usage(session, "", unknown_command(app, word));
}

// subito help [COMMAND ...]
int help(CLI::App& app, Session& session, std::vector<std::string> words) {
  words.erase(words.begin());
  if (words.empty()) words = {"--help"};
  const std::string& command = words.front();
  if (command.substr(0, 1) != "-" && !is_command(app, command))
    return no_command(app, session, command);
  if (words.back() != "--help") words.emplace_back("--help");
  return parse_and_run(app, session, words);
}

}  // namespace

int run(const std::vector<std::string>& arguments, const Environment& environment,
        const Hooks& hooks) {
  Session session{environment, hooks, "", "", "", {}};
  // The last guard: a library's exception is our fault, but a person should not see std::terminate.
  try {
    CLI::App app("Subito", "subito");
    add_commands(app, session);
    if (!arguments.empty() && arguments.front().substr(0, 1) != "-") {
      if (arguments.front() == "help") return help(app, session, arguments);
      if (!is_command(app, arguments.front())) return no_command(app, session, arguments.front());
    }
    return parse_and_run(app, session, arguments);
  } catch (const std::exception& error) {
    return session.tell(kFailed,
                        std::string("the node's answer is not understood: ") + error.what());
  }
}

// Without an echo, until the end of the line: termios(3).
static Result<std::string> ask_hidden(const std::string& prompt) {
  termios before{};
  if (::tcgetattr(STDIN_FILENO, &before) != 0) return errno_error("read terminal");
  termios hidden = before;
  hidden.c_lflag &= ~static_cast<tcflag_t>(ECHO);
  std::cerr << prompt << std::flush;
  ::tcsetattr(STDIN_FILENO, TCSAFLUSH, &hidden);
  std::string line;
  const bool read = static_cast<bool>(std::getline(std::cin, line));
  ::tcsetattr(STDIN_FILENO, TCSAFLUSH, &before);
  std::cerr << '\n';
  if (!read) return fail(ErrorCode::kCancelled, "read terminal: nothing was typed");
  return line;
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
      ::isatty(STDIN_FILENO) == 1
          ? std::function<Result<std::string>(const std::string&)>(ask_hidden)
          : nullptr,
  };
  return run({argv + std::min(argc, 1), argv + argc}, environment, hooks);
}

}  // namespace subito::cli

// The short commands: version, up, doctor, bench, simulate.
#include <algorithm>
#include <charconv>
#include <limits>
#include <memory>
#include <tuple>
#include <utility>

#include "deploy/cli/app_facts.h"
#include "deploy/cli/session.h"
#include "deploy/manifest/units.h"

namespace subito::cli {

namespace {

int version(const Session& session, bool json) {
  const api::Endpoint where = session.endpoint();
  if (!where.fault.empty()) {
    session.out() << (json ? "" : "subito " SUBITO_VERSION "\n");
    return session.tell(kUsage, where.fault);
  }
  Node node = session.node();
  const auto info = node.get("/v1/version");
  if (json) {
    Json out = {{"client", SUBITO_VERSION}, {"node", info ? *info : Json()}};
    session.out() << out.dump(2) << '\n';
    return kOk;
  }
  session.out() << "subito " << SUBITO_VERSION << '\n';
  if (!info) {
    session.out() << "node   not reachable at " << where.name() << '\n';
    return kOk;
  }
  session.out() << "node   " << info->value("version", "") << " at "
                << info->value("gatewayUrl", "") << ", data in " << info->value("dataFolder", "")
                << ", up for " << session.age(info->at("startedAt")) << '\n';
  return kOk;
}

// "127.0.0.1:8080", ":8080", "[::1]:8080"; `no_host`: what an empty host means.
std::pair<std::string, std::uint16_t> parse_address(const std::string& option,
                                                    const std::string& text,
                                                    const std::string& no_host) {
  const std::size_t colon = text.rfind(':');
  int port = -1;
  if (colon != text.npos) {
    const char* end = text.data() + text.size();
    const auto [stop, error] = std::from_chars(text.data() + colon + 1, end, port);
    if (error != std::errc() || stop != end) port = -1;
  }
  if (port < 0 || port > 65535)
    throw CLI::ValidationError(option + ": is '" + text + "', allowed is ADDRESS:PORT");
  std::string host = text.substr(0, colon);
  if (host.size() > 2 && host.front() == '[' && host.back() == ']')
    host = host.substr(1, host.size() - 2);
  return {host.empty() ? no_host : host, static_cast<std::uint16_t>(port)};
}

void parse_listen(const std::string& text, UpOptions& options) {
  std::tie(options.listen_host, options.listen_port) = parse_address("--listen", text, "0.0.0.0");
}

// What the node tells of itself is for this machine alone, unless somebody says otherwise.
void parse_metrics(const std::string& text, UpOptions& options) {
  options.metrics_off = text == "off";
  if (options.metrics_off) return;
  std::tie(options.metrics_host, options.metrics_port) =
      parse_address("--metrics", text, "127.0.0.1");
}

// Who reaches the API may, with a token, do much: this machine alone, unless somebody says
// otherwise.
void add_tls_options(CLI::App& command, UpOptions& options) {
  command
      .add_option_function<std::string>(
          "--tls-listen",
          [&options](const std::string& text) {
            std::tie(options.tls_host, options.tls_port) =
                parse_address("--tls-listen", text, "0.0.0.0");
          },
          "where the gateway listens by TLS, beside --listen")
      ->type_name("ADDRESS:PORT");
  command
      .add_option_function<std::string>(
          "--api-listen",
          [&options](const std::string& text) {
            std::tie(options.api_host, options.api_port) =
                parse_address("--api-listen", text, "127.0.0.1");
          },
          "where the control API listens by TLS, for --server of other machines; :PORT is loopback")
      ->type_name("ADDRESS:PORT");
  command
      .add_option("--tls-cert", options.tls_cert,
                  "the certificate for both, PEM, behind it those that lead to its authority; read "
                  "again when it changes, and on SIGHUP")
      ->type_name("FILE");
  command
      .add_option("--tls-key", options.tls_key, "its key, which others must not be able to read")
      ->type_name("FILE");
}

// Empty: they go together.
std::string fault_of_tls(const UpOptions& options) {
  const bool listens = !options.tls_host.empty() || !options.api_host.empty();
  const bool both = !options.tls_cert.empty() && !options.tls_key.empty();
  if (listens && !both)
    return std::string(options.tls_host.empty() ? "--api-listen" : "--tls-listen") +
           ": TLS needs --tls-cert FILE and --tls-key FILE";
  if (!listens && !(options.tls_cert + options.tls_key).empty())
    return "--tls-cert and --tls-key: say what they are for: --tls-listen ADDRESS:PORT, "
           "--api-listen ADDRESS:PORT or both";
  return "";
}

void parse_traces(const std::string& text, UpOptions& options) {
  const bool http = text.rfind("http://", 0) == 0 || text.rfind("https://", 0) == 0;
  const std::size_t host = text.find("://") + 3;
  if (!http || host >= text.size())
    throw CLI::ValidationError("--traces: is '" + text +
                               "', allowed is http://HOST:PORT or https://HOST:PORT");
  // It would stand in logs and process lists.
  if (text.substr(host, text.find('/', host) - host).find('@') != text.npos)
    throw CLI::ValidationError(
        "--traces: takes no user and password; let a collector on this host hold them");
  options.traces_url = text;
}

constexpr std::uint64_t kLogBytesMin = 1 << 20;

// "16Mi", from a MiB on; 0 where `zero` says so.
std::uint64_t parse_log_size(const char* option, const std::string& text, bool zero) {
  const auto bytes = manifest::parse_size_bytes(text);
  if (!bytes) throw CLI::ValidationError(std::string(option) + ": " + bytes.error().message);
  const auto size = static_cast<std::uint64_t>(*bytes);
  if (size < kLogBytesMin && !(zero && size == 0))
    throw CLI::ValidationError(std::string(option) + ": is " + text + ", allowed is 1Mi or more" +
                               (zero ? ", or 0: no files" : ""));
  return size;
}

struct TimeRange {
  std::int64_t min_ms;
  std::int64_t max_ms;
  const char* words;
};
constexpr TimeRange kLogAges{60'000, std::numeric_limits<std::int64_t>::max(), "1m or more"};
constexpr TimeRange kShutdownDelays{0, 60'000, "0s to 60s"};

std::int64_t parse_time(const std::string& option, const std::string& text,
                        const TimeRange& allowed) {
  const auto time = manifest::parse_duration_ms(text);
  if (!time) throw CLI::ValidationError(option + ": " + time.error().message);
  if (*time < allowed.min_ms || *time > allowed.max_ms)
    throw CLI::ValidationError(option + ": is " + text + ", allowed is " + allowed.words);
  return *time;
}

void add_shutdown_option(CLI::App& command, UpOptions& options) {
  command
      .add_option_function<std::string>(
          "--shutdown-delay",
          [&options](const std::string& text) {
            options.shutdown_delay_ms = parse_time("--shutdown-delay", text, kShutdownDelays);
          },
          "told to stop, serve on so long while /readyz says 503, so that a load balancer turns "
          "away (0s)")
      ->type_name("TIME");
}

void add_log_options(CLI::App& command, UpOptions& options) {
  command
      .add_option_function<std::string>(
          "--logs-size",
          [&options](const std::string& text) {
            options.logs_bytes_max = parse_log_size("--logs-size", text, true);
          },
          "most bytes of log files of one function; 0: logs are in memory alone (16Mi)")
      ->type_name("SIZE");
  command
      .add_option_function<std::string>(
          "--logs-total",
          [&options](const std::string& text) {
            options.logs_total_bytes_max = parse_log_size("--logs-total", text, false);
          },
          "of all functions together; whoever has most gives its oldest (256Mi)")
      ->type_name("SIZE");
  command
      .add_option_function<std::string>(
          "--logs-age",
          [&options](const std::string& text) {
            options.logs_age_max_ms = parse_time("--logs-age", text, kLogAges);
          },
          "how long log files are kept (168h)")
      ->type_name("AGE");
}

void add_secret_key_options(CLI::App& command, UpOptions& options) {
  CLI::Option* file =
      command
          .add_option(
              "--secret-key", options.secret_key_file,
              "what secrets are sealed with, made by the first of them "
              "(/etc/subito/secret.key; with --data FOLDER its neighbour FOLDER.secret.key)")
          ->type_name("FILE");
  command
      .add_option("--secret-key-fd", options.secret_key_fd,
                  "the same from an open descriptor, so that it is in no file")
      ->check(CLI::Range(0, 1 << 20))
      ->type_name("N")
      ->excludes(file);
}

int missing(const Session& session, const char* what) {
  return session.tell(kFailed, std::string(what) + ": this binary was built without it");
}

// A command of another part of the program, which parses its own command line.
using RunHook = std::function<int(const std::vector<std::string>& arguments)>;
using SeeHook = std::function<void(const std::function<void(CLI::App&)>& see)>;

// What its parser makes of a command line, in the words of all commands: help, what is wrong, or
// neither.
struct Judged {
  std::string help;
  std::string wrong;
  std::string command;  // "bench", or "bench cold-start"
};

void speak_alike(CLI::App& app) {
  app.formatter(std::make_shared<HelpFormatter>());
  for (CLI::App* below : app.get_subcommands([](CLI::App*) { return true; })) speak_alike(*below);
}

Judged judge(CLI::App& app, const std::string& name, std::vector<std::string> arguments) {
  speak_alike(app);
  Judged judged{"", unknown_word(app, arguments), name};
  std::reverse(arguments.begin(), arguments.end());  // as CLI11 takes them
  const auto got_to = [&]() -> const CLI::App& {
    const auto below = app.get_subcommands();
    if (!below.empty()) judged.command += " " + below.front()->get_name();
    return below.empty() ? app : *below.front();
  };
  try {
    app.parse(std::move(arguments));
  } catch (const CLI::CallForHelp&) {
    const CLI::App& command = got_to();
    judged.help = command.help(&command == &app ? "" : "subito " + name);
    judged.wrong.clear();
  } catch (const CLI::ParseError& error) {
    const CLI::App& command = got_to();
    if (judged.wrong.empty()) judged.wrong = refusal_words(app, command, error);
  }
  return judged;
}

int hand_over(const Session& session, const std::string& name, const RunHook& run,
              const SeeHook& see, const std::vector<std::string>& arguments) {
  if (!run) return missing(session, name.c_str());
  Judged judged;
  if (see) see([&](CLI::App& app) { judged = judge(app, name, arguments); });
  if (!judged.help.empty()) {
    session.out() << judged.help;
    return kOk;
  }
  if (judged.wrong.empty()) return run(arguments);
  const std::string command = "subito " + judged.command;
  session.environment.err << command << ": " << printable(judged.wrong) << "\nTry `" << command
                          << " --help`\n";
  return kUsage;
}

void add_handed_over(CLI::App& app, Session& session, const std::string& name,
                     const std::string& description, const RunHook& run, const SeeHook& see) {
  CLI::App& command = *app.add_subcommand(name, description);
  command.group("Looking");
  command.set_help_flag();
  command.fallthrough(false);
  command.prefix_command();
  command.callback([&session, &command, &run, &see, name] {
    session.action = [&session, &run, &see, name, arguments = command.remaining()] {
      return hand_over(session, name, run, see, arguments);
    };
  });
}

}  // namespace

void add_version(CLI::App& app, Session& session) {
  auto output = std::make_shared<Output>();
  CLI::App& command = *app.add_subcommand("version", "Versions of this program and of the node");
  command.group("Node");
  add_output_option(command, *output, false);
  command.callback([&session, output] {
    session.action = [&session, output] { return version(session, output->json()); };
  });
}

void add_observing_options(CLI::App& command, UpOptions& options) {
  command
      .add_option_function<std::string>(
          "--metrics", [&options](const std::string& text) { parse_metrics(text, options); },
          "serve /metrics on a port of its own too, for Prometheus: to whoever reaches it, without "
          "a "
          "password; :PORT is loopback (it is always at the API socket); off: count nothing")
      ->type_name("ADDRESS:PORT");
  command
      .add_option_function<std::string>(
          "--traces", [&options](const std::string& text) { parse_traces(text, options); },
          "send traces to this receiver of OTLP over HTTP, http://127.0.0.1:4318")
      ->type_name("URL");
  command
      .add_option("--trace-sample", options.trace_share,
                  "with --traces: which share of the requests that bring no trace is traced")
      ->check(CLI::Range(0.0, 1.0))
      ->capture_default_str();
}

void add_redis_options(CLI::App& command, UpOptions& options) {
  command
      .add_option("--redis", options.redis_address,
                  "a Redis to use, host:port or unix:/path, instead of a private one")
      ->type_name("ADDRESS");
  command.add_option("--redis-server", options.redis_path, "binary of the private Redis")
      ->type_name("PATH")
      ->capture_default_str();
}

void add_up(CLI::App& app, Session& session) {
  auto options = std::make_shared<UpOptions>();
  CLI::App& command = *app.add_subcommand("up", "Run a node in the foreground");
  command.group("Node");
  command
      .add_option_function<std::string>(
          "--listen", [options](const std::string& text) { parse_listen(text, *options); },
          "where the gateway listens (127.0.0.1:8080)")
      ->type_name("ADDRESS:PORT");
  add_tls_options(command, *options);
  command.add_option("--data", options->data_folder, "where it keeps what must not be lost")
      ->type_name("FOLDER")
      ->capture_default_str();
  command.add_option("--pool", options->pool_size, "empty sandboxes kept ready")
      ->check(CLI::Range(0, 256))
      ->capture_default_str();
  command.add_option("--pods", options->pods_max, "most pods at once, of all functions")
      ->check(CLI::Range(1, 768))  // the launcher has 1,024 sandboxes, pool and probes among them
      ->capture_default_str();
  command
      .add_option("--loops", options->loops,
                  "loops that serve clients, a core each: HTTP and TLS leave the node's own to the "
                  "functions; no more than there are cores")
      ->check(CLI::Range(1, 64))
      ->capture_default_str();
  add_redis_options(command, *options);
  command
      .add_option("--record", options->record_file,
                  "write what the scheduler is told and decides, for `subito simulate --replay`")
      ->type_name("FILE");
  add_observing_options(command, *options);
  command
      .add_option("--placement", options->placement,
                  "near: pods whose calls are short run on the core of the node's loop while few "
                  "are busy; any: where the kernel puts them")
      ->check(CLI::IsMember({"near", "any"}))
      ->capture_default_str();
  add_log_options(command, *options);
  add_shutdown_option(command, *options);
  add_secret_key_options(command, *options);
  command.add_option("--log-level", options->log_level, "what the node tells about itself")
      ->check(CLI::IsMember({"debug", "info", "warning", "error"}))
      ->capture_default_str();
  command.callback([&session, options] {
    if (const std::string fault = fault_of_tls(*options); !fault.empty())
      throw CLI::ValidationError(fault);
    session.action = [&session, options] {
      const auto variable = session.environment.variable("SUBITO_SOCKET");
      options->api_socket = !session.socket.empty()          ? session.socket
                            : variable && !variable->empty() ? *variable
                                                             : options->data_folder + "/api.sock";
      return session.hooks.up ? session.hooks.up(*options) : missing(session, "up");
    };
  });
}

void add_doctor(CLI::App& app, Session& session) {
  auto output = std::make_shared<Output>();
  CLI::App& command = *app.add_subcommand(
      "doctor", "What this host can do and what it lacks; then the exit code is 1");
  command.group("Node");
  add_output_option(command, *output, false);
  command.callback([&session, output] {
    session.action = [&session, output] {
      return session.hooks.doctor ? session.hooks.doctor(output->json())
                                  : missing(session, "doctor");
    };
  });
}

// Everything behind these two is their own.
void add_bench(CLI::App& app, Session& session) {
  add_handed_over(app, session, "bench", "Measure: cold-start and others", session.hooks.bench,
                  session.hooks.see_bench);
}

void add_simulate(CLI::App& app, Session& session) {
  add_handed_over(app, session, "simulate", "Compare policies on a workload, faster than life",
                  session.hooks.simulate, session.hooks.see_simulate);
}

}  // namespace subito::cli

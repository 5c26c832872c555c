// subito namespace create|list|describe|set|delete [NAME]
#include <algorithm>
#include <memory>
#include <optional>

#include "deploy/cli/confirm.h"
#include "deploy/cli/session.h"
#include "deploy/manifest/suggest.h"
#include "deploy/manifest/units.h"

namespace subito::cli {

namespace {

const std::vector<std::string> kNamespaceVerbs = {"create", "list", "describe", "set", "delete"};
constexpr int kMostPods = 100'000;
constexpr int kMostRequests = 1'000'000;

struct NamespaceOptions {
  std::string verb;
  std::string name;
  std::optional<int> pods;
  std::optional<std::int64_t> memory_bytes;
  std::optional<std::int64_t> cpu_millicores;
  std::optional<int> requests_per_s;
  std::vector<std::string> hosts;
  bool no_hosts = false;
  bool all = false;
  bool yes = false;
  Output output;

  bool sets() const {
    return pods || memory_bytes || cpu_millicores || requests_per_s || !hosts.empty() || no_hosts;
  }
};

std::string path_of_namespace(const std::string& name) {
  return "/v1/namespaces/" + encoded(name);
}

std::uint64_t number_in(const Json& share, const char* key) {
  return share.value(key, std::uint64_t{0});
}

// "3 of 10"; "3" where there is no limit.
template <typename Words>
std::string share_words(const Json& share, const Words& words) {
  const std::uint64_t limit = number_in(share, "limit");
  return words(number_in(share, "used")) + (limit == 0 ? "" : " of " + words(limit));
}
std::string pods_words(const Json& share) {
  return share_words(share, [](std::uint64_t count) { return std::to_string(count); });
}
std::string memory_words(const Json& share) {
  return share_words(share, [](std::uint64_t bytes) { return size_words(bytes); });
}
std::string cpu_words(const Json& share) {
  return share_words(share, [](std::uint64_t millicores) {
    return manifest::format_cpu_millicores(static_cast<std::int64_t>(millicores));
  });
}

std::string rate_words(const Json& item) {
  const std::uint64_t rate = number_in(item, "requestsPerSecond");
  return rate == 0 ? "no limit" : "at most " + std::to_string(rate) + " a second";
}

// NS.localhost is in no list: it is always there.
std::string hosts_words(const Json& item) {
  const std::string name = item.value("name", "");
  std::string words = name == "default" ? "every other" : name + ".localhost";
  for (const Json& host : item.at("hosts")) words += ", " + printable(host.get<std::string>());
  return words;
}

Json body_of(const NamespaceOptions& options) {
  Json body = Json::object();
  if (options.pods) body["pods"] = *options.pods;
  if (options.memory_bytes) body["memoryBytes"] = *options.memory_bytes;
  if (options.cpu_millicores) body["cpuMillicores"] = *options.cpu_millicores;
  if (options.requests_per_s) body["requestsPerSecond"] = *options.requests_per_s;
  if (options.no_hosts || !options.hosts.empty()) body["hosts"] = options.hosts;
  return body;
}

int print_namespace(const Session& session, const NamespaceOptions& options, const Json& it) {
  if (options.output.json()) {
    session.out() << it.dump(2) << '\n';
    return kOk;
  }
  const auto line = [&](const char* label, const std::string& value) {
    std::string padded = std::string(label) + ":";
    padded.resize(12, ' ');
    session.out() << coloured(padded, Colour::kBold, session.colours()) << value << '\n';
  };
  line("Namespace", printable(it.value("name", "")));
  line("Functions", it.at("functions").dump());
  line("Config", std::to_string(number_in(it, "configs")));
  line("Secrets", std::to_string(number_in(it, "secrets")));
  line("Hosts", hosts_words(it));
  line("Pods", pods_words(it.at("pods")));
  line("Memory", memory_words(it.at("memoryBytes")));
  line("CPU", cpu_words(it.at("cpuMillicores")));
  line("Requests", rate_words(it));
  if (it.contains("createdAt")) line("Made", session.age(it.at("createdAt")) + " ago");
  return kOk;
}

int create(const Session& session, const NamespaceOptions& options) {
  Json body = body_of(options);
  body["name"] = options.name;
  const auto made = session.node().call("POST", "/v1/namespaces", body.dump());
  if (!made) return session.tell(made.error());
  if (options.output.json()) return print_namespace(session, options, *made);
  session.out() << "namespace " << options.name << " is made: its routes are at the host "
                << options.name << ".localhost\n  subito deploy -n " << options.name << " FOLDER\n";
  return kOk;
}

int set(const Session& session, const NamespaceOptions& options) {
  if (!options.sets())
    return session.tell(kUsage, "namespace set " + options.name +
                                    ": say --pods, --memory, --cpu, --rate, --host or --no-hosts");
  const auto changed =
      session.node().call("PUT", path_of_namespace(options.name), body_of(options).dump());
  if (!changed) return session.tell(changed.error());
  return print_namespace(session, options, *changed);
}

// "2 functions, catalogue, stock; 1 secret, bank"; empty: nothing is in it.
Outcome<std::string> contents_of(Node& node, const std::string& name) {
  constexpr struct {
    const char* path;
    const char* one;
    const char* plural;
  } kKinds[] = {{"/v1/functions", "function", "functions"},
                {"/v1/configs", "config", "configs"},
                {"/v1/secrets", "secret", "secrets"}};
  std::string contents;
  for (const auto& kind : kKinds) {
    const auto list = node.get(std::string(kind.path) + "?namespace=" + encoded(name));
    if (!list) return tl::unexpected<Failure>(list.error());
    const std::string words = counted(list->at("items"), kind.one, kind.plural);
    contents += (contents.empty() || words.empty() ? "" : "; ") + words;
  }
  return contents;
}

int remove(const Session& session, const NamespaceOptions& options) {
  Node node = session.node();
  const auto contents = contents_of(node, options.name);
  if (!contents) return session.tell(contents.error());
  if (options.all && !contents->empty()) {
    const auto sure = confirm(session, "delete namespace " + options.name, *contents, options.yes);
    if (!sure) return session.tell(sure.error());
  }
  const auto gone =
      node.call("DELETE", path_of_namespace(options.name) + (options.all ? "?all=true" : ""), "");
  if (!gone) return session.tell(gone.error());
  session.out() << "namespace " << options.name << " is deleted"
                << (contents->empty()
                        ? ""
                        : " with all that was in it; what its functions keep in Redis stays")
                << '\n';
  if (!gone->is_object()) return kOk;  // an older node keeps tokens
  for (const Json& token : gone->at("tokensRevoked"))
    session.out() << "token " << printable(token.get<std::string>())
                  << " is revoked: it had no scope elsewhere\n";
  for (const Json& token : gone->at("tokensNarrowed"))
    session.out() << "token " << printable(token.get<std::string>()) << " has lost its scopes of "
                  << options.name << '\n';
  return kOk;
}

int run_namespace(const Session& session, const NamespaceOptions& options) {
  const std::string& verb = options.verb;
  if (verb == "list") return list_namespaces(session, options.output);
  if (options.name.empty())
    return session.tell(kUsage, "namespace " + verb + ": say the NAME of a namespace");
  if (options.sets() && verb != "create" && verb != "set")
    return session.tell(kUsage, "namespace " + verb + ": limits and hosts are for create and set");
  if ((options.all || options.yes) && verb != "delete")
    return session.tell(kUsage, "namespace " + verb + ": --all and --yes are for delete");
  if (verb == "create") return create(session, options);
  if (verb == "set") return set(session, options);
  if (verb == "delete") return remove(session, options);
  const auto it = session.node().get(path_of_namespace(options.name));
  if (!it) return session.tell(it.error());
  return print_namespace(session, options, *it);
}

std::int64_t parsed(const char* option, const Result<std::int64_t>& value) {
  if (!value) throw CLI::ValidationError(std::string(option) + ": " + value.error().message);
  return *value;
}

void add_limits(CLI::App& command, NamespaceOptions& options) {
  command
      .add_option_function<int>(
          "--pods", [&options](int count) { options.pods = count; },
          "with create, set: most pods of all its functions at once; 0: no limit")
      ->check(CLI::Range(0, kMostPods))
      ->type_name("N");
  command
      .add_option_function<std::string>(
          "--memory",
          [&options](const std::string& text) {
            options.memory_bytes = parsed("--memory", manifest::parse_size_bytes(text));
          },
          "most memory of its pods together, by their limits: 2Gi")
      ->type_name("SIZE");
  command
      .add_option_function<std::string>(
          "--cpu",
          [&options](const std::string& text) {
            options.cpu_millicores = parsed("--cpu", manifest::parse_cpu_millicores(text));
          },
          "most CPU of its pods together, by their limits: 4, 500m")
      ->type_name("CPU");
  command
      .add_option_function<int>(
          "--rate", [&options](int rate) { options.requests_per_s = rate; },
          "most requests a second to all its functions together, calls too; 0: no limit")
      ->check(CLI::Range(0, kMostRequests))
      ->type_name("N");
  command
      .add_option("--host", options.hosts,
                  "a host by which clients reach its routes, beside NAME.localhost; repeatable")
      ->type_size(1)
      ->allow_extra_args(false)
      ->type_name("HOST");
  command.add_flag("--no-hosts", options.no_hosts, "with set: none beside NAME.localhost")
      ->excludes("--host");
}

}  // namespace

int list_namespaces(const Session& session, const Output& output) {
  const auto list = session.node().get("/v1/namespaces");
  if (!list) return session.tell(list.error());
  if (output.json()) {
    session.out() << list->dump(2) << '\n';
    return kOk;
  }
  Table table({"NAMESPACE", "FUNCTIONS", "PODS", "MEMORY", "CPU", "HOSTS"});
  for (const Json& item : list->at("items")) {
    table.add({printable(item.value("name", "")), item.at("functions").dump(),
               pods_words(item.at("pods")), memory_words(item.at("memoryBytes")),
               cpu_words(item.at("cpuMillicores")), hosts_words(item)});
  }
  table.print(session.out(), session.colours());
  return kOk;
}

void add_namespace(CLI::App& app, Session& session) {
  auto options = std::make_shared<NamespaceOptions>();
  CLI::App& command = *app.add_subcommand(
      "namespace", "Keep functions apart: namespace create|list|describe|set|delete [NAME]");
  command.group("Settings");
  add_verb(command, kNamespaceVerbs, options->verb);
  command.add_option("NAMESPACE", options->name, "its name")->type_name("");
  add_limits(command, *options);
  command.add_flag("--all", options->all, "with delete: its functions, config and secrets, too");
  command.add_flag("-y,--yes", options->yes, "with delete --all: do not ask");
  add_output_option(command, options->output, false);
  command.callback([&session, options] {
    session.action = [&session, options] { return run_namespace(session, *options); };
  });
}

}  // namespace subito::cli

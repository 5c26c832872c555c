// subito login SERVER, logout, context list|use|delete|current
#include <filesystem>
#include <istream>
#include <memory>

#include "deploy/cli/contexts.h"
#include "deploy/cli/session.h"
#include "deploy/manifest/suggest.h"

namespace subito::cli {

namespace {

constexpr std::string_view kHttps = "https://";

const std::vector<std::string> kContextVerbs = {"list", "use", "delete", "current"};

struct LoginOptions {
  std::string server;
  std::string name;
  bool token_stdin = false;
};

struct ContextOptions {
  std::string verb;
  std::string name;
  Output output;
};

std::string file_of(const Session& session) {
  return contexts_path(session.environment.variable);
}

// "https://node.example:8443" to "node.example", "https://[fd00::7]:8443" to "fd00::7".
std::string host_of(const std::string& server) {
  const std::string host = server.substr(kHttps.size());
  if (host.starts_with('[')) return host.substr(1, host.find(']') - 1);
  return host.substr(0, host.find_first_of(":/"));
}

std::string without_slash(std::string server) {
  while (server.ends_with('/')) server.pop_back();
  return server;
}

// A name that only follows from the host takes no other node's place: two may run on one host.
Outcome<void> check_name_is_free(Contexts& contexts, const std::string& name,
                                 const LoginOptions& options) {
  const Context* taken = contexts.find(name);
  if (taken == nullptr || !options.name.empty()) return {};
  if (without_slash(taken->server) == options.server) return {};
  return tl::unexpected<Failure>(Failure{
      kUsage,
      "login " + options.server + ": context " + name + " is another node, " + taken->server +
          "; choose another name: --context NAME (--context " + name + " takes its place)",
      {}});
}

// The first line of the input, or SUBITO_TOKEN: never an argument, which everybody can see.
Outcome<std::string> token_of(const Session& session, const LoginOptions& options) {
  std::string token;
  if (options.token_stdin)
    std::getline(session.environment.in, token);
  else
    token = session.variable("SUBITO_TOKEN");
  while (!token.empty() && (token.back() == '\r' || token.back() == ' ')) token.pop_back();
  if (!token.empty()) return token;
  return tl::unexpected<Failure>(
      Failure{kUsage,
              options.token_stdin
                  ? "login: the input has no token in its first line"
                  : "login: give the token by --token-stdin or SUBITO_TOKEN, not as an argument, "
                    "which others see: subito login " +
                        options.server + " --token-stdin <FILE",
              {}});
}

std::string scopes_in(const Json& who) {
  std::string scopes;
  for (const Json& scope : who.at("scopes")) scopes += " " + scope.get<std::string>();
  return printable(scopes);
}

int login(const Session& session, LoginOptions options) {
  options.server = without_slash(options.server);
  if (options.server.rfind(kHttps, 0) != 0)
    return session.tell(kUsage, "login " + options.server +
                                    ": a server is https://HOST:PORT, as `subito up "
                                    "--api-listen` says");
  auto contexts = load_contexts(file_of(session));
  if (!contexts) return session.tell(kFailed, contexts.error().message);
  const std::string name = options.name.empty() ? host_of(options.server) : options.name;
  if (const auto is_free = check_name_is_free(*contexts, name, options); !is_free)
    return session.tell(is_free.error());
  const auto token = token_of(session, options);
  if (!token) return session.tell(token.error());
  std::error_code ignored;
  const std::string ca = session.ca.empty() ? session.variable("SUBITO_CA") : session.ca;
  const Context context{name, options.server,
                        ca.empty() ? "" : std::filesystem::absolute(ca, ignored).string(), *token};
  const api::Endpoint endpoint{"", context.server, context.ca_file, context.token};
  const auto who = Node(session.environment.connect(endpoint), endpoint).get("/v1/whoami");
  if (!who) return session.tell(who.error());
  // Another command may have changed the file while the node was asked.
  contexts = load_contexts(file_of(session));
  if (!contexts) return session.tell(kFailed, contexts.error().message);
  if (const auto is_free = check_name_is_free(*contexts, name, options); !is_free)
    return session.tell(is_free.error());
  contexts->put(context);
  if (auto saved = save_contexts(file_of(session), *contexts); !saved)
    return session.tell(kFailed, saved.error().message);
  session.out() << "logged in to " << options.server << " as " << printable(who->value("name", ""))
                << ", which may" << scopes_in(*who) << "; context " << printable(name)
                << " is in use\n";
  return kOk;
}

int no_context(const Session& session, const Contexts& contexts, const std::string& name) {
  std::vector<std::string> names;
  for (const Context& context : contexts.all) names.push_back(context.name);
  return session.tell(kNotFound, "find context " + name + ": there is none" +
                                     manifest::did_you_mean(name, names) +
                                     "; `subito context list` lists them");
}

int forget(const Session& session, Contexts& contexts, const std::string& name) {
  const bool was_in_use = contexts.current == name;
  const bool had_token = contexts.find(name) != nullptr;
  if (!contexts.remove(name)) return no_context(session, contexts, name);
  if (auto saved = save_contexts(file_of(session), contexts); !saved)
    return session.tell(kFailed, saved.error().message);
  session.out() << "context " << printable(name) << " is forgotten"
                << (had_token ? "; its token is good until it is revoked" : "") << '\n';
  if (was_in_use)
    session.out() << "it was in use: from now on commands ask the node of this machine\n";
  return kOk;
}

int logout(const Session& session, const std::string& name) {
  auto contexts = load_contexts(file_of(session));
  if (!contexts) return session.tell(kFailed, contexts.error().message);
  const std::string which = name.empty() ? contexts->current : name;
  if (which.empty()) return session.tell(kNotFound, "logout: no context is in use");
  return forget(session, *contexts, which);
}

int list(const Session& session, const Contexts& contexts, const Output& output) {
  Json items = Json::array();
  Table table({"CURRENT", "NAME", "SERVER", "CA"});
  for (const Context& context : contexts.all) {
    const bool current = context.name == contexts.current;
    items.push_back({{"name", context.name},
                     {"server", context.server},
                     {"ca", context.ca_file},
                     {"current", current}});
    table.add({current ? "*" : "", printable(context.name), printable(context.server),
               context.ca_file.empty() ? "-" : printable(context.ca_file)});
  }
  if (output.json())
    session.out() << Json{{"items", items}}.dump(2) << '\n';
  else if (table.empty())
    session.out() << "no contexts: `subito login SERVER` makes one\n";
  else
    table.print(session.out(), session.colours());
  return kOk;
}

int use(const Session& session, Contexts& contexts, const std::string& name) {
  if (contexts.find(name) == nullptr) return no_context(session, contexts, name);
  contexts.current = name;
  if (auto saved = save_contexts(file_of(session), contexts); !saved)
    return session.tell(kFailed, saved.error().message);
  session.out() << "context " << name << " is in use\n";
  return kOk;
}

int context(const Session& session, const ContextOptions& options) {
  auto contexts = load_contexts(file_of(session));
  if (!contexts) return session.tell(kFailed, contexts.error().message);
  if (options.verb == "list") return list(session, *contexts, options.output);
  if (options.verb == "current") {
    if (contexts->current.empty())
      return session.tell(kNotFound,
                          "context current: none is in use, commands ask the node of this "
                          "machine");
    if (contexts->find(contexts->current) == nullptr)
      return session.tell(kNotFound, lost_context(contexts->current, file_of(session)));
    session.out() << printable(contexts->current) << '\n';
    return kOk;
  }
  if (options.name.empty())
    return session.tell(kUsage, "context " + options.verb + ": say the NAME of a context");
  if (options.verb == "use") return use(session, *contexts, options.name);
  return forget(session, *contexts, options.name);
}

}  // namespace

void add_login(CLI::App& app, Session& session) {
  auto options = std::make_shared<LoginOptions>();
  CLI::App& command = *app.add_subcommand(
      "login", "Remember a node elsewhere, and a token for it: login https://HOST:PORT");
  command.group("Access");
  command.add_option("SERVER", options->server, "its API: https://HOST:PORT")
      ->required()
      ->type_name("");
  command.add_flag("--token-stdin", options->token_stdin,
                   "read the token from the input; else it is SUBITO_TOKEN");
  command.add_option("--context", options->name, "what to call it here; else its host's name")
      ->type_name("NAME");
  command.callback([&session, options] {
    session.action = [&session, options] { return login(session, *options); };
  });
}

void add_logout(CLI::App& app, Session& session) {
  auto name = std::make_shared<std::string>();
  CLI::App& command =
      *app.add_subcommand("logout", "Forget a context with its token: logout [NAME]");
  command.group("Access");
  command.add_option("NAME", *name, "the context; else the one in use")->type_name("");
  command.callback(
      [&session, name] { session.action = [&session, name] { return logout(session, *name); }; });
}

void add_context(CLI::App& app, Session& session) {
  auto options = std::make_shared<ContextOptions>();
  CLI::App& command = *app.add_subcommand(
      "context", "Which node commands ask: context list|use|delete|current [NAME]");
  command.group("Access");
  add_verb(command, kContextVerbs, options->verb);
  command.add_option("NAME", options->name, "the context")->type_name("");
  add_output_option(command, options->output, false);
  command.callback([&session, options] {
    session.action = [&session, options] { return context(session, *options); };
  });
}

}  // namespace subito::cli

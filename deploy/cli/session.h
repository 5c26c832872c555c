// Session: what the commands of one run share. Each command adds itself to the parser and leaves an
// action behind, which runs once everything has been parsed.
#pragma once

#include <CLI/CLI.hpp>
#include <functional>
#include <memory>
#include <optional>
#include <ostream>
#include <string>
#include <vector>

#include "deploy/cli/cli.h"
#include "deploy/cli/node.h"
#include "deploy/cli/words.h"

namespace subito::cli {

inline constexpr char kDefaultData[] = "/var/lib/subito";
inline constexpr char kCheckoutSocket[] = ".subito/api.sock";  // where ./dev up has its node

struct Session {
  const Environment& environment;
  const Hooks& hooks;
  std::string socket;      // from --socket; empty: not given
  std::string server;      // from --server
  std::string ca;          // from --ca
  std::string name_space;  // from -n; empty: not given
  std::function<int()> action;

  std::string variable(const char* name) const {  // empty: not set
    return environment.variable(name).value_or("");
  }
  std::ostream& out() const { return environment.out; }
  bool colours() const;
  // Where the node is: --socket or --server, $SUBITO_SERVER, $SUBITO_SOCKET, the context in use, or
  // the default.
  api::Endpoint endpoint() const;
  Node node() const;
  // To there. Of an endpoint with a fault every request is a failure that tells it: kUsage.
  std::unique_ptr<api::Transport> connect(const api::Endpoint& where) const;
  std::optional<api::Endpoint> context_endpoint() const;
  // The socket of the node, for what works on its machine alone; else a failure that says so.
  Outcome<std::string> local_socket(const std::string& command) const;
  // -n, $SUBITO_NAMESPACE, or `default`.
  std::string namespace_in_use() const;
  // By what a node knows the function that is called so here; "stock.staging" says its namespace
  // itself. Empty for an empty one.
  std::string qualified(const std::string& name) const;
  std::string qualified_pod(const std::string& pod) const;  // "stock-7" is "stock.staging-7"
  // The function as it is called here: without the namespace in use.
  std::string shown(const std::string& qualified) const;
  // How long ago a time of the API was, in words; "-" for none.
  std::string age(const Json& time) const;
  // How long until one; empty: it has come.
  std::string time_until(const Json& time) const;
  // Tells a failure and returns its exit code. Several faults, a line each, are told alike.
  int tell(const Failure& failure) const;
  int tell(ExitCode code, const std::string& message) const { return tell({code, message, {}}); }
  int tell(ExitCode code, const std::vector<std::string>& faults) const;
};

// "-o json" and its kin: table, json and, where there is more to show, wide.
struct Output {
  std::string form = "table";
  bool json() const { return form == "json"; }
  bool wide() const { return form == "wide"; }
};
void add_output_option(CLI::App& command, Output& output, bool with_wide);

// "-l app=shop,tier!=web": functions by their labels.
void add_selector_option(CLI::App& command, std::string& selector);
// "selector=..." for a query of the API.
std::string selector_query(const std::string& selector);

// What to do, as the first word behind the command: one of `verbs`, which outlives the parser.
void add_verb(CLI::App& command, const std::vector<std::string>& verbs, std::string& into);

// "-A": of all namespaces, for commands that list.
void add_all_namespaces_option(CLI::App& command, bool& all);
// "namespace=...&function=...", for a query of the API that is of one function.
std::string function_query(const std::string& qualified);
// The pods among which one of that name is, if it is there.
std::string pods_beside(const std::string& pod);
// "namespace=..." or "allNamespaces=true", for a query of the API.
std::string namespace_query(const Session& session, bool all);

// One for each command, or family of commands.
void add_up(CLI::App& app, Session& session);
void add_new(CLI::App& app, Session& session);
void add_deploy(CLI::App& app, Session& session);
void add_dev(CLI::App& app, Session& session);
void add_invoke(CLI::App& app, Session& session);
void add_get(CLI::App& app, Session& session);
void add_describe(CLI::App& app, Session& session);
void add_logs(CLI::App& app, Session& session);
void add_health(CLI::App& app, Session& session);
void add_top(CLI::App& app, Session& session);
void add_explain(CLI::App& app, Session& session);
void add_dead_letters(CLI::App& app, Session& session);
void add_debug(CLI::App& app, Session& session);
void add_rollout(CLI::App& app, Session& session);
void add_traffic(CLI::App& app, Session& session);
void add_config(CLI::App& app, Session& session);
void add_secret(CLI::App& app, Session& session);
void add_scale(CLI::App& app, Session& session);
void add_delete(CLI::App& app, Session& session);
void add_namespace(CLI::App& app, Session& session);
void add_backup(CLI::App& app, Session& session);
void add_restore(CLI::App& app, Session& session);
void add_doctor(CLI::App& app, Session& session);
void add_bench(CLI::App& app, Session& session);
void add_simulate(CLI::App& app, Session& session);
void add_version(CLI::App& app, Session& session);
void add_token(CLI::App& app, Session& session);
void add_login(CLI::App& app, Session& session);
void add_logout(CLI::App& app, Session& session);
void add_context(CLI::App& app, Session& session);
void add_audit(CLI::App& app, Session& session);
void add_reference(CLI::App& app, Session& session);

int list_namespaces(const Session& session, const Output& output);

// Tables that more than one command prints.
// `all`: of several namespaces, which have a column then.
Table functions_table(const Session& session, const Json& items, bool wide, bool all);
Table pods_table(const Session& session, const Json& items, bool wide);
Table exceptions_table(const Session& session, const Json& items, bool wide, bool all);
Table revisions_table(const Session& session, const Json& items, bool all);
// Where clients reach a function: by its name, unless its ingress says otherwise, then at its
// routes. `url`: as the node tells it; empty: they reach it nowhere.
std::vector<std::string> urls_of(const std::string& url, const std::vector<std::string>& routes);
// One record of a log as a line for people.
std::string log_line(const Json& record, bool colours);

}  // namespace subito::cli

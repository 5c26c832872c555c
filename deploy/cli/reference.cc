// subito reference KIND: prints a reference; for ./dev docs, packages and shells, so it is in no
// help.
#include <map>
#include <memory>

#include "deploy/cli/app_facts.h"
#include "deploy/cli/references.h"
#include "deploy/cli/session.h"
#include "deploy/manifest/reference.h"
#include "runtime/metrics/families.h"

namespace subito::cli {

namespace {

void see_commands(const CLI::App& app, const Session& session, const SeeCommand& see) {
  for (const CLI::App* command : commands_of(app)) {
    const std::string& name = command->get_name();
    if (name == "simulate" && session.hooks.see_simulate) {
      session.hooks.see_simulate([&](const CLI::App& simulate) { see(simulate, name); });
      continue;
    }
    see(*command, name);
    if (name != "bench" || !session.hooks.see_bench) continue;
    session.hooks.see_bench([&](const CLI::App& bench) {
      for (const CLI::App* below : commands_of(bench)) see(*below, name + " " + below->get_name());
    });
  }
}

// A name a line; without a node none, and nothing said: a shell asks while somebody types.
std::string names_of_node(const Session& session, const std::string& kind) {
  const auto list = session.node().get("/v1/" + kind + "?" + namespace_query(session, false));
  std::string names;
  if (!list) return names;
  for (const Json& item : list->at("items")) names += session.shown(item.value("name", "")) + "\n";
  return names;
}

std::string field_names() {
  std::string names;
  for (const std::string& word : manifest::reference_words()) names += word + "\n";
  return names;
}

int print_reference(const CLI::App& app, const Session& session, const std::string& kind) {
  const ForEachCommand for_each = [&](const SeeCommand& see) { see_commands(app, session, see); };
  const std::map<std::string, std::function<std::string()>> kinds = {
      {"manifest", manifest_markdown},
      {"cli", [&] { return cli_markdown(app, for_each); }},
      {"man", [&] { return man_page(app, for_each, SUBITO_VERSION); }},
      {"bash", [&] { return bash_completion(app, for_each); }},
      {"functions", [&] { return names_of_node(session, "functions"); }},
      {"pods", [&] { return names_of_node(session, "pods"); }},
      {"fields", field_names},
      {"metrics", metrics::families_markdown},
  };
  session.out() << kinds.at(kind)();
  return kOk;
}

}  // namespace

void add_reference(CLI::App& app, Session& session) {
  auto kind = std::make_shared<std::string>();
  CLI::App& command = *app.add_subcommand("reference", "Print a reference");
  command.group("");
  command.add_option("KIND", *kind, "manifest, cli, man, bash, metrics; functions, pods, fields")
      ->required()
      ->check(CLI::IsMember(
          {"manifest", "cli", "man", "bash", "metrics", "functions", "pods", "fields"}))
      ->type_name("");
  command.callback([&app, &session, kind] {
    session.action = [&app, &session, kind] { return print_reference(app, session, *kind); };
  });
}

}  // namespace subito::cli

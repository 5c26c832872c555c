// subito scale NAME|-l SELECTOR and subito delete NAME|-l SELECTOR|-f FILE
#include <algorithm>
#include <memory>

#include "deploy/cli/confirm.h"
#include "deploy/cli/deployment.h"
#include "deploy/cli/session.h"
#include "deploy/manifest/qualified_name.h"

namespace subito::cli {

namespace {

constexpr int kScaleMax = 1000;  // pods

struct ScaleOptions {
  std::string name;
  std::string selector;
  int min = -1;  // -1: as it is
  int max = -1;
};

struct DeleteOptions {
  std::string name;
  std::string selector;
  std::vector<std::string> files;
  bool yes = false;
};

int scale_one(const Session& session, Node& node, const std::string& name,
              const ScaleOptions& options) {
  Json body = Json::object();
  if (options.min >= 0) body["min"] = options.min;
  if (options.max >= 0) body["max"] = options.max;
  const auto function = node.call("PUT", "/v1/functions/" + encoded(name) + "/scale", body.dump());
  if (!function) {
    Failure failure = function.error();
    const bool refused = failure.type() == "invalid-argument" && options.max < 0;
    if (refused) failure.message += "; give --max too";
    return session.tell(failure);
  }
  const Json& scaling = function->at("manifest").at("spec").at("scaling");
  session.out() << session.shown(name) << " scales from " << scaling.at("min") << " to "
                << scaling.at("max") << " pods\n";
  return kOk;
}

int scale(const Session& session, const ScaleOptions& options) {
  if (options.name.empty() == options.selector.empty())
    return session.tell(kUsage, "scale: say the NAME of a function, or -l SELECTOR");
  const std::string who = options.name.empty() ? "-l " + options.selector : options.name;
  if (options.min < 0 && options.max < 0)
    return session.tell(kUsage, "scale " + who + ": say --min N, --max N or both");
  Node node = session.node();
  const auto names =
      chosen_functions(session, node, session.qualified(options.name), options.selector);
  if (!names) return session.tell(names.error());
  int worst = kOk;
  for (const std::string& name : *names) {
    const int code = scale_one(session, node, name, options);
    if (worst == kOk) worst = code;
  }
  return worst;
}

int remove_one(const Session& session, Node& node, const std::string& name) {
  const std::string path = "/v1/functions/" + encoded(name);
  const auto function = node.get(path);
  if (!function) return session.tell(function.error());
  const auto gone = node.call("DELETE", path, "");
  if (!gone) return session.tell(gone.error());
  const Json bindings = function->at("manifest").at("spec").value("bindings", Json::array());
  const bool keeps = std::any_of(bindings.begin(), bindings.end(),
                                 [](const Json& binding) { return binding.contains("redis"); });
  session.out() << session.shown(name) << " is deleted"
                << (keeps ? "; what it keeps in Redis stays" : "") << '\n';
  return kOk;
}

// Of the manifests of files: those functions, whether they are as the files say or not.
Outcome<std::vector<std::string>> functions_of_files(const Session& session,
                                                     const DeleteOptions& options) {
  auto manifests = read_manifests(session, options.files, "deleted");
  if (!manifests) return tl::unexpected<Failure>(manifests.error());
  std::vector<std::string> names;
  for (const manifest::Manifest& one : *manifests)
    names.push_back(manifest::qualified_name(one.function.metadata()));
  return names;
}

int remove(const Session& session, const DeleteOptions& options) {
  const int said = (options.name.empty() ? 0 : 1) + (options.selector.empty() ? 0 : 1) +
                   (options.files.empty() ? 0 : 1);
  if (said != 1)
    return session.tell(kUsage, "delete: say the NAME of a function, -l SELECTOR or -f FILE");
  Node node = session.node();
  const auto names =
      !options.files.empty()
          ? functions_of_files(session, options)
          : chosen_functions(session, node, session.qualified(options.name), options.selector);
  if (!names) return session.tell(names.error());
  if (!options.selector.empty()) {
    Json functions = Json::array();
    for (const std::string& name : *names) functions.push_back({{"name", name}});
    const auto sure =
        confirm(session, "delete", counted(functions, "function", "functions"), options.yes);
    if (!sure) return session.tell(sure.error());
  }
  int worst = kOk;
  for (const std::string& name : *names) {
    const int code = remove_one(session, node, name);
    if (worst == kOk) worst = code;
  }
  return worst;
}

}  // namespace

void add_scale(CLI::App& app, Session& session) {
  auto options = std::make_shared<ScaleOptions>();
  CLI::App& command = *app.add_subcommand(
      "scale", "Change how many pods they may have: scale NAME|-l SELECTOR --min N --max N");
  command.group("Functions");
  command.add_option("NAME", options->name, "the function")->type_name("");
  add_selector_option(command, options->selector);
  command.add_option("--min", options->min, "pods kept even when nothing calls")
      ->check(CLI::Range(0, kScaleMax));
  command.add_option("--max", options->max, "most pods at once")->check(CLI::Range(1, kScaleMax));
  command.callback([&session, options] {
    session.action = [&session, options] { return scale(session, *options); };
  });
}

void add_delete(CLI::App& app, Session& session) {
  auto options = std::make_shared<DeleteOptions>();
  CLI::App& command = *app.add_subcommand(
      "delete", "Forget functions: delete NAME|-l SELECTOR|-f FILE; what they keep in Redis stays");
  command.group("Functions");
  command.add_option("NAME", options->name, "the function")->type_name("");
  add_selector_option(command, options->selector);
  command
      .add_option("-f,--file", options->files,
                  "the functions of a manifest or of a folder of them, repeatable")
      ->type_size(1)
      ->allow_extra_args(false)
      ->type_name("PATH");
  command.add_flag("-y,--yes", options->yes, "with -l: do not ask");
  command.callback([&session, options] {
    session.action = [&session, options] { return remove(session, *options); };
  });
}

}  // namespace subito::cli

// subito deploy FOLDER, subito deploy -f FILE|FOLDER ... and subito deploy NAME --binary PATH
//
// Everything is judged here before anything is sent: every fault of every manifest, then every
// binary. Between, a FOLDER with a CMakeLists.txt is built, if there is a node to deploy to. Each
// function is deployed by itself; one that fails does not keep the others from it.
#include <algorithm>
#include <filesystem>
#include <map>
#include <memory>
#include <set>

#include "deploy/cli/build.h"
#include "deploy/cli/deployment.h"
#include "deploy/cli/refusals.h"
#include "deploy/cli/session.h"
#include "deploy/manifest/defaults.h"
#include "deploy/manifest/manifest.h"
#include "deploy/manifest/name_space.h"
#include "deploy/manifest/qualified_name.h"

namespace subito::cli {

namespace {

bool is_folder(const std::string& path) {
  std::error_code error;
  return std::filesystem::is_directory(path, error);
}

struct DeployOptions {
  std::vector<std::string> files;
  bool no_check = false;
  bool no_traffic = false;
  std::string message;
  bool verbose = false;
  Output output;
  // Instead of a manifest: its fields, as text. from_json() judges them as those of a file.
  std::string name;
  std::string binary;
  std::vector<std::string> settings;
  std::vector<std::string> routes;
  std::vector<std::string> calls;
  std::vector<std::string> redis;
  std::map<std::string, std::string> texts;           // timeout, start
  std::map<std::string, std::string> resource_texts;  // memory, cpu
  std::map<std::string, std::string> scaling_texts;   // idle
  std::map<std::string, int> numbers;                 // concurrency
  std::map<std::string, int> scaling_numbers;         // min, max
  bool any_flag = false;                              // one of these fields was given

  bool says_nothing() const { return files.empty() && name.empty() && binary.empty(); }

  // The positional is a folder to build and deploy, not a name.
  bool names_folder() const {
    return files.empty() && binary.empty() && (name.find('/') != name.npos || is_folder(name));
  }
};

template <typename Values>
void put(Json& into, const Values& values) {
  for (const auto& [key, value] : values) into[key] = value;
}

// The manifest that the flags stand for.
Outcome<Manifests> from_flags(const Session& session, const DeployOptions& options) {
  Json spec = {{"binary", options.binary}};
  for (const std::string& setting : options.settings) {
    const std::size_t equals = setting.find('=');
    if (equals == setting.npos || equals == 0)
      return tl::unexpected<Failure>(
          Failure{kUsage, "deploy: --setting is '" + setting + "', allowed is KEY=VALUE", {}});
    spec["settings"][setting.substr(0, equals)] = setting.substr(equals + 1);
  }
  for (const std::string& path : options.routes) spec["routes"].push_back({{"path", path}});
  for (const std::string& name : options.calls) spec["calls"].push_back(name);
  for (const std::string& name : options.redis)
    spec["bindings"].push_back({{"name", name}, {"redis", Json::object()}});
  put(spec, options.texts);
  put(spec, options.numbers);
  put(spec["scaling"], options.scaling_numbers);
  put(spec["scaling"], options.scaling_texts);
  put(spec["resources"], options.resource_texts);
  const Json json = {{"apiVersion", manifest::kApiVersion},
                     {"kind", manifest::kKind},
                     {"metadata", {{"name", options.name}}},
                     {"spec", spec}};
  auto function = manifest::from_json(json.dump(-1, ' ', false, Json::error_handler_t::replace));
  if (!function) {
    std::string faults = function.error().message;
    for (std::size_t at = 0; (at = faults.find('\n', at)) != faults.npos;
         at += sizeof kNextFault - 1)
      faults.replace(at, 1, kNextFault);
    return tl::unexpected<Failure>(Failure{kRefused, faults, {}});
  }
  Manifests one{{std::move(*function), "", 0}};
  (void)use_namespace(session, one.front());
  return one;
}

Outcome<Manifests> manifests_of(const Session& session, const DeployOptions& options) {
  if (options.files.empty() && !options.names_folder()) return from_flags(session, options);
  return read_manifests(session, options.files.empty() ? std::vector{options.name} : options.files);
}

class Deploy {
 public:
  Deploy(const Session& session, const DeployOptions& options)
      : session_(session), options_(options), node_(session.node()) {}

  int run() {
    if (options_.names_folder()) {
      if (const auto right = check_folder(); !right) return session_.tell(right.error());
    } else if (options_.files.empty() == options_.name.empty() ||
               options_.name.empty() != options_.binary.empty()) {
      return session_.tell(kUsage, doing() + "say FOLDER, -f FILE, or NAME --binary PATH" + here());
    }
    const auto manifests = manifests_of(session_, options_);
    if (!manifests) return session_.tell(manifests.error());
    if (options_.names_folder()) {
      if (const auto built = build(*manifests); !built) return session_.tell(built.error());
    }
    if (const auto wrong = wrong_binaries(*manifests); !wrong.empty())
      return session_.tell(kRefused, wrong);
    if (const auto known = look_at_node(*manifests); !known) return session_.tell(known.error());
    warn(*manifests);
    int worst = kOk;
    for (const manifest::Manifest& one : *manifests) {
      const int code = deploy(one);
      if (code == kNoNode) return code;
      if (worst == kOk) worst = code;
    }
    if (options_.output.json()) session_.out() << Json{{"items", receipts_}}.dump(2) << '\n';
    return worst;
  }

 private:
  // What is there before, in each of the namespaces that are deployed to.
  Outcome<void> look_at_node(const Manifests& manifests) {
    std::set<std::string> namespaces;
    for (const manifest::Manifest& one : manifests)
      namespaces.insert(one.function.metadata().namespace_());
    for (const std::string& name_space : namespaces) {
      const auto there = node_.get("/v1/functions?namespace=" + encoded(name_space));
      if (!there && there.error().exit_code == kNotFound)
        return tl::unexpected<Failure>(
            Failure{kNotFound, "deploy: " + manifest::no_namespace_words(name_space), {}});
      if (!there) return tl::unexpected<Failure>(there.error());
      for (const Json& function : there->at("items")) before_[function.at("name")] = function;
      const auto quota = node_.get("/v1/namespaces/" + encoded(name_space));
      if (quota) quotas_[name_space] = *quota;
    }
    return {};
  }

  // A name alone is a folder that is not there, or was written wrong.
  std::string doing() const {
    const bool name_alone = options_.files.empty() && !options_.name.empty();
    return name_alone ? "deploy " + options_.name + ": there is no such folder; " : "deploy: ";
  }

  // For one who stands in the folder that is meant.
  std::string here() const {
    std::error_code error;
    const bool one = options_.says_nothing() && std::filesystem::exists("function.yaml", error);
    return one ? "; what is here: `subito deploy ./`" : "";
  }

  Outcome<void> check_folder() const {
    const std::string& folder = options_.name;
    const auto wrong = [&](const char* reason) {
      return tl::unexpected<Failure>(Failure{kUsage, "deploy " + folder + ": " + reason, {}});
    };
    std::error_code error;
    const auto there = std::filesystem::status(folder, error);
    if (there.type() == std::filesystem::file_type::not_found)
      return wrong("there is no such folder; `subito new NAME` writes one");
    if (error) return wrong(("look at the folder: " + error.message()).c_str());
    if (there.type() != std::filesystem::file_type::directory)
      return wrong("is a file; say -f FILE for a manifest, NAME --binary PATH for a binary");
    if (options_.any_flag)
      return wrong("a folder's manifest says that; fields are for NAME --binary PATH");
    return {};
  }

  // Of a folder without a CMakeLists.txt the binaries must be there. A node that is away is told
  // before a compiler runs.
  Outcome<void> build(const Manifests& manifests) {
    tell_files(manifests);
    if (!has_build(options_.name)) return {};
    if (const auto there = node_.get("/v1/healthz"); !there)
      return tl::unexpected<Failure>(there.error());
    say("building " + options_.name + " ...");
    auto built = build_folder(session_.environment, options_.name, options_.verbose);
    if (options_.output.json()) progress("");
    return built;
  }

  // Which manifests were taken, when it is not the one that everybody expects.
  void tell_files(const Manifests& manifests) const {
    std::vector<std::string> files;
    for (const manifest::Manifest& one : manifests) {
      if (files.empty() || files.back() != one.file) files.push_back(one.file);
    }
    if (files.size() == 1 && std::filesystem::path(files[0]).filename() == "function.yaml") return;
    std::string words;
    for (const std::string& file : files) words += (words.empty() ? "" : ", ") + file;
    say((files.size() == 1 ? "manifest: " : "manifests: ") + printable(words));
  }

  // What is written as JSON is that alone.
  void say(const std::string& line) const {
    if (options_.output.json()) return progress(line);
    session_.out() << line << std::endl;
  }

  int deploy(const manifest::Manifest& one) {
    const std::string name = manifest::qualified_name(one.function.metadata());
    progress("deploying " + name + " ...");
    auto receipt =
        send_deploy(node_, one, {!options_.no_check, !options_.no_traffic, options_.message});
    progress("");
    if (!receipt) return tell_deploy_failure(session_, one, receipt.error(), true);
    receipts_.push_back(*receipt);
    if (!options_.output.json()) {
      print_receipt(session_, *receipt, one.function);
      print_scaling(name, one.function);
    }
    return kOk;
  }

  // What need not be wrong, as a function that is called may come later: before anything is sent.
  void warn(const Manifests& manifests) {
    const auto tell = [this](const std::vector<std::string>& warnings) {
      for (const std::string& warning : warnings) (void)session_.tell(kOk, "warning: " + warning);
    };
    for (const manifest::Manifest& one : manifests) {
      const CallLists calls = calls_after(manifests, one.function.metadata().namespace_());
      std::vector<std::string> known;
      for (const auto& [name, called] : calls) known.push_back(name);
      tell(unknown_calls(one, known));
      tell(unknown_streams(one, known));
      tell(calls_in_a_ring(one, calls));
      tell(unused_scaling(one));
      const Json& quota = quotas_[one.function.metadata().namespace_()];
      if (quota.is_object())
        tell(beyond_quota(one, quota.at("memoryBytes").value("limit", 0LL),
                          quota.at("cpuMillicores").value("limit", 0LL)));
    }
  }

  // Who may call whom in a namespace once all of these are deployed.
  CallLists calls_after(const Manifests& manifests, const std::string& name_space) const {
    CallLists calls;
    for (const auto& [qualified, function] : before_) {
      const auto [name, own] = manifest::split_qualified(qualified);
      if (own != name_space) continue;
      const Json& spec = function.at("manifest").at("spec");
      calls[name] = spec.value("calls", std::vector<std::string>());
    }
    for (const manifest::Manifest& one : manifests) {
      if (one.function.metadata().namespace_() != name_space) continue;
      const auto& called = one.function.spec().calls();
      calls[one.function.metadata().name()].assign(called.begin(), called.end());
    }
    return calls;
  }

  // On a terminal only, on a line that is wiped again.
  void progress(const std::string& words) const {
    if (session_.environment.err_is_terminal)
      session_.environment.err << "\r\x1b[K" << words << std::flush;
  }

  // Said whenever the number of pods becomes another, and whether that undoes what `scale` did.
  void print_scaling(const std::string& name, const manifest::Function& function) const {
    const auto before = before_.find(name);
    if (before == before_.end()) return;
    const Json was = before->second.at("manifest").at("spec").value("scaling", Json::object());
    manifest::Function whole = function;
    manifest::apply_defaults(whole);
    const manifest::Scaling& now = whole.spec().scaling();
    const int min = was.value("min", 0), max = was.value("max", 0);
    if (now.min() == min && now.max() == max) return;
    const bool scaled = before->second.value("scaled", false);
    session_.out() << "  scales from " << now.min() << " to " << now.max() << " pods; it was "
                   << min << " to " << max
                   << (scaled ? ", an earlier `subito scale` is undone\n" : "\n");
  }

  const Session& session_;
  const DeployOptions& options_;
  Node node_;
  std::map<std::string, Json> before_;  // functions of the node, by name
  std::map<std::string, Json> quotas_;  // of the namespaces that are deployed to
  Json receipts_ = Json::array();
};

constexpr char kFlagGroup[] = "With NAME --binary";

void add_flags(CLI::App& command, DeployOptions& options) {
  const auto text = [&](const char* flag, std::map<std::string, std::string>& into,
                        const char* help) {
    const std::string key = std::string(flag).substr(2);
    command
        .add_option_function<std::string>(
            flag, [&into, key](const std::string& value) { into[key] = value; }, help)
        ->group(kFlagGroup);
  };
  const auto number = [&](const char* flag, std::map<std::string, int>& into, const char* help) {
    const std::string key = std::string(flag).substr(2);
    command
        .add_option_function<int>(
            flag, [&into, key](int value) { into[key] = value; }, help)
        ->group(kFlagGroup);
  };
  const auto list = [&](const char* flag, std::vector<std::string>& into, const char* help) {
    command.add_option(flag, into, help)->type_size(1)->allow_extra_args(false)->group(kFlagGroup);
  };
  command.add_option("--binary", options.binary, "the function's binary")
      ->type_name("PATH")
      ->group(kFlagGroup);
  list("--setting", options.settings, "KEY=VALUE, repeatable");
  list("--route", options.routes, "a path of its own at the gateway, repeatable");
  list("--call", options.calls, "a function it may call, repeatable");
  list("--redis", options.redis, "the name of a Redis binding, repeatable");
  text("--timeout", options.texts, "how long an invocation may take: 30s");
  text("--start", options.texts, "pooled, fresh or template");
  number("--concurrency", options.numbers, "invocations that one pod handles at once");
  text("--memory", options.resource_texts, "of a pod: 128Mi");
  text("--cpu", options.resource_texts, "of a pod: 500m");
  number("--min", options.scaling_numbers, "pods kept even when nothing calls");
  number("--max", options.scaling_numbers, "most pods at once");
  text("--idle", options.scaling_texts, "how long a pod may be idle: 30s");
}

}  // namespace

void add_deploy(CLI::App& app, Session& session) {
  auto options = std::make_shared<DeployOptions>();
  CLI::App& command = *app.add_subcommand(
      "deploy", "Make a new revision: deploy FOLDER, deploy -f FILE, deploy NAME --binary PATH");
  command.group("Functions");
  command
      .add_option("NAME", options->name,
                  "a folder with manifests, built by cmake first if it has a CMakeLists.txt; with "
                  "--binary the function's name")
      ->type_name("FOLDER|NAME");
  CLI::Option* file =
      command.add_option("-f,--file", options->files, "a manifest or a folder of them, repeatable")
          ->type_size(1)
          ->allow_extra_args(false)
          ->type_name("PATH");
  command.add_flag("--no-check", options->no_check, "do not start a pod once before");
  command.add_flag("--no-traffic", options->no_traffic,
                   "keep the new revision aside: `subito traffic set` gives it calls");
  command.add_option("-m,--message", options->message, "why, for `subito rollout history`")
      ->type_name("TEXT");
  command.add_flag("-v,--verbose", options->verbose, "show what cmake and the compiler say");
  add_output_option(command, options->output, false);
  add_flags(command, *options);
  // A manifest says all that: nothing of it is left out silently.
  const std::vector<CLI::Option*> flags = command.get_options(
      [](const CLI::Option* option) { return option->get_group() == kFlagGroup; });
  for (CLI::Option* flag : flags) file->excludes(flag);
  command.callback([&session, options, flags] {
    options->any_flag = std::any_of(flags.begin(), flags.end(),
                                    [](const CLI::Option* flag) { return flag->count() > 0; });
    session.action = [&session, options] { return Deploy(session, *options).run(); };
  });
}

}  // namespace subito::cli

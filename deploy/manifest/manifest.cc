#include "deploy/manifest/manifest.h"

#include <algorithm>
#include <filesystem>
#include <fstream>
#include <map>
#include <set>

#include "deploy/manifest/decode.h"
#include "deploy/manifest/defaults.h"
#include "deploy/manifest/qualified_name.h"
#include "deploy/manifest/tree.h"

namespace subito::manifest {

namespace {

namespace fs = std::filesystem;

// What spans more than one field.
class CrossChecks {
 public:
  CrossChecks(const std::string& file, const Function& function, const Lines& lines,
              std::vector<Fault>& faults)
      : file_(file), function_(function), lines_(lines), faults_(faults) {}

  void run() {
    scaling();
    rollout();
    ingress();
    const FunctionSpec& spec = function_.spec();
    for (int i = 0; i < spec.config_size(); ++i)
      given("spec.config[" + std::to_string(i) + "]", spec.config(i), "config");
    for (int i = 0; i < spec.secrets_size(); ++i)
      given("spec.secrets[" + std::to_string(i) + "]", spec.secrets(i), "secrets");
    unique("spec.bindings", "name", spec.bindings_size(),
           [&](int i) { return spec.bindings(i).name(); });
    unique("spec.routes", "path", spec.routes_size(), [&](int i) { return spec.routes(i).path(); });
    unique("spec.calls", "", spec.calls_size(), [&](int i) { return spec.calls(i); });
    unique("spec.breakers", "call", spec.breakers_size(),
           [&](int i) { return spec.breakers(i).call(); });
    for (int i = 0; i < spec.breakers_size(); ++i)
      breaker("spec.breakers[" + std::to_string(i) + "].call", spec.breakers(i).call());
    const RateLimits& rates = spec.rate_limits();
    unique("spec.rateLimits.callers", "function", rates.callers_size(),
           [&](int i) { return rates.callers(i).function(); });
    unique("spec.triggers", "name", spec.triggers_size(),
           [&](int i) { return spec.triggers(i).name(); });
    for (int i = 0; i < spec.triggers_size(); ++i)
      trigger("spec.triggers[" + std::to_string(i) + "]", spec.triggers(i));
  }

 private:
  void fault(const std::string& field, std::string message) {
    const auto at = lines_.find(field);
    faults_.push_back(Fault{file_, at == lines_.end() ? 0 : at->second, field, std::move(message)});
  }

  void scaling() {
    const Scaling& scaling = function_.spec().scaling();
    if (scaling.has_knative() && scaling.policy() != CONCURRENCY)
      fault("spec.scaling.knative", "is for the policy concurrency; add policy: concurrency");
    const int max = scaling.has_max() ? scaling.max() : kScalingMax;
    if (!scaling.has_min() || scaling.min() <= max) return;
    fault("spec.scaling.min", "is " + std::to_string(scaling.min()) + ", above max, which is " +
                                  std::to_string(max) + (scaling.has_max() ? "" : " by default"));
  }

  void rollout() {
    const auto none = [](const std::string& text) { return text == "0" || text == "0%"; };
    const Rollout& rollout = function_.spec().rollout();
    if (none(rollout.max_surge()) && none(rollout.max_unavailable()))
      fault("spec.rollout.maxUnavailable",
            "is 0 as maxSurge is: then no pod may come or go; raise one of them");
  }

  void ingress() {
    const FunctionSpec& spec = function_.spec();
    if (spec.ingress() == ROUTES && spec.routes().empty())
      fault("spec.ingress", "is routes, and there are none: add spec.routes, or write internal");
    if (spec.ingress() == INTERNAL && !spec.routes().empty())
      fault("spec.ingress", "is internal, so nobody reaches spec.routes: take them away");
  }

  void given(const std::string& place, const GivenObject& object, const std::string& list) {
    if (!object.env().empty() && object.as() != GivenObject::ENV)
      fault(place + ".env", "names a variable, which is for as: env");
    if (!object.path().empty() && object.as() != GivenObject::FILE)
      fault(place + ".path", "names a folder, which is for as: file");
    if (object.as() == GivenObject::FILE) {
      const std::string folder =
          object.path().empty() ? file_folder(list, object.name()) : object.path();
      once(place, "path", folder + "/" + object.key());
    }
    if (object.as() == GivenObject::ENV && !object.env().empty()) once(place, "env", object.env());
  }

  void once(const std::string& place, const std::string& field, const std::string& value) {
    const auto [it, is_new] = given_.try_emplace(field + " " + value, place);
    if (!is_new) fault(place + "." + field, "is '" + value + "' as that of " + it->second);
  }

  void breaker(const std::string& place, const std::string& call) {
    const auto& calls = function_.spec().calls();
    const bool named = std::find(calls.begin(), calls.end(), call) != calls.end();
    if (!call.empty() && !named)
      fault(place, "is '" + call + "', which is not listed in spec.calls");
  }

  // Which redis binding its keys and dead letters are below.
  void trigger(const std::string& place, const Trigger& trigger) {
    int redis = 0;
    bool named = false;
    for (const Binding& binding : function_.spec().bindings()) {
      redis += binding.has_redis() ? 1 : 0;
      named = named || (binding.has_redis() && binding.name() == trigger.binding());
    }
    if (!trigger.binding().empty() && !named)
      return fault(place + ".binding",
                   "is '" + trigger.binding() + "', which is no redis binding of spec.bindings");
    if (!trigger.binding().empty() || redis == 1) return;
    if (redis > 1) {
      fault(place + ".binding", "is missing: there is more than one redis binding");
    } else if (trigger.has_stream() || trigger.has_due()) {
      fault(place, "needs a redis binding: add one to spec.bindings");
    }
  }

  template <typename NameOf>
  void unique(const std::string& list, const std::string& field, int count, NameOf name_of) {
    std::map<std::string, int> first;
    for (int i = 0; i < count; ++i) {
      const std::string name = name_of(i);
      const auto [it, is_new] = first.try_emplace(name, i);
      if (is_new || name.empty()) continue;
      fault(list + "[" + std::to_string(i) + "]" + (field.empty() ? "" : "." + field),
            "is '" + name + "' as that of " + list + "[" + std::to_string(it->second) + "]");
    }
  }

  const std::string& file_;
  const Function& function_;
  const Lines& lines_;
  std::vector<Fault>& faults_;
  std::map<std::string, std::string> given_;  // folders and variables, to where they stand
};

Function read_function(const std::string& file, const Node& node, Lines& lines,
                       std::vector<Fault>& faults) {
  Function function;
  decode(file, node, function, lines, faults);
  CrossChecks(file, function, lines, faults).run();
  return function;
}

void load_file(const std::string& path, Manifests& out) {
  std::ifstream stream(path, std::ios::binary);
  // One byte more than is allowed: enough to see that it is too much.
  std::string text(kInputBytesMax + 1, '\0');
  if (stream) stream.read(text.data(), static_cast<std::streamsize>(text.size()));
  if (stream.bad() || (stream.gcount() == 0 && !stream.eof())) {
    out.faults.push_back(Fault{path, 0, "", "cannot be read"});
    return;
  }
  text.resize(static_cast<std::size_t>(stream.gcount()));
  Manifests read = parse_yaml(path, text);
  std::move(read.manifests.begin(), read.manifests.end(), std::back_inserter(out.manifests));
  std::move(read.faults.begin(), read.faults.end(), std::back_inserter(out.faults));
}

// The files a path stands for.
std::vector<std::string> files_of(const std::string& path, std::vector<Fault>& faults) {
  std::error_code error;
  const fs::file_status status = fs::status(path, error);
  if (!fs::exists(status)) {
    faults.push_back(Fault{path, 0, "", "does not exist"});
    return {};
  }
  if (!fs::is_directory(status)) return {path};
  std::vector<std::string> files;
  for (fs::directory_iterator it(path, error), end; !error && it != end; it.increment(error)) {
    if (it->path().extension() == ".yaml") files.push_back(it->path().string());
  }
  std::sort(files.begin(), files.end());
  if (error)
    faults.push_back(Fault{path, 0, "", "cannot be read: " + error.message()});
  else if (files.empty())
    faults.push_back(Fault{path, 0, "",
                           "is a folder without a manifest, function.yaml; `subito new NAME` "
                           "writes a folder with one"});
  return files;
}

void check_names_differ(Manifests& all) {
  std::map<std::string, const Manifest*> first;
  for (const Manifest& manifest : all.manifests) {
    const std::string name = qualified_name(manifest.function.metadata());
    if (manifest.function.metadata().name().empty()) continue;
    const auto [it, is_new] = first.try_emplace(name, &manifest);
    if (is_new) continue;
    all.faults.push_back(Fault{
        manifest.file, manifest.line, "metadata.name",
        "is '" + name + "' as in " + it->second->file + ":" + std::to_string(it->second->line)});
  }
}

}  // namespace

std::string Manifest::binary_path() const {
  const fs::path binary = function.spec().binary();
  const fs::path path = binary.is_absolute() ? binary : fs::path(file).parent_path() / binary;
  return path.lexically_normal().string();
}

Manifests parse_yaml(const std::string& file, std::string_view text) {
  Manifests out;
  const std::vector<Node> documents = read_yaml(file, text, out.faults);
  for (const Node& document : documents) {
    Manifest manifest{{}, file, document.line};
    manifest.function = read_function(file, document, manifest.lines, out.faults);
    out.manifests.push_back(std::move(manifest));
  }
  if (documents.empty() && out.faults.empty())
    out.faults.push_back(Fault{file, 0, "", "holds no manifest"});
  std::stable_sort(out.faults.begin(), out.faults.end(),
                   [](const Fault& a, const Fault& b) { return a.line < b.line; });
  return out;
}

Manifests load(const std::vector<std::string>& paths) {
  Manifests all;
  std::vector<std::string> files;
  for (const std::string& path : paths) {
    const auto more = files_of(path, all.faults);
    files.insert(files.end(), more.begin(), more.end());
  }
  if (files.size() > kFilesMax) {
    all.faults.push_back(Fault{paths.front(), 0, "", "are more than 1000 files"});
    return all;
  }
  for (const std::string& file : files) load_file(file, all);
  check_names_differ(all);
  return all;
}

Result<Function> from_json(std::string_view text) {
  std::vector<Fault> faults;
  const Node node = read_json(text, faults);
  if (faults.empty()) {
    Lines lines;
    Function function = read_function("", node, lines, faults);
    if (faults.empty()) return function;
  }
  return fail(ErrorCode::kInvalidArgument, to_string(faults));
}

std::string path_for_clients(const Function& function) {
  const FunctionSpec& spec = function.spec();
  if (spec.ingress() == ALL) return "/function/" + qualified_name(function.metadata());
  return spec.ingress() == ROUTES && !spec.routes().empty() ? spec.routes(0).path() : "";
}

}  // namespace subito::manifest
